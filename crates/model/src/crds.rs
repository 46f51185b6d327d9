//! The two CRDs as the YAML that is committed under `deploy/crds`.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

use crate::{multinic_node_config::MultiNicNodeConfig, openstack_config::OpenstackConfig};

/// The kinds that multinic defines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crd {
    /// What users write.
    OpenstackConfig,
    /// What the agents read, one per node.
    MultiNicNodeConfig,
}

/// The CRD could not be written as YAML.
#[derive(Debug, thiserror::Error)]
#[error("failed to write the CRD {name} as YAML")]
pub struct CrdError {
    name: String,
    source: Box<serde_saphyr::ser::Error>,
}

impl Crd {
    /// Both, in the order in which they are printed.
    pub const ALL: [Self; 2] = [Self::OpenstackConfig, Self::MultiNicNodeConfig];

    /// The definition itself.
    pub fn definition(self) -> CustomResourceDefinition {
        match self {
            Self::OpenstackConfig => OpenstackConfig::crd(),
            Self::MultiNicNodeConfig => MultiNicNodeConfig::crd(),
        }
    }

    /// The file below `deploy/crds`.
    pub fn file_name(self) -> String {
        format!("{}.yaml", self.definition().metadata.name.unwrap_or_default())
    }

    /// The definition as YAML, ready for `kubectl apply -f -`.
    pub fn yaml(self) -> Result<String, CrdError> {
        let definition = self.definition();
        serde_saphyr::to_string(&definition).map_err(|source| CrdError {
            name: definition.metadata.name.unwrap_or_default(),
            source: Box::new(source),
        })
    }
}
