//! What a user would write: the settings, the resource of the seed, and one for another cluster.

use multinic_lab::{DEMO_ENCRYPTION_KEY, Lab};
use multinic_model::crds::Crd;

use crate::failure::Failure;

/// The seed's own resource, unchanged.
pub const RESOURCE: &str = include_str!("../../../../../deploy/samples/openstackconfig.yaml");
const NAMESPACE_FILE: &str = include_str!("../../../../../deploy/namespace.yaml");

/// The namespace of operator and resource.
pub const NAMESPACE: &str = "multinic-system";
/// The resource's name.
pub const NAME: &str = "openstackconfig-sample-contrabass-1";
/// Its cluster, and its VMs.
pub const CLUSTER: &str = "f5861c22-b252-42b5-a0c5-cfb1d245c819";
pub const VMS: [&str; 3] = ["measure-biz-master-1", "measure-biz-worker-2", "measure-biz-worker-3"];
/// Another cluster, its resource and VM, and what the user writes for it.
pub const OTHER_CLUSTER: &str = "edge-cluster";
pub const OTHER_NAME: &str = "edge";
pub const OTHER_VM: &str = "edge-worker-1";
pub const OTHER_RESOURCE: &str = "\
apiVersion: multinic.example.com/v1alpha1
kind: OpenstackConfig
metadata:
  name: edge
  namespace: multinic-system
spec:
  subnetID: \"subnet-uuid\"
  vmNames: [\"edge-worker-1\"]
  credentials:
    openstackProviderID: \"a919ea1c-9a09-4a9f-9021-ec68c1de2159\"
    k8sProviderID: \"edge-cluster\"
    projectID: \"df64928216f740d3a6b84a66fa30b649\"
";
/// Between two passes; a cluster would have minutes.
pub const INTERVAL: &str = "2s";

/// Namespace, CRD, Secret and ConfigMap, in this order.
pub fn install(lab: &Lab, api: &str) -> Result<String, Failure> {
    let crd = Crd::OpenstackConfig.yaml().map_err(Failure::failed)?;
    let settings = settings(lab, api, "{secret: contrabass, key: encryptionKey}");
    let settings = settings.trim_end().replace('\n', "\n    ");
    Ok(format!(
        "{NAMESPACE_FILE}---\n{crd}---\n\
         apiVersion: v1\nkind: Secret\nmetadata: {{name: contrabass, namespace: {NAMESPACE}}}\n\
         stringData: {{encryptionKey: {DEMO_ENCRYPTION_KEY}}}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: multinic-operator-config, namespace: {NAMESPACE}}}\n\
         data:\n  config.yaml: |\n    {settings}\n"
    ))
}

/// The settings; `key` says where the encryption key is.
pub fn settings(lab: &Lab, api: &str, key: &str) -> String {
    format!(
        "contrabass:\n  endpoint: {}\n  password: {{key: {key}}}\nmanagementApi:\n  endpoint: {}\nsync: {{interval: {INTERVAL}}}\n",
        lab.contrabass_url(),
        api
    )
}

#[cfg(test)]
mod tests {
    use multinic_lab::{SEED_PROJECT, SEED_PROVIDER, SEED_SUBNET_ID};

    use super::*;

    #[test]
    fn the_names_are_those_of_the_resource() {
        for (field, value) in [("name", NAME), ("namespace", NAMESPACE)] {
            assert!(RESOURCE.contains(&format!("  {field}: {value}\n")), "{field}");
        }
        for word in VMS.into_iter().chain([CLUSTER]) {
            assert!(RESOURCE.contains(&format!("\"{word}\"")), "{word}");
        }
        for word in [SEED_PROVIDER, SEED_PROJECT, SEED_SUBNET_ID, OTHER_CLUSTER, OTHER_VM] {
            assert!(OTHER_RESOURCE.contains(&format!("\"{word}\"")), "{word}");
        }
    }
}
