//! A cloud with a second book kept by the test: what is in it is known without asking the product.

use std::collections::{BTreeMap, BTreeSet};

use multinic_lab::CloudBuilder;

use super::oracle::Delivered;
use crate::common::{Cr, PROJECT, PROVIDER, Stage};

pub const VMS: usize = 4;
pub const SUBNETS: usize = 2;

const SUBNET_NAMES: [&str; SUBNETS] = ["red", "blue"];
const MTUS: [u32; SUBNETS] = [1450, 9000];

/// A port as the book has it.
#[derive(Clone, Debug)]
pub struct Port {
    id: String,
    pub mac: String,
    pub subnet: usize,
    pub vm: Option<usize>,
    pub status: &'static str,
}

/// A VM as the book has it.
#[derive(Clone, Debug)]
pub struct Vm {
    pub id: String,
    pub name: String,
    alive: bool,
    renames: usize,
}

pub struct Sky {
    pub stage: Stage,
    pub vms: Vec<Vm>,
    pub ports: Vec<Port>,
    made: usize,
}

/// Which VMs, by position, a config names, and whether by id.
const CONFIGS: [(usize, &[(usize, bool)]); 3] = [
    (0, &[(0, false), (1, false)]),
    (1, &[(1, false), (2, true)]),
    (0, &[(2, true), (3, true)]),
];

fn vm_id(vm: usize) -> String {
    format!("a0000000-0000-4000-8000-{vm:012}")
}

fn first_name(vm: usize) -> String {
    format!("vm-{vm}")
}

impl Sky {
    pub fn new() -> Self {
        let cloud = CloudBuilder::new().provider(PROVIDER).project(PROJECT, "biz");
        let cloud = (0..SUBNETS).fold(cloud, |cloud, n| {
            let name = SUBNET_NAMES[n];
            cloud
                .network(&format!("{name}-net"))
                .mtu(MTUS[n].into())
                .subnet(name, &cidr(n))
        });
        let cloud = (0..VMS).fold(cloud, |cloud, vm| cloud.vm(&first_name(vm)).id(&vm_id(vm)));
        let vm = |vm| Vm {
            id: vm_id(vm),
            name: first_name(vm),
            alive: true,
            renames: 0,
        };
        Self {
            stage: Stage::new(cloud),
            vms: (0..VMS).map(vm).collect(),
            ports: Vec::new(),
            made: 0,
        }
    }

    /// The configs of the mask, as users write them.
    pub fn configs(mask: u8) -> Vec<Cr> {
        let chosen = (0..CONFIGS.len()).filter(|n| mask & (1 << n) != 0);
        let cr = |n: usize| {
            let (subnet, vms) = CONFIGS[n];
            let vms: Vec<_> = vms
                .iter()
                .map(|&(vm, by_id)| if by_id { vm_id(vm) } else { first_name(vm) })
                .collect();
            Cr::on_name(
                &format!("c{n}"),
                SUBNET_NAMES[subnet],
                &vms.iter().map(String::as_str).collect::<Vec<_>>(),
            )
        };
        chosen.map(cr).collect()
    }

    pub fn attach(&mut self, vm: usize, subnet: usize, down: bool) {
        if !self.vms[vm].alive {
            return;
        }
        self.made += 1;
        let n = self.made;
        // Ids that run against the order of age: age decides.
        let id = format!("f0000000-0000-4000-8000-{:012}", 1000 - n);
        let mac = format!("fa:16:3e:bb:00:{n:02x}");
        let address = format!("10.{}.0.{}", subnet + 1, 10 + n);
        let port = CloudBuilder::new()
            .in_project(PROJECT)
            .loose_port(SUBNET_NAMES[subnet])
            .id(&id)
            .mac(&mac)
            .address(&address);
        let cloud = self.stage.lab.cloud();
        cloud.add(port).unwrap();
        cloud.attach(&id, &self.vms[vm].id).unwrap();
        let status = if down { "DOWN" } else { "ACTIVE" };
        cloud.set_port_status(&id, status).unwrap();
        self.ports.push(Port {
            id,
            mac,
            subnet,
            vm: Some(vm),
            status,
        });
    }

    fn port(&mut self, port: usize) -> Option<&mut Port> {
        let count = self.ports.len();
        self.ports.get_mut(port % count.max(1))
    }

