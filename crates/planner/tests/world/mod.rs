//! A small random cluster that changes step by step, with a management API that loses deliveries now and then.

pub mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use multinic_model::{
    ClusterId, ConfigKey, Earlier, EarlierNode, InstanceId, InterfaceAddress, MacAddress, Mtu, NetworkId, NodeName,
    PortId, ProjectId, Selection, SubnetId, SubnetSelector, UnreadableNode, VmSelector,
    inventory::{FixedIp, Inventory, Port, PortStatus, Server, Subnet, SubnetLookup, UnreadablePort},
};
use multinic_planner::{Claim, ConfigInput, News, Plan, PlanInput, Policy, Reading, RemovalLedger, Scope, plan};
use proptest::prelude::*;
use uuid::Uuid;

/// Something that happens before a reading: a kind and three numbers that it may use.
pub type Event = (u8, u8, u8, u8);

pub type Nodes = BTreeMap<NodeName, EarlierNode>;

pub fn history() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((0_u8..26, any::<u8>(), any::<u8>(), any::<u8>()), 1..14)
}

const VMS: u8 = 6;
const PORTS: u8 = 16;
const NAMES: u8 = 7;

#[derive(Clone, Debug)]
pub struct ConfigState {
    pub subnet: u8,
    pub vms: BTreeSet<String>,
    pub claims: BTreeSet<Claim>,
    pub changed: bool,
    pub departed: bool,
}

#[derive(Clone, Debug)]
pub struct PortState {
    pub vm: u8,
    pub subnet: u8,
    pub address: u8,
    pub status: PortStatus,
    pub created: i64,
}

/// The cloud, the configs, and what was delivered.
#[derive(Clone, Debug)]
pub struct World {
    pub servers: BTreeMap<u8, u8>,
    pub ports: BTreeMap<u8, PortState>,
    pub configs: BTreeMap<u8, ConfigState>,
    pub nodes: Nodes,
    pub ledger: RemovalLedger,
    clock: i64,
    // What holds for the next reading only.
    pub failed: BTreeSet<u8>,
    /// Configs that cannot be read as a selection.
    pub held: BTreeSet<u8>,
    /// Names of nodes that are read back as something that cannot be understood.
    pub odd_nodes: BTreeSet<NodeName>,
    pub broken_subnets: BTreeSet<u8>,
    pub unreadable: BTreeSet<u8>,
    /// What is new; `None`: everything.
    pub news: Option<News>,
    /// How many deliveries arrive; the others are lost.
    arriving: usize,
}

/// The VMs 0..4 are of project 0 with the subnets 0 and 1; 4 and 5 are of project 1 with subnet 2.
pub fn project_of_vm(vm: u8) -> u8 {
    u8::from(vm >= 4)
}

pub fn project_of_subnet(subnet: u8) -> u8 {
    u8::from(subnet == 2)
}

pub fn instance(vm: u8) -> InstanceId {
    Uuid::from_u128(0xa000 + u128::from(vm)).to_string().parse().unwrap()
}

/// One name that no node can have.
pub fn server_name(name: u8) -> String {
    if name == NAMES - 1 {
        "Bad_Name".to_owned()
    } else {
        format!("n{name}")
    }
}

pub fn mac(port: u8) -> MacAddress {
    MacAddress::new([2, 0, 0, 0, 0, port]).unwrap()
}

pub fn mtu(subnet: u8) -> Mtu {
    Mtu::try_from(1400 + u32::from(subnet)).unwrap()
}

pub fn address(port: &PortState) -> InterfaceAddress {
    let address = [10, 0, port.subnet, port.address];
    InterfaceAddress::new(address.into(), format!("10.0.{}.0/24", port.subnet).parse().unwrap()).unwrap()
}

pub fn key(config: u8) -> ConfigKey {
    ConfigKey {
        namespace: "ns".to_owned(),
        name: format!("c{config}"),
    }
}

fn project(project: u8) -> ProjectId {
    ProjectId::new(Uuid::from_u128(u128::from(project)))
}

fn subnet(subnet: u8) -> SubnetId {
    format!("subnet-{subnet}").parse().unwrap()
}

fn cluster() -> ClusterId {
    "cluster-1".parse().unwrap()
}

