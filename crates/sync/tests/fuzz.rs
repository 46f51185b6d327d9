//! Foreign bytes: resources and settings as people and programs write them. `MULTINIC_FUZZ_SECONDS=300` makes a long run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use multinic_model::Selection;
use multinic_sync::{manifest::Manifests, settings::Settings};
use multinic_testing::fuzz;

const SEED: &[u8] = include_bytes!("../../../deploy/samples/openstackconfig.yaml");

const LIST: &[u8] = br"
kind: List
apiVersion: v1
items:
- apiVersion: multinic.example.com/v1alpha1
  kind: OpenstackConfig
  metadata: {name: a, namespace: n, labels: {x: y}}
  spec: {subnetName: s, vmNames: [w, 8f9d64bc-4760-49f6-828d-8e347a198c56], credentials: {openstackProviderID: p, projectID: df64928216f740d3a6b84a66fa30b649}}
- &anchor {kind: Namespace, apiVersion: v1}
- *anchor
";

const SETTINGS: &[u8] = br"
contrabass:
  endpoint: https://contrabass.example.com
  token: {secret: contrabass, key: token}
  password: {key: {file: /k}, cipher: aes-128-cbc, digest: pbkdf2-sha256, iterations: 7}
  tls: {caFile: /ca.pem}
openstack: {interface: internal, portStatuses: [ACTIVE], endpoints: {network: 'http://n:9696'}, requestsPerSecond: 3, timeout: 10s}
managementApi: {endpoint: 'http://m:8080', batchSize: 5}
sync: {interval: 1h 30m, removalConfirmations: 3}
rabbitmq:
  enabled: true
  brokers: ['a:5672', 'amqps://[fd00::1]']
  user: multinic
  password: {file: /p}
  heartbeat: 20s
  tls: {required: true}
  queue: {name: ours, type: quorum, maxLength: 500, messageTTL: 1m, expires: 1h}
  bindings: [{exchange: openstack, routingKeys: [notifications.info], vhost: nova}]
";

/// What was accepted keeps the promises of its type; what was refused is one line that says something.
#[test]
fn a_resource_may_be_anything() {
    fuzz::run("resource", &[SEED.to_vec(), LIST.to_vec()], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        match Manifests::parse([("f.yaml", text.as_ref())]) {
            Ok(manifests) => {
                assert!(!manifests.selections.is_empty());
                for selection in &manifests.selections {
                    assert!((1..=Selection::MAX_VMS).contains(&selection.vms.len()));
                }
                format!("{} {}", manifests.selections.len(), manifests.warnings.len().min(9))
            }
            Err(error) => kind(&error.to_string(), &format!("{error:?}")),
        }
    });
}

#[test]
fn settings_may_be_anything() {
    fuzz::run("settings", &[SETTINGS.to_vec()], |bytes| {
        match Settings::parse(&String::from_utf8_lossy(bytes)) {
            Ok(settings) => {
                assert!(!settings.openstack.port_statuses.is_empty());
                assert!(settings.contrabass.endpoint.url().has_host());
                let keys = settings
                    .rabbitmq
                    .bindings
                    .iter()
                    .flat_map(|binding| &binding.routing_keys);
                assert!(keys.clone().count() > 0 && keys.clone().all(|key| !key.contains(['#', '*'])));
                "accepted".to_owned()
            }
            Err(error) => kind(&error.to_string(), &format!("{error:?}")),
        }
    });
}

/// The name of the error's variant.
fn kind(message: &str, debug: &str) -> String {
    assert!(message.len() > 10, "{message:?}");
    debug.split([' ', '(']).next().unwrap_or_default().to_owned()
}
