//! OpenstackConfigs as users write them: YAML, through the product's own parser.

use multinic_sync::{Config, manifest::Manifests};

use super::{CLUSTER, PROJECT, PROVIDER};

/// One OpenstackConfig, as a user would write it.
#[derive(Clone, Debug)]
pub struct Cr {
    name: String,
    subnet: String,
    vms: Vec<String>,
    provider: String,
    project: String,
    cluster: Option<String>,
}

impl Cr {
    /// By `subnetID`; of the usual provider, project and cluster.
    pub fn on_id(name: &str, subnet: &str, vms: &[&str]) -> Self {
        Self::on(name, format!("subnetID: {subnet:?}"), vms)
    }

    /// By `subnetName`.
    pub fn on_name(name: &str, subnet: &str, vms: &[&str]) -> Self {
        Self::on(name, format!("subnetName: {subnet:?}"), vms)
    }

    fn on(name: &str, subnet: String, vms: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            subnet,
            vms: vms.iter().map(|&vm| vm.to_owned()).collect(),
            provider: PROVIDER.to_owned(),
            project: PROJECT.to_owned(),
            cluster: Some(CLUSTER.to_owned()),
        }
    }

    pub fn provider(self, provider: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            ..self
        }
    }

    pub fn project(self, project: &str) -> Self {
        Self {
            project: project.to_owned(),
            ..self
        }
    }

    pub fn cluster(self, cluster: Option<&str>) -> Self {
        Self {
            cluster: cluster.map(str::to_owned),
            ..self
        }
    }

    fn yaml(&self) -> String {
        let Self {
            name,
            subnet,
            vms,
            provider,
            project,
            cluster,
        } = self;
        let cluster = cluster.as_ref().map(|id| format!(", k8sProviderID: {id:?}"));
        format!(
            "apiVersion: multinic.example.com/v1alpha1\nkind: OpenstackConfig\nmetadata: {{name: {name:?}}}\n\
             spec: {{{subnet}, vmNames: {vms:?}, credentials: {{openstackProviderID: {provider:?}, projectID: {project:?}{}}}}}\n",
            cluster.unwrap_or_default()
        )
    }

    pub fn config(&self) -> Config {
        let yaml = self.yaml();
        let mut selections = Manifests::parse([("cr.yaml", yaml.as_str())]).unwrap().selections;
        Config::new(selections.pop().unwrap())
    }
}