impl World {
    /// Two configs over one project and one over the other; two ports on each VM.
    pub fn new() -> Self {
        let config = |subnet: u8, vms: &[u8]| ConfigState {
            subnet,
            vms: vms
                .iter()
                .map(|vm| {
                    if vm % 2 == 0 {
                        instance(*vm).to_string()
                    } else {
                        server_name(*vm)
                    }
                })
                .collect(),
            claims: BTreeSet::new(),
            changed: false,
            departed: false,
        };
        let port = |id: u8, vm: u8| PortState {
            vm,
            subnet: 2 * project_of_vm(vm),
            address: id + 1,
            status: PortStatus::Active,
            created: i64::from(id % 3),
        };
        Self {
            servers: (0..VMS)
                .map(|vm| (vm, vm))
                .filter(|(_, name)| *name < NAMES - 1)
                .collect(),
            ports: (0..2 * VMS).map(|id| (id, port(id, id % VMS))).collect(),
            configs: BTreeMap::from([
                (0, config(0, &[0, 1, 2])),
                (1, config(1, &[1, 2])),
                (2, config(2, &[4, 5])),
            ]),
            nodes: Nodes::new(),
            ledger: RemovalLedger::default(),
            clock: 10,
            failed: BTreeSet::new(),
            held: BTreeSet::new(),
            odd_nodes: BTreeSet::new(),
            broken_subnets: BTreeSet::new(),
            unreadable: BTreeSet::new(),
            news: None,
            arriving: usize::MAX,
        }
    }

    pub fn happens(&mut self, (kind, a, b, c): Event) {
        self.clock += 1;
        self.failed.clear();
        self.held.clear();
        self.odd_nodes.clear();
        self.broken_subnets.clear();
        self.unreadable.clear();
        self.arriving = usize::MAX;
        match kind {
            0..=2 => self.attach(a % PORTS, b % VMS, c),
            3 => drop(self.ports.remove(&(a % PORTS))),
            4 => self.move_port(a % PORTS, b % VMS),
            5 | 6 => drop(self.servers.get_mut(&(a % VMS)).map(|name| *name = b % NAMES)),
            7 => self.swap_names(a % VMS, b % VMS),
            8 => {
                self.servers.remove(&(a % VMS));
                self.ports.retain(|_, port| port.vm != a % VMS);
            }
            9 => drop(self.servers.insert(a % VMS, b % NAMES)),
            10 => self.flip(a % PORTS, b),
            11 | 12 => self.failed = (0..4).filter(|config| a & (1 << config) != 0).collect(),
            25 => self.misread(usize::from(a % NAMES)),
            24 => self.held = (0..4).filter(|config| a & (1 << config) != 0).collect(),
            13 => self.broken_subnets = BTreeSet::from([a % 3]),
            14 => drop(self.unreadable.insert(a % VMS)),
            15 => self.respecify(a % 4, b, c),
            16 => self.change_subnet(a % 4, b % 2),
            17 => drop(self.configs.get_mut(&(a % 4)).map(|config| config.departed = true)),
            18 => self.create_config(a % 4, b, c),
            19 => self.ledger = RemovalLedger::default(),
            20 | 21 => self.arriving = usize::from(a % 3),
            22 => self.ports.retain(|id, _| id % 4 == a % 4),
            23 => self
                .servers
                .values_mut()
                .for_each(|name| *name = (*name + 1) % (NAMES - 1)),
            _ => {}
        }
    }

    fn misread(&mut self, nth: usize) {
        self.odd_nodes = self.nodes.keys().skip(nth).take(1).cloned().collect();
    }

    fn attach(&mut self, port: u8, vm: u8, c: u8) {
        let created = self.clock / 2;
        let subnet = if project_of_vm(vm) == 1 { 2 } else { c % 2 };
        self.ports.entry(port).or_insert(PortState {
            vm,
            subnet,
            address: port + 1,
            status: PortStatus::Build,
            created,
        });
    }

    fn move_port(&mut self, port: u8, vm: u8) {
        if let Some(port) = self
            .ports
            .get_mut(&port)
            .filter(|port| project_of_vm(port.vm) == project_of_vm(vm))
        {
            port.vm = vm;
        }
    }

    fn swap_names(&mut self, a: u8, b: u8) {
        if let (Some(first), Some(second)) = (self.servers.get(&a).copied(), self.servers.get(&b).copied()) {
            self.servers.insert(a, second);
            self.servers.insert(b, first);
        }
    }

    fn flip(&mut self, port: u8, b: u8) {
        if let Some(port) = self.ports.get_mut(&port) {
            let statuses = [
                PortStatus::Active,
                PortStatus::Down,
                PortStatus::Build,
                PortStatus::Error,
            ];
            port.status = statuses[usize::from(b % 4)];
            port.address = if b >= 128 { port.address ^ 64 } else { port.address };
        }
    }

    fn respecify(&mut self, config: u8, vm: u8, c: u8) {
        if let Some(config) = self.configs.get_mut(&config).filter(|config| !config.departed) {
            let vm = vm % VMS;
            let selector = if c.is_multiple_of(2) {
                instance(vm).to_string()
            } else {
                server_name(vm)
            };
            if !config.vms.remove(&selector) || config.vms.is_empty() {
                config.vms.insert(selector);
            }
            config.changed = true;
        }
    }

