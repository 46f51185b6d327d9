//! Many OpenstackConfigs, and the clouds that they speak of.

use std::fmt;

use multinic_lab::CloudBuilder;
use serde_json::Value;
use stage::{Failure, Stage, config};

/// VMs of one OpenstackConfig, each its own.
pub const VMS: usize = 10;
/// Ports of one VM on the subnet of its OpenstackConfig.
pub const PORTS: usize = 4;

/// How many of each; clusters are spread evenly over projects, and OpenstackConfigs over clusters.
#[derive(Clone, Copy, Debug)]
pub struct Fleet {
    pub providers: usize,
    pub projects: usize,
    /// Each with a subnet of its own.
    pub clusters: usize,
    pub configs: usize,
}

impl fmt::Display for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            providers,
            projects,
            clusters,
            configs,
        } = self;
        write!(
            f,
            "{configs} OpenstackConfigs x {VMS} VMs x {PORTS} ports, {clusters} clusters, {projects} projects, {providers} providers"
        )
    }
}

impl Fleet {
    /// The cloud.
    pub fn cloud(&self) -> CloudBuilder {
        let cloud = (0..self.providers).fold(CloudBuilder::new(), |cloud, n| cloud.provider(&provider(n)));
        (0..self.projects).fold(cloud, |cloud, project| self.project(cloud, project))
    }

    fn project(&self, cloud: CloudBuilder, project: usize) -> CloudBuilder {
        let cloud = cloud.project(&project_id(project), &format!("project-{project}"));
        let clusters = (0..self.clusters).filter(|cluster| cluster % self.projects == project);
        clusters.fold(cloud, |cloud, cluster| {
            let cloud = cloud.network(&format!("net-{cluster}")).mtu(1450);
            let cloud = cloud
                .subnet(&subnet_id(cluster), &format!("10.{cluster}.0.0/16"))
                .id(&subnet_id(cluster));
            let configs = (0..self.configs).filter(|config| config % self.clusters == cluster);
            configs.fold(cloud, |cloud, config| {
                (0..VMS).fold(cloud, |cloud, vm| {
                    let cloud = cloud.vm(&vm_name(config, vm));
                    (0..PORTS).fold(cloud, |cloud, _| cloud.port(&subnet_id(cluster)))
                })
            })
        })
    }

    /// Applies every OpenstackConfig; their names.
    pub fn apply(&self, stage: &Stage) -> Result<Vec<String>, Failure> {
        let apply = |index: usize| {
            stage.kubernetes.apply(self.config(index))?;
            Ok(config_name(index))
        };
        (0..self.configs).map(apply).collect()
    }

    fn config(&self, index: usize) -> Value {
        let vms: Vec<_> = (0..VMS).map(|vm| vm_name(index, vm)).collect();
        let cluster = index % self.clusters;
        let project = cluster % self.projects;
        config(
            &config_name(index),
            &subnet_id(cluster),
            &vms,
            &provider(project % self.providers),
            &project_id(project),
            &format!("cluster-{cluster}"),
        )
    }

    /// The names of all VMs.
    pub fn vms(&self) -> impl Iterator<Item = String> {
        (0..self.configs).flat_map(|config| (0..VMS).map(move |vm| vm_name(config, vm)))
    }

    /// The subnet of that OpenstackConfig.
    pub fn subnet(&self, index: usize) -> String {
        subnet_id(index % self.clusters)
    }

    /// Every VM has every port, under the ids 1 to 4.
    pub fn check(&self, stage: &Stage) -> Result<(), Failure> {
        let mut interfaces = 0;
        for cluster in 0..self.clusters {
            let nodes = stage.receiver.node_configs(&format!("cluster-{cluster}"));
            for node in nodes.as_object().into_iter().flat_map(|nodes| nodes.values()) {
                let ids: Vec<_> = node["interfaces"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|nic| &nic["id"])
                    .collect();
                if ids != [1, 2, 3, 4] {
                    return Err(format!("not the ids 1 to 4: {node}").into());
                }
                interfaces += ids.len();
            }
        }
        match self.configs * VMS * PORTS {
            expected if expected == interfaces => Ok(()),
            expected => Err(format!("{interfaces} interfaces were delivered instead of {expected}").into()),
        }
    }
}

/// The first VM of that OpenstackConfig.
pub fn vm_id(stage: &Stage, index: usize) -> Result<String, Failure> {
    Ok(stage.lab.cloud().vm_id(&vm_name(index, 0))?)
}

fn provider(n: usize) -> String {
    format!("a0000000-0000-4000-8000-{n:012}")
}

fn project_id(n: usize) -> String {
    format!("{:032x}", n + 1)
}

fn subnet_id(cluster: usize) -> String {
    format!("subnet-{cluster:03}")
}

fn config_name(n: usize) -> String {
    format!("config-{n:04}")
}

fn vm_name(config: usize, vm: usize) -> String {
    format!("vm-{config:04}-{vm:02}")
}
