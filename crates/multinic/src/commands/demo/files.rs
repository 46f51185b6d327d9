//! What a user would write: the settings, and the resource of the seed.

use multinic_lab::{DEMO_ENCRYPTION_KEY, Lab, Receiver};
use multinic_model::crds::Crd;

use crate::failure::Failure;

/// The seed's own resource, unchanged.
pub const RESOURCE: &str = include_str!("../../../../../deploy/samples/openstackconfig.yaml");
const NAMESPACE_FILE: &str = include_str!("../../../../../deploy/namespace.yaml");

/// The namespace of operator and resource.
pub const NAMESPACE: &str = "multinic-system";
/// The resource's name.
pub const NAME: &str = "openstackconfig-sample-contrabass-1";
/// Between two passes; a cluster would have minutes.
pub const INTERVAL: &str = "2s";

/// Namespace, CRD, Secret and ConfigMap, in this order.
pub fn install(lab: &Lab, receiver: &Receiver) -> Result<String, Failure> {
    let crd = Crd::OpenstackConfig.yaml().map_err(Failure::failed)?;
    let settings = settings(lab, receiver, "{secret: contrabass, key: encryptionKey}");
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
pub fn settings(lab: &Lab, receiver: &Receiver, key: &str) -> String {
    format!(
        "contrabass:\n  endpoint: {}\n  password: {{key: {key}}}\nmanagementApi:\n  endpoint: {}\nsync: {{interval: {INTERVAL}}}\n",
        lab.contrabass_url(),
        receiver.url()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_resource() {
        for (field, value) in [("name", NAME), ("namespace", NAMESPACE)] {
            assert!(RESOURCE.contains(&format!("  {field}: {value}\n")), "{field}");
        }
    }
}
