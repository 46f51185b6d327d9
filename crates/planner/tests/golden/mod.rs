//! The files of a golden case: short words for what a test wants to say.
//!
//! * `configs.yaml`: the policy and the configs.
//! * `inventory.yaml`: the readings, one plan each. Between two plans, what was delivered becomes the earlier state and the
//!   claims that the plan returned become those of the configs.
//! * `earlier.yaml`: what the management API holds before the first reading, or `not-offered`.
//! * `expected.yaml`: what each plan must say.
//!
//! A MAC address `:07` is `02:00:00:00:00:07`; a port `7` is the UUID that ends in 7.

mod parse;

use std::{collections::BTreeMap, fmt::Write as _, fs, num::NonZeroU32, path::Path};

use multinic_model::{
    ClusterId, ConfigKey, Earlier, EarlierNode, Interface, Selection, SubnetSelector, UnreadableNode, VmSelector,
    inventory::{Inventory, PortStatus},
};
use multinic_planner::{
    Announced, Claim, ConfigInput, News, Plan, PlanInput, Policy, Reading, RemovalLedger, Scope, Seen, plan,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigsFile {
    policy: PolicyFile,
    configs: BTreeMap<String, ConfigFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PolicyFile {
    scope: String,
    #[serde(default)]
    statuses: Vec<PortStatusText>,
    confirmations: Option<NonZeroU32>,
    held_confirmations: Option<NonZeroU32>,
    #[serde(default)]
    allow_mass_removal: bool,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct PortStatusText(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ConfigFile {
    project: String,
    subnet: Option<String>,
    subnet_name: Option<String>,
    vms: Vec<String>,
    /// `instance node`
    #[serde(default)]
    delivered: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Without it, the reading before is repeated.
    projects: Option<BTreeMap<String, ProjectFile>>,
    /// What of the readings is new, by project; without an entry, all of it.
    #[serde(default)]
    news: BTreeMap<String, NewsFile>,
    /// Configs whose reading failed.
    #[serde(default)]
    failed: Vec<String>,
    /// Configs whose spec changed.
    #[serde(default)]
    changed: Vec<String>,
    /// Configs that are being deleted.
    #[serde(default)]
    departed: Vec<String>,
    /// Configs that cannot be read as a selection.
    #[serde(default)]
    held: Vec<String>,
    /// Configs that are handed the inventory of this project, by mistake.
    #[serde(default)]
    mistaken: BTreeMap<String, String>,
    /// Configs that do not exist at this step.
    #[serde(default)]
    absent: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct NewsFile {
    /// The servers that were looked at; without it and `ports`, everything was.
    servers: Option<Vec<String>>,
    /// Those whose ports were.
    ports: Option<Vec<String>>,
    /// Servers that are announced to be deleted.
    deleted: Vec<String>,
    /// Servers that are announced to have lost some port.
    detached: Vec<String>,
    /// Ports that are announced to be gone: `instance :07`
    gone: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ProjectFile {
    /// instance: name, or `name metadata=value`
    servers: BTreeMap<String, String>,
    /// id or `name:x`: see [`parse::subnet`]
    subnets: BTreeMap<String, String>,
    /// id: see [`parse::port`]
    ports: BTreeMap<u32, String>,
    /// id: `instance problem`
    unreadable: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum EarlierFile {
    Word(String),
    Nodes(BTreeMap<String, EarlierNodeFile>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EarlierNodeFile {
    instance: String,
    #[serde(default)]
    interfaces: Vec<String>,
    /// The MAC addresses of a node that cannot be understood.
    #[serde(default)]
    unreadable: Vec<String>,
}

/// What one plan says.
#[derive(Serialize, Default)]
struct Said {
    deliver: Vec<String>,
    unchanged: Vec<String>,
    findings: Vec<String>,
    vms: Vec<String>,
    claims: Vec<String>,
    awaits_confirmation: bool,
}

/// Runs the case in `folder` and returns what `expected.yaml` should be.
pub fn run(folder: &Path) -> String {
    let ConfigsFile { policy, configs } = read(&folder.join("configs.yaml"));
    let steps: Vec<Step> = read(&folder.join("inventory.yaml"));
    let policy = policy.build();
    let mut earlier = read::<EarlierFile>(&folder.join("earlier.yaml")).build();
    let mut claims: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (name, config) in &configs {
        claims.insert(
            name.clone(),
            config.delivered.iter().map(|text| parse::claim(text)).collect(),
        );
    }
    let (mut ledger, mut projects) = (RemovalLedger::default(), BTreeMap::new());
    let mut said = Vec::new();
    for mut step in steps {
        if let Some(read) = step.projects.take() {
            projects = read;
        }
        let plan = plan_step(&step, &configs, &projects, &claims, (&earlier, &policy, &ledger));
        said.push(Said::of(&plan));
        ledger = plan.ledger.clone();
        for (key, claimed) in &plan.claims {
            claims.insert(key.name.clone(), claimed.iter().cloned().collect());
        }
        deliver(&mut earlier, &plan);
    }
    serde_saphyr::to_string(&said).unwrap()
}

fn plan_step(
    step: &Step,
    configs: &BTreeMap<String, ConfigFile>,
    projects: &BTreeMap<String, ProjectFile>,
    claims: &BTreeMap<String, Vec<Claim>>,
    (earlier, policy, ledger): (&Earlier, &Policy, &RemovalLedger),
) -> Plan {
    let cluster: ClusterId = "cluster-1".parse().unwrap();
    let inventories: BTreeMap<&str, Inventory> = projects
        .iter()
        .map(|(name, project)| (name.as_str(), project.build(name)))
        .collect();
    let selections: BTreeMap<&str, Selection> = configs
        .iter()
        .map(|(name, config)| (name.as_str(), config.build(name, &cluster)))
        .collect();
    let news: BTreeMap<&str, News> = step
        .news
        .iter()
        .map(|(name, news)| (name.as_str(), news.build()))
        .collect();
    let reading = |config: &ConfigFile, project: &str| {
        let Some(inventory) = inventories.get(project) else {
            return Reading::Failed;
        };
        match news.get(config.project.as_str()) {
            Some(news) => Reading::Renewed { inventory, news },
            None => Reading::Complete(inventory),
        }
    };
    let present = configs.iter().filter(|(name, _)| !step.absent.contains(name));
    let inputs: Vec<_> = present
        .map(|(name, config)| {
            let (selection, delivered) = (&selections[name.as_str()], claims[name].as_slice());
            if step.departed.contains(name) {
                return ConfigInput::Departed {
                    key: &selection.key,
                    delivered,
                };
            }
            if step.held.contains(name) {
                return ConfigInput::Held {
                    key: &selection.key,
                    delivered,
                };
            }
            let project = step.mistaken.get(name).unwrap_or(&config.project);
            ConfigInput::Present {
                selection,
                reading: if step.failed.contains(name) {
                    Reading::Failed
                } else {
                    reading(config, project)
                },
                delivered,
                changed: step.changed.contains(name),
            }
        })
        .collect();
    let input = PlanInput {
        cluster: &cluster,
        configs: &inputs,
        earlier,
        policy,
        ledger,
    };
    let made = plan(&input);
    let reversed: Vec<_> = inputs.iter().rev().copied().collect();
    assert_eq!(
        made,
        plan(&PlanInput {
            configs: &reversed,
            ..input
        }),
        "the order of the configs matters"
    );
    made
}

fn deliver(earlier: &mut Earlier, plan: &Plan) {
    let (Earlier::Known(nodes) | Earlier::Partly { nodes, .. }) = earlier else {
        return;
    };
    for config in plan.deliveries() {
        let node = EarlierNode {
            instance_id: config.instance_id.clone(),
            interfaces: config.interfaces.clone(),
        };
        nodes.insert(config.node_name.clone(), node);
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl PolicyFile {
    fn build(self) -> Policy {
        let default = Policy::default();
        let statuses: Vec<PortStatus> = self.statuses.iter().map(|status| status.0.parse().unwrap()).collect();
        Policy {
            port_statuses: if statuses.is_empty() {
                default.port_statuses
            } else {
                statuses.into_iter().collect()
            },
            scope: match self.scope.as_str() {
                "additive" => Scope::Additive,
                "whole-truth" => Scope::WholeTruth,
                other => panic!("scope {other}"),
            },
            removal_confirmations: self.confirmations.unwrap_or(default.removal_confirmations),
            held_removal_confirmations: self.held_confirmations,
            allow_mass_removal: self.allow_mass_removal,
        }
    }
}

impl ConfigFile {
    fn build(&self, name: &str, cluster: &ClusterId) -> Selection {
        let by_name = self.subnet_name.as_ref().map(|name| SubnetSelector::Name(name.clone()));
        let by_id = self.subnet.as_ref().map(|id| SubnetSelector::Id(id.parse().unwrap()));
        Selection {
            key: ConfigKey {
                namespace: "ns".to_owned(),
                name: name.to_owned(),
            },
            cluster: cluster.clone(),
            provider: "provider-1".parse().unwrap(),
            project: parse::project(&self.project),
            subnet: by_id.or(by_name).unwrap(),
            vms: self.vms.iter().map(|vm| VmSelector::new(vm).unwrap()).collect(),
        }
    }
}

impl NewsFile {
    fn build(&self) -> News {
        let set = |ids: &[String]| ids.iter().map(|id| id.parse().unwrap()).collect();
        let seen = match (&self.servers, &self.ports) {
            (None, None) => Seen::Everything,
            (servers, ports) => Seen::Part {
                servers: set(servers.as_deref().unwrap_or_default()),
                ports: set(ports.as_deref().unwrap_or_default()),
            },
        };
        let gone = |text: &String| {
            let (instance, mac) = text.split_once(' ').unwrap();
            (instance.parse().unwrap(), parse::mac(mac))
        };
        News {
            seen,
            announced: Announced {
                deleted: set(&self.deleted),
                detached: set(&self.detached),
                ports: self.gone.iter().map(gone).collect(),
            },
        }
    }
}

impl ProjectFile {
    fn build(&self, name: &str) -> Inventory {
        Inventory {
            project: parse::project(name),
            servers: self
                .servers
                .iter()
                .map(|(id, text)| (id.parse().unwrap(), parse::server(text)))
                .collect(),
            subnets: self
                .subnets
                .iter()
                .map(|(key, text)| parse::subnet(key, text))
                .collect(),
            ports: self
                .ports
                .iter()
                .map(|(id, text)| (parse::port_id(*id), parse::port(*id, text)))
                .collect(),
            unreadable: self
                .unreadable
                .iter()
                .map(|(id, text)| parse::unreadable(id, text))
                .collect(),
        }
    }
}

impl EarlierFile {
    fn build(self) -> Earlier {
        let nodes = match self {
            Self::Word(word) if word == "not-offered" => return Earlier::NotOffered,
            Self::Word(word) => panic!("earlier: {word}"),
            Self::Nodes(nodes) => nodes,
        };
        let (mut readable, mut unreadable) = (BTreeMap::new(), BTreeMap::new());
        for (name, node) in nodes {
            let (name, instance_id) = (name.parse().unwrap(), node.instance.parse().unwrap());
            if node.unreadable.is_empty() {
                let interfaces = node.interfaces.iter().map(|text| parse::interface(text)).collect();
                let node = EarlierNode {
                    instance_id,
                    interfaces,
                };
                readable.insert(name, node);
            } else {
                let node = UnreadableNode {
                    instance_id,
                    macs: node.unreadable.iter().map(|text| parse::mac(text)).collect(),
                    problem: "it is odd".to_owned(),
                };
                unreadable.insert(name, node);
            }
        }
        if unreadable.is_empty() {
            return Earlier::Known(readable);
        }
        Earlier::Partly {
            nodes: readable,
            unreadable,
        }
    }
}

impl Said {
    fn of(plan: &Plan) -> Self {
        let mut said = Self {
            awaits_confirmation: plan.awaits_confirmation(),
            ..Self::default()
        };
        for config in plan.deliveries() {
            let change = plan.nodes[&config.node_name].change;
            let mut text = format!("{change} {} of {}:", config.node_name, config.instance_id);
            for interface in &config.interfaces {
                write!(text, " [{}]", write_interface(interface)).unwrap();
            }
            said.deliver.push(text);
        }
        let delivered: Vec<_> = plan.deliveries().map(|config| &config.node_name).collect();
        said.unchanged = plan
            .nodes
            .keys()
            .filter(|name| !delivered.contains(name))
            .map(ToString::to_string)
            .collect();
        for finding in &plan.findings {
            let configs: Vec<_> = finding.configs.iter().map(|key| key.name.as_str()).collect();
            let subject = parse::short(&finding.subject);
            assert!(finding.message.contains(&finding.subject), "{finding}");
            assert!(
                !finding.message.contains('\n') && !finding.message.ends_with('.'),
                "{finding}"
            );
            said.findings.push(format!(
                "{} {} {subject} ({})",
                finding.severity,
                finding.reason,
                configs.join(" ")
            ));
        }
        for ((key, selector), vm) in &plan.vms {
            let instance = vm.instance.as_ref().map_or("-", |id| id.as_str());
            let node = vm.node.as_ref().map_or("-", |name| name.as_str());
            let finding = vm.finding.map_or("-", |reason| reason.as_str());
            let text = format!(
                "{} {selector} = {instance} {node} {} {} {finding}",
                key.name, vm.interfaces, vm.state
            );
            said.vms.push(text);
        }
        for (key, claims) in &plan.claims {
            said.claims.extend(
                claims
                    .iter()
                    .map(|claim| format!("{} {} {}", key.name, claim.instance_id, claim.node_name)),
            );
        }
        said
    }
}

fn write_interface(interface: &Interface) -> String {
    let Interface {
        id,
        mac_address,
        address,
        mtu,
    } = interface;
    let prefix = address.cidr().prefix_len();
    format!(
        "{id} {} {}/{prefix} {mtu}",
        parse::short(&mac_address.to_string()),
        address.address()
    )
}