    fn change_subnet(&mut self, config: u8, subnet: u8) {
        if let Some(config) = self
            .configs
            .get_mut(&config)
            .filter(|config| !config.departed && config.subnet != 2)
        {
            config.changed |= config.subnet != subnet;
            config.subnet = subnet;
        }
    }

    fn create_config(&mut self, config: u8, b: u8, c: u8) {
        let vms = (0..VMS).filter(|vm| b & (1 << vm) != 0 || *vm == b % VMS);
        let vms = vms
            .map(|vm| {
                if c & (1 << vm) == 0 {
                    server_name(vm)
                } else {
                    instance(vm).to_string()
                }
            })
            .collect();
        self.configs.entry(config).or_insert(ConfigState {
            subnet: c % 3,
            vms,
            claims: BTreeSet::new(),
            changed: false,
            departed: false,
        });
    }

    /// Everything can be read, no two servers share a name, and every name can be a node's.
    pub fn heal(&mut self) {
        self.happens((u8::MAX, 0, 0, 0));
        let mut taken = BTreeSet::new();
        for name in self.servers.values_mut() {
            while *name == NAMES - 1 || !taken.insert(*name) {
                *name = (*name + 1) % NAMES;
            }
        }
        for port in self.ports.values_mut() {
            port.status = PortStatus::Active;
        }
    }

    /// The plan for the state as it is.
    pub fn plan(&self, policy: &Policy) -> Plan {
        self.plan_with(policy, &Earlier::Known(self.nodes.clone()), &self.ledger, false)
    }

    /// The same, from another past; `reversed` turns round every order that must not matter.
    pub fn plan_with(&self, policy: &Policy, earlier: &Earlier, ledger: &RemovalLedger, reversed: bool) -> Plan {
        let earlier = &self.read_back(earlier);
        let inventories = [self.inventory(0, reversed), self.inventory(1, reversed)];
        let selections: BTreeMap<_, _> = self
            .configs
            .iter()
            .map(|(id, config)| (*id, selection(*id, config)))
            .collect();
        let claims: BTreeMap<_, Vec<Claim>> = self
            .configs
            .iter()
            .map(|(id, config)| (*id, config.claims.iter().cloned().collect()))
            .collect();
        let mut configs: Vec<_> = self
            .configs
            .iter()
            .map(|(id, config)| {
                let (selection, delivered) = (&selections[id], claims[id].as_slice());
                if config.departed {
                    return ConfigInput::Departed {
                        key: &selection.key,
                        delivered,
                    };
                }
                if self.held.contains(id) {
                    return ConfigInput::Held {
                        key: &selection.key,
                        delivered,
                    };
                }
                let inventory = &inventories[usize::from(project_of_subnet(config.subnet))];
                let reading = if self.failed.contains(id) {
                    Reading::Failed
                } else {
                    self.news
                        .as_ref()
                        .map_or(Reading::Complete(inventory), |news| Reading::Renewed {
                            inventory,
                            news,
                        })
                };
                ConfigInput::Present {
                    selection,
                    reading,
                    delivered,
                    changed: config.changed,
                }
            })
            .collect();
        if reversed {
            configs.reverse();
        }
        plan(&PlanInput {
            cluster: &cluster(),
            configs: &configs,
            earlier,
            policy,
            ledger,
        })
    }

    /// What comes of `earlier` when some of its nodes cannot be understood.
    fn read_back(&self, earlier: &Earlier) -> Earlier {
        let Earlier::Known(nodes) = earlier else {
            return earlier.clone();
        };
        let is_odd =
            |(name, node): &(NodeName, EarlierNode)| self.odd_nodes.contains(name) && !node.interfaces.is_empty();
        let (odd, nodes): (Nodes, Nodes) = nodes.clone().into_iter().partition(is_odd);
        if odd.is_empty() {
            return Earlier::Known(nodes);
        }
        let node = |(name, node): (NodeName, EarlierNode)| {
            let unreadable = UnreadableNode {
                instance_id: node.instance_id,
                macs: node.interfaces.iter().map(|held| held.mac_address).collect(),
                problem: "it is odd".to_owned(),
            };
            (name, unreadable)
        };
        Earlier::Partly {
            nodes,
            unreadable: odd.into_iter().map(node).collect(),
        }
    }

