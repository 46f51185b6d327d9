//! The plan alone: 10,000 VMs with 4 ports each, selected by 20 configs that share one inventory.

use std::{collections::BTreeMap, net::Ipv4Addr};

use divan::Bencher;
use multinic_model::{
    ClusterId, ConfigKey, Earlier, EarlierNode, InstanceId, Mtu, NetworkId, PortId, ProjectId, Selection, SubnetId,
    SubnetSelector, VmSelector,
    inventory::{FixedIp, Inventory, Port, PortStatus, Server, Subnet, SubnetLookup},
};
use multinic_planner::{ConfigInput, Plan, PlanInput, Policy, Reading, RemovalLedger, Scope, plan};
use uuid::Uuid;

const VMS: u32 = 10_000;
const PORTS_PER_VM: u32 = 4;
const VMS_PER_CONFIG: u32 = 500;

fn main() {
    divan::main();
}

/// Nothing was delivered before.
#[divan::bench]
fn first_delivery(bencher: Bencher<'_, '_>) {
    let fleet = Fleet::new();
    let nothing = Earlier::Known(BTreeMap::new());
    bencher.bench(|| fleet.plan(&nothing));
}

/// Everything is there already: the pass that runs most often.
#[divan::bench]
fn nothing_to_do(bencher: Bencher<'_, '_>) {
    let fleet = Fleet::new();
    let earlier = fleet.delivered();
    bencher.bench(|| fleet.plan(&earlier));
}

struct Fleet {
    cluster: ClusterId,
    inventory: Inventory,
    selections: Vec<Selection>,
    policy: Policy,
    ledger: RemovalLedger,
}

impl Fleet {
    fn new() -> Self {
        let subnet: SubnetId = parse("subnet-1");
        let lookup = SubnetLookup::Found(Subnet {
            id: subnet.clone(),
            network_id: NetworkId::new(Uuid::nil()),
            cidr: parse("10.0.0.0/8"),
            mtu: Mtu::try_from(1450).unwrap_or_else(|_| unreachable!()),
        });
        let inventory = Inventory {
            project: ProjectId::new(Uuid::nil()),
            servers: (0..VMS).map(|vm| (instance(vm), server(vm))).collect(),
            subnets: BTreeMap::from([(SubnetSelector::Id(subnet.clone()), lookup)]),
            ports: (0..VMS * PORTS_PER_VM)
                .map(|port| (port_id(port), make_port(port, &subnet)))
                .collect(),
            unreadable: Vec::new(),
        };
        Self {
            cluster: parse("cluster-1"),
            inventory,
            selections: (0..VMS / VMS_PER_CONFIG)
                .map(|config| selection(config, &subnet))
                .collect(),
            policy: Policy {
                scope: Scope::WholeTruth,
                ..Policy::default()
            },
            ledger: RemovalLedger::default(),
        }
    }

    fn plan(&self, earlier: &Earlier) -> Plan {
        let present = |selection| ConfigInput::Present {
            selection,
            reading: Reading::Complete(&self.inventory),
            delivered: &[],
            changed: false,
        };
        let configs: Vec<_> = self.selections.iter().map(present).collect();
        plan(&PlanInput {
            cluster: &self.cluster,
            configs: &configs,
            earlier,
            policy: &self.policy,
            ledger: &self.ledger,
        })
    }

    fn delivered(&self) -> Earlier {
        let plan = self.plan(&Earlier::Known(BTreeMap::new()));
        let node = |config: &multinic_model::NodeConfig| EarlierNode {
            instance_id: config.instance_id.clone(),
            interfaces: config.interfaces.clone(),
        };
        Earlier::Known(
            plan.deliveries()
                .map(|config| (config.node_name.clone(), node(config)))
                .collect(),
        )
    }
}

fn parse<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| unreachable!("{text} is well-formed"))
}

/// Spread like real ids.
fn uuid(kind: u128, number: u32) -> Uuid {
    Uuid::from_u128((kind + u128::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

fn instance(vm: u32) -> InstanceId {
    parse(&uuid(1 << 40, vm).to_string())
}

fn port_id(port: u32) -> PortId {
    PortId::new(uuid(2 << 40, port))
}

fn server(vm: u32) -> Server {
    Server {
        name: format!("worker-{vm}"),
        metadata_node_name: None,
    }
}

fn make_port(port: u32, subnet: &SubnetId) -> Port {
    let [a, b, c, d] = port.to_be_bytes();
    Port {
        mac_address: parse(&format!("fa:16:{a:02x}:{b:02x}:{c:02x}:{d:02x}")),
        device_id: instance(port / PORTS_PER_VM),
        status: PortStatus::Active,
        fixed_ips: vec![FixedIp {
            subnet_id: subnet.clone(),
            address: Ipv4Addr::from(0x0a00_0001 + port).into(),
        }],
        created_at: i64::from(port % 7),
    }
}

/// Half of the VMs by UUID, half by name.
fn selection(config: u32, subnet: &SubnetId) -> Selection {
    let vms = config * VMS_PER_CONFIG..(config + 1) * VMS_PER_CONFIG;
    let selector = |vm| match vm % 2 {
        0 => VmSelector::new(instance(vm).as_str()),
        _ => VmSelector::new(&format!("worker-{vm}")),
    };
    Selection {
        key: ConfigKey {
            namespace: "multinic-system".to_owned(),
            name: format!("config-{config}"),
        },
        cluster: parse("cluster-1"),
        provider: parse("provider-1"),
        project: ProjectId::new(Uuid::nil()),
        subnet: SubnetSelector::Id(subnet.clone()),
        vms: vms.filter_map(selector).collect(),
    }
}
