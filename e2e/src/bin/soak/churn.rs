//! What users and tenants do: OpenstackConfigs, VMs and ports come, change and go.

use std::{collections::BTreeMap, net::IpAddr};

use multinic_lab::CloudBuilder;
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use serde_json::Value;
use stage::{CONFIGS, Failure, NAMESPACE, Stage, config};

use crate::{
    expected::{CLUSTERS, subnets},
    truth::{PROJECTS, PROVIDER, SUBNETS},
};

const MAX_CONFIGS: usize = 12;

/// What exists, as far as it was made here.
pub struct Churn {
    /// By project: id and present name.
    vms: [BTreeMap<String, String>; 2],
    /// Ports that are attached to nothing, by project.
    loose: [Vec<String>; 2],
    names: usize,
    configs: Vec<String>,
    counts: BTreeMap<&'static str, usize>,
}

impl Churn {
    /// Knows the cloud of the beginning.
    pub fn begin(stage: &Stage) -> Result<Self, Failure> {
        let mut vms = [BTreeMap::new(), BTreeMap::new()];
        for number in 0..16 {
            let name = format!("n-{number}");
            vms[number / 8].insert(stage.lab.cloud().vm_id(&name)?, name);
        }
        Ok(Self {
            vms,
            loose: Default::default(),
            names: 16,
            configs: Vec::new(),
            counts: BTreeMap::new(),
        })
    }

    /// OpenstackConfigs that nobody has deleted.
    pub fn configs(&self) -> usize {
        self.configs.len()
    }

    /// How often what happened.
    pub fn summary(&self) -> String {
        let counts = self.counts.iter().map(|(what, count)| format!("{count} x {what}"));
        counts.collect::<Vec<_>>().join(", ")
    }

    /// One change.
    pub fn once(&mut self, stage: &Stage, random: &mut StdRng) -> Result<(), Failure> {
        let project = random.random_range(0..2);
        let what = match random.random_range(0..20) {
            0..4 => self.write_config(stage, project, random)?,
            4..6 => self.edit_config(stage, random)?,
            6 => self.delete_config(stage, random)?,
            7..11 => self.attach(stage, project, random)?,
            11..14 => self.detach(stage, project, random)?,
            14 => self.add_vm(stage, project)?,
            15 => self.delete_vm(stage, project, random)?,
            16 => self.rename(stage, project, random)?,
            17 => self.rewire(stage, project, random)?,
            18 => self.readdress(stage, project, random)?,
            _ => Self::resize(stage, random)?,
        };
        *self.counts.entry(what).or_default() += 1;
        Ok(())
    }