    pub fn move_port(&mut self, port: usize, vm: usize) {
        let (alive, id) = (self.vms[vm].alive, self.vms[vm].id.clone());
        let cloud = self.stage.lab.cloud();
        if let Some(port) = self.port(port).filter(|_| alive) {
            cloud.attach(&port.id, &id).unwrap();
            (port.vm, port.status) = (Some(vm), "ACTIVE");
        }
    }

    pub fn detach(&mut self, port: usize) {
        let cloud = self.stage.lab.cloud();
        if let Some(port) = self.port(port) {
            cloud.detach_port(&port.id).unwrap();
            (port.vm, port.status) = (None, "DOWN");
        }
    }

    pub fn delete_port(&mut self, port: usize) {
        if self.ports.is_empty() {
            return;
        }
        let port = self.ports.remove(port % self.ports.len());
        self.stage.lab.cloud().delete_port(&port.id).unwrap();
    }

    pub fn delete_vm(&mut self, vm: usize) {
        if !self.vms[vm].alive {
            return;
        }
        self.stage.lab.cloud().delete_vm(&self.vms[vm].id).unwrap();
        self.vms[vm].alive = false;
        self.ports.retain(|port| port.vm != Some(vm));
    }

    /// To a name that nobody has had.
    pub fn rename(&mut self, vm: usize) {
        let Vm {
            id,
            name,
            alive,
            renames,
        } = &mut self.vms[vm];
        if *alive {
            *renames += 1;
            *name = format!("vm-{vm}-{renames}");
            self.stage.lab.cloud().rename_vm(id, name).unwrap();
        }
    }

    pub fn set_status(&mut self, port: usize, status: &'static str) {
        let cloud = self.stage.lab.cloud();
        if let Some(port) = self.port(port) {
            cloud.set_port_status(&port.id, status).unwrap();
            port.status = status;
        }
    }

    /// Whether one of the configs selects the VM, and on which subnets.
    fn subnets_of(&self, vm: usize, mask: u8) -> BTreeSet<usize> {
        let chosen = (0..CONFIGS.len()).filter(|n| mask & (1 << n) != 0);
        let selects = |&(of, by_id): &(usize, bool)| of == vm && (by_id || self.vms[vm].name == first_name(vm));
        let found = chosen.filter(|n| self.vms[vm].alive && CONFIGS[*n].1.iter().any(selects));
        found.map(|n| CONFIGS[n].0).collect()
    }

    /// The ports that these configs select on that VM, the oldest first.
    pub fn selected(&self, vm: usize, mask: u8) -> impl Iterator<Item = &Port> {
        let subnets = self.subnets_of(vm, mask);
        self.ports
            .iter()
            .filter(move |port| port.vm == Some(vm) && subnets.contains(&port.subnet))
    }

    /// What every node must have in the end, computed from the book alone; `held` has the ids.
    pub fn desired_nodes(&self, held: &Delivered) -> BTreeMap<String, (String, BTreeMap<String, u64>)> {
        let mut nodes = BTreeMap::new();
        for (n, vm) in self.vms.iter().enumerate() {
            let old = held.of_instance(&vm.id);
            let takes = |port: &&Port| port.status != "ERROR" || old.contains_key(&port.mac);
            let ports: Vec<_> = self.selected(n, 7).filter(takes).collect();
            if ports.is_empty() {
                continue;
            }
            let mut ids: BTreeMap<String, u64> = ports
                .iter()
                .filter_map(|port| Some((port.mac.clone(), *old.get(&port.mac)?)))
                .collect();
            let news = ports.iter().filter(|port| !old.contains_key(&port.mac));
            let free: Vec<u64> = (1..)
                .filter(|id| !ids.values().any(|used| used == id))
                .take(ports.len())
                .collect();
            ids.extend(news.map(|port| port.mac.clone()).zip(free));
            nodes.insert(vm.name.clone(), (vm.id.clone(), ids));
        }
        nodes
    }

    /// What is true of an interface, whoever has it.
    pub fn truth(mac: &str, subnet: &str) -> Option<(String, u32)> {
        let n = u32::from_str_radix(mac.rsplit(':').next()?, 16).ok()?;
        let subnet = (0..SUBNETS).find(|n| cidr(*n) == subnet)?;
        Some((format!("10.{}.0.{}", subnet + 1, 10 + n), MTUS[subnet]))
    }
}

fn cidr(subnet: usize) -> String {
    format!("10.{}.0.0/24", subnet + 1)
}
