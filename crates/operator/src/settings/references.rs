//! Which secrets the settings name, and where.

use std::collections::{BTreeMap, BTreeSet};

use multinic_sync::settings::{ManagementApiSection, SecretRef, Settings};

/// Each secret with the path of the setting that names it, in the order of the paths.
pub(super) fn references(settings: &Settings) -> BTreeMap<&'static str, SecretRef> {
    let contrabass = &settings.contrabass;
    let management_api = settings.management_api.as_ref();
    let of_api = |pick: fn(&ManagementApiSection) -> Option<&SecretRef>| management_api.and_then(pick);
    [
        ("contrabass.token", contrabass.token.as_ref()),
        ("contrabass.password.key", Some(&contrabass.password.key)),
        ("contrabass.tls.caSecret", contrabass.tls.ca_secret.as_ref()),
        ("openstack.tls.caSecret", settings.openstack.tls.ca_secret.as_ref()),
        ("managementApi.token", of_api(|api| api.token.as_ref())),
        ("managementApi.tls.caSecret", of_api(|api| api.tls.ca_secret.as_ref())),
        ("rabbitmq.password", settings.rabbitmq.password.as_ref()),
        ("rabbitmq.tls.caSecret", settings.rabbitmq.tls.ca_secret.as_ref()),
    ]
    .into_iter()
    .filter_map(|(setting, reference)| Some((setting, reference?.clone())))
    .collect()
}

/// The Kubernetes Secrets among them: name to keys.
pub(super) fn secrets_and_keys(settings: &Settings) -> BTreeMap<String, BTreeSet<String>> {
    let mut secrets: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for reference in references(settings).into_values() {
        if let SecretRef::Kubernetes { name, key } = reference {
            secrets.entry(name).or_default().insert(key);
        }
    }
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "
contrabass:
  endpoint: https://c.example.com
  token: {secret: s1, key: k1}
  password: {key: {secret: s2, key: k2}}
  tls: {caSecret: {secret: s3, key: k3}}
openstack: {tls: {caSecret: {secret: s4, key: k4}}}
managementApi:
  endpoint: https://m.example.com
  token: {secret: s5, key: k5}
  tls: {caSecret: {secret: s6, key: k6}}
rabbitmq:
  brokers: [rabbit.example.com]
  user: multinic
  password: {secret: s7, key: k7}
  tls: {caSecret: {secret: s8, key: k8}}
";

    /// Whoever adds a secret to the settings is reminded of this place by their documentation: it names each one.
    #[test]
    fn every_secret_of_the_settings_is_found() {
        let settings = Settings::parse(ALL).unwrap();
        let named: Vec<String> = secrets_and_keys(&settings).into_keys().collect();
        assert_eq!(named, ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"]);
        let debug = format!("{settings:?}");
        assert_eq!(debug.matches("Kubernetes").count(), references(&settings).len());
    }

    #[test]
    fn two_keys_of_one_secret_are_one_secret() {
        let settings = Settings::parse(&ALL.replace("s2", "s1").replace("s5", "s1")).unwrap();
        let secrets = secrets_and_keys(&settings);
        assert_eq!(secrets["s1"], ["k1", "k2", "k5"].map(ToOwned::to_owned).into());
        assert_eq!(secrets.len(), 6);
    }
}