    fn write_config(&mut self, stage: &Stage, project: usize, random: &mut StdRng) -> Result<&'static str, Failure> {
        if self.configs.len() >= MAX_CONFIGS {
            return self.delete_config(stage, random);
        }
        let name = self.name("config");
        stage.kubernetes.apply(self.config(&name, project, random)?)?;
        self.configs.push(name);
        Ok("config made")
    }

    /// Other VMs, another subnet, sometimes another cluster or project.
    fn edit_config(&mut self, stage: &Stage, random: &mut StdRng) -> Result<&'static str, Failure> {
        let Some(name) = self.configs.choose(random).cloned() else {
            return Ok("nothing");
        };
        let old = stage
            .kubernetes
            .get(CONFIGS, NAMESPACE, &name)?
            .ok_or("the config is gone")?;
        let old = &old["spec"]["credentials"];
        let project = usize::from(old["projectID"] == PROJECTS[1]);
        let moves = random.random_range(0..6) == 0;
        let mut new = self.config(&name, if moves { 1 - project } else { project }, random)?;
        if !moves {
            new["spec"]["credentials"]["k8sProviderID"] = old["k8sProviderID"].clone();
        }
        stage.kubernetes.apply(new)?;
        Ok(if moves { "config moved" } else { "config edited" })
    }

    fn config(&self, name: &str, project: usize, random: &mut StdRng) -> Result<Value, Failure> {
        let pairs: Vec<_> = self.vms[project].iter().collect();
        let count = random.random_range(1..6);
        let chosen: Vec<_> = pairs.sample(random, count).copied().collect();
        let mut vms: Vec<String> = chosen
            .into_iter()
            .map(|(id, name)| if random.random() { id.clone() } else { name.clone() })
            .collect();
        if random.random_range(0..5) == 0 {
            vms.push("nobody".to_owned());
        }
        let subnet = SUBNETS[project].choose(random).ok_or("no subnets")?;
        let cluster = CLUSTERS.choose(random).ok_or("no clusters")?;
        Ok(config(name, subnet, &vms, PROVIDER, PROJECTS[project], cluster))
    }

    fn delete_config(&mut self, stage: &Stage, random: &mut StdRng) -> Result<&'static str, Failure> {
        if self.configs.is_empty() {
            return Ok("nothing");
        }
        let name = self.configs.swap_remove(random.random_range(0..self.configs.len()));
        stage.kubernetes.delete(CONFIGS, NAMESPACE, &name)?;
        Ok("config deleted")
    }

    fn attach(&mut self, stage: &Stage, project: usize, random: &mut StdRng) -> Result<&'static str, Failure> {
        let Some(vm) = self.vm(project, random) else {
            return Ok("nothing");
        };
        let cloud = stage.lab.cloud();
        match self.loose[project].pop() {
            Some(port) => cloud.attach(&port, &vm)?,
            None if cloud.ports_of(&vm)?.len() < 8 => {
                cloud.attach_port(&vm, SUBNETS[project].choose(random).ok_or("no subnets")?)?;
            }
            None => return Ok("nothing"),
        }
        Ok("port attached")
    }

    fn detach(&mut self, stage: &Stage, project: usize, random: &mut StdRng) -> Result<&'static str, Failure> {
        let Some(port) = self.port(stage, project, random)? else {
            return Ok("nothing");
        };
        if random.random() {
            stage.lab.cloud().detach_port(&port)?;
            self.loose[project].push(port);
            return Ok("port detached");
        }
        stage.lab.cloud().delete_port(&port)?;
        Ok("port deleted")
    }

    fn add_vm(&mut self, stage: &Stage, project: usize) -> Result<&'static str, Failure> {
        if self.vms[project].len() >= 12 {
            return Ok("nothing");
        }
        let name = self.name("n");
        let vm = CloudBuilder::new().in_project(PROJECTS[project]).vm(&name);
        let added = stage
            .lab
            .cloud()
            .add(SUBNETS[project].iter().fold(vm, |vm, subnet| vm.port(subnet)))?;
        self.vms[project].insert(added.vms.into_iter().next().ok_or("no VM")?, name);
        Ok("VM made")
    }

    fn delete_vm(&mut self, stage: &Stage, project: usize, random: &mut StdRng) -> Result<&'static str, Failure> {
        match self.vm(project, random) {
            Some(vm) if self.vms[project].len() > 4 => {
                stage.lab.cloud().delete_vm(&vm)?;
                self.vms[project].remove(&vm);
                Ok("VM deleted")
            }
            _ => Ok("nothing"),
        }
    }

    fn rename(&mut self, stage: &Stage, project: usize, random: &mut StdRng) -> Result<&'static str, Failure> {
        let Some(vm) = self.vm(project, random) else {
            return Ok("nothing");
        };
        let name = self.name("n");
        stage.lab.cloud().rename_vm(&vm, &name)?;
        self.vms[project].insert(vm, name);
        Ok("VM renamed")
    }

    fn rewire(&mut self, stage: &Stage, project: usize, random: &mut StdRng) -> Result<&'static str, Failure> {
        let Some(port) = self.port(stage, project, random)? else {
            return Ok("nothing");
        };
        let status = ["ACTIVE", "DOWN", "BUILD"].choose(random).ok_or("no status")?;
        stage.lab.cloud().set_port_status(&port, status)?;
        Ok("port status")
    }

    fn readdress(&mut self, stage: &Stage, project: usize, random: &mut StdRng) -> Result<&'static str, Failure> {
        let Some(port) = self.port(stage, project, random)? else {
            return Ok("nothing");
        };
        let which = random.random_range(0..2);
        self.names += 1;
        let address = format!(
            "10.{}.{}.{}",
            10 * project + which + 1,
            200 + self.names / 250 % 50,
            self.names % 250 + 1
        );
        let address: IpAddr = address.parse()?;
        stage
            .lab
            .cloud()
            .set_fixed_ips(&port, &[(SUBNETS[project][which], address)])?;
        Ok("port readdressed")
    }

    fn resize(stage: &Stage, random: &mut StdRng) -> Result<&'static str, Failure> {
        let all: Vec<_> = subnets().collect();
        let subnet = all.choose(random).ok_or("no subnets")?;
        let mtu = [1450, 1500, 9000].choose(random).ok_or("no MTU")?;
        stage.lab.cloud().set_mtu(&format!("net-{subnet}"), *mtu)?;
        Ok("MTU changed")
    }

    fn vm(&self, project: usize, random: &mut StdRng) -> Option<String> {
        let ids: Vec<_> = self.vms[project].keys().collect();
        ids.choose(random).map(|id| (*id).clone())
    }

    fn port(&self, stage: &Stage, project: usize, random: &mut StdRng) -> Result<Option<String>, Failure> {
        let Some(vm) = self.vm(project, random) else {
            return Ok(None);
        };
        Ok(stage.lab.cloud().ports_of(&vm)?.choose(random).cloned())
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}-{}", self.names)
    }
}