    fn inventory(&self, of: u8, reversed: bool) -> Inventory {
        let servers = self.servers.iter().filter(|(vm, _)| project_of_vm(**vm) == of);
        let server = |(vm, name): (&u8, &u8)| {
            let server = Server {
                name: server_name(*name),
                metadata_node_name: None,
            };
            (instance(*vm), server)
        };
        let lookup = |id: u8| {
            let found = SubnetLookup::Found(Subnet {
                id: subnet(id),
                network_id: NetworkId::new(Uuid::nil()),
                cidr: format!("10.0.{id}.0/24").parse().unwrap(),
                mtu: mtu(id),
            });
            let lookup = if self.broken_subnets.contains(&id) {
                SubnetLookup::NotFound
            } else {
                found
            };
            (SubnetSelector::Id(subnet(id)), lookup)
        };
        let live = |port: &PortState| project_of_vm(port.vm) == of && self.servers.contains_key(&port.vm);
        let ports = self.ports.iter().filter(|(_, port)| live(port));
        let mut unreadable: Vec<_> = self.unreadable.iter().filter(|vm| project_of_vm(**vm) == of).collect();
        unreadable.extend(unreadable.clone());
        if reversed {
            unreadable.reverse();
        }
        let odd = unreadable.iter().enumerate().map(|(index, vm)| UnreadablePort {
            id: format!("odd-{vm}-{}", index % 2),
            device_id: instance(**vm),
            problem: "it is odd".to_owned(),
        });
        Inventory {
            project: project(of),
            servers: servers.map(server).collect(),
            subnets: (0..3).filter(|id| project_of_subnet(*id) == of).map(lookup).collect(),
            ports: ports
                .map(|(id, state)| (PortId::new(Uuid::from_u128((*id).into())), port(*id, state, reversed)))
                .collect(),
            unreadable: odd.collect(),
        }
    }

    /// Sends the plan; of what arrives, the claims and the specs are up to date from then on.
    pub fn deliver(&mut self, plan: &Plan) {
        let arrived: Vec<_> = plan.deliveries().take(self.arriving).cloned().collect();
        let all = arrived.len() == plan.deliveries().count();
        let names: BTreeSet<_> = arrived.iter().map(|config| config.node_name.clone()).collect();
        for config in arrived {
            let node = EarlierNode {
                instance_id: config.instance_id,
                interfaces: config.interfaces,
            };
            self.nodes.insert(config.node_name, node);
        }
        self.ledger = plan.ledger.clone();
        for (id, config) in &mut self.configs {
            let delivered: Vec<_> = config.claims.iter().cloned().collect();
            config.claims = plan.claims_after(&key(*id), &delivered, |name| names.contains(name));
            config.changed &= !all || self.failed.contains(id) || self.held.contains(id);
        }
        self.configs
            .retain(|_, config| !config.departed || !config.claims.is_empty());
    }
}

fn selection(id: u8, config: &ConfigState) -> Selection {
    Selection {
        key: key(id),
        cluster: cluster(),
        provider: "provider-1".parse().unwrap(),
        project: project(project_of_subnet(config.subnet)),
        subnet: SubnetSelector::Id(subnet(config.subnet)),
        vms: config.vms.iter().map(|vm| VmSelector::new(vm).unwrap()).collect(),
    }
}

/// Every port also has an address in a subnet that nobody selects.
fn port(id: u8, state: &PortState, reversed: bool) -> Port {
    let elsewhere = FixedIp {
        subnet_id: "subnet-x".parse().unwrap(),
        address: [10, 9, 9, id].into(),
    };
    let here = FixedIp {
        subnet_id: subnet(state.subnet),
        address: address(state).address(),
    };
    Port {
        mac_address: mac(id),
        device_id: instance(state.vm),
        status: state.status,
        fixed_ips: if reversed {
            vec![here, elsewhere]
        } else {
            vec![elsewhere, here]
        },
        created_at: state.created,
    }
}

pub fn policy(scope: Scope) -> Policy {
    Policy {
        scope,
        ..Policy::default()
    }
}

/// What the nodes hold once the plan is delivered in full.
pub fn after(nodes: &Nodes, plan: &Plan) -> Nodes {
    let mut after = nodes.clone();
    for config in plan.deliveries() {
        let node = EarlierNode {
            instance_id: config.instance_id.clone(),
            interfaces: config.interfaces.clone(),
        };
        after.insert(config.node_name.clone(), node);
    }
    after
}

/// Every (node, MAC) with its id.
pub fn held(nodes: &Nodes) -> BTreeMap<(NodeName, MacAddress), u32> {
    let interfaces = nodes
        .iter()
        .flat_map(|(name, node)| node.interfaces.iter().map(move |held| (name, held)));
    interfaces
        .map(|(name, held)| ((name.clone(), held.mac_address), held.id.get()))
        .collect()
}

/// Every (instance, MAC) with its ids.
pub fn held_by_instance(nodes: &Nodes) -> BTreeMap<(InstanceId, MacAddress), BTreeSet<u32>> {
    let mut all: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for node in nodes.values() {
        for held in &node.interfaces {
            all.entry((node.instance_id.clone(), held.mac_address))
                .or_default()
                .insert(held.id.get());
        }
    }
    all
}
