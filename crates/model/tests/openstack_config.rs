//! The custom resource: the seed's own YAML, the schema's rules, and the checked selection say the same.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use kube_cel::Validator;
use multinic_model::{
    SubnetSelector,
    crds::Crd,
    openstack_config::{NodeStatus, OpenstackConfig, OpenstackConfigStatus},
};
use serde_json::{Value, json};

/// The seed's resource, deprecated keys added in the way its comment names them.
const SEED: &str = include_str!("../../../deploy/samples/openstackconfig.yaml");

fn config(spec: &Value) -> OpenstackConfig {
    serde_json::from_value(json!({
        "apiVersion": "multinic.example.com/v1alpha1",
        "kind": "OpenstackConfig",
        "metadata": {"name": "a", "namespace": "multinic-system"},
        "spec": spec,
    }))
    .unwrap()
}

fn spec(change: impl FnOnce(&mut Value)) -> Value {
    let mut spec = json!({
        "subnetID": "d4131820-cb74-4296-8d64-a19756940a3b",
        "vmNames": ["worker-1"],
        "credentials": {
            "openstackProviderID": "a919ea1c-9a09-4a9f-9021-ec68c1de2159",
            "projectID": "df64928216f740d3a6b84a66fa30b649",
        },
    });
    change(&mut spec);
    spec
}

#[test]
fn the_seed_applies_unchanged() {
    let config: OpenstackConfig = serde_saphyr::from_str(SEED).unwrap();
    let selection = config.selection().unwrap();
    assert_eq!(
        selection.key.to_string(),
        "multinic-system/openstackconfig-sample-contrabass-1"
    );
    assert_eq!(selection.cluster.as_str(), "f5861c22-b252-42b5-a0c5-cfb1d245c819");
    assert_eq!(selection.subnet, SubnetSelector::Id("subnet-uuid".parse().unwrap()));
    assert_eq!(selection.vms.len(), 3);
}

#[test]
fn without_a_cluster_id_the_provider_names_the_cluster() {
    for absent in [json!(null), json!("")] {
        let selection = config(&spec(|s| s["credentials"]["k8sProviderID"] = absent))
            .selection()
            .unwrap();
        assert_eq!(selection.cluster.as_str(), selection.provider.as_str());
    }
}

#[test]
fn the_name_is_used_only_without_an_id() {
    let by_name = spec(|s| {
        s["subnetID"] = json!("");
        s["subnetName"] = json!("test-sub");
    });
    assert_eq!(
        config(&by_name).selection().unwrap().subnet,
        SubnetSelector::Name("test-sub".to_owned())
    );
}

#[test]
fn every_refusal_names_its_field() {
    type Change = fn(&mut Value);
    let cases: [(Change, &str); 8] = [
        (
            |s| s["subnetID"] = json!(null),
            "spec: one of subnetID and subnetName is required",
        ),
        (
            |s| s["vmNames"] = json!([]),
            "spec.vmNames: 0 entries; expected 1 to 500",
        ),
        (|s| s["vmNames"] = json!(vec!["x"; 501]), "spec.vmNames: 501 entries"),
        (|s| s["vmNames"] = json!(["a", ""]), "spec.vmNames[1]: empty"),
        (
            |s| s["vmNames"] = json!(["a", "b", "a"]),
            "spec.vmNames[2]: \"a\" is already in the list",
        ),
        (
            |s| s["credentials"]["projectID"] = json!("biz"),
            "spec.credentials.projectID: failed to read \"biz\"",
        ),
        (
            |s| s["credentials"]["openstackProviderID"] = json!("a/b"),
            "spec.credentials.openstackProviderID: ",
        ),
        (|s| s["subnetID"] = json!("a b"), "spec.subnetID: "),
    ];
    for (change, message) in cases {
        let error = config(&spec(change)).selection().unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}

#[test]
fn the_cel_rule_asks_for_a_subnet() {
    let definition = serde_json::to_value(Crd::OpenstackConfig.definition()).unwrap();
    let schema = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let judge = |spec: Value| Validator::new().validate(schema, &json!({"spec": spec}), None);
    assert!(judge(spec(|_| ())).is_ok());
    assert!(
        judge(spec(|s| {
            s.as_object_mut().unwrap().remove("subnetID");
            s["subnetName"] = json!("x");
        }))
        .is_ok()
    );
    let errors = judge(spec(|s| {
        s.as_object_mut().unwrap().remove("subnetID");
    }))
    .unwrap_err();
    assert!(
        format!("{errors:?}").contains("one of subnetID and subnetName is required"),
        "{errors:?}"
    );
}

#[test]
fn the_schema_has_no_place_for_a_password() {
    let definition = serde_json::to_string(&Crd::OpenstackConfig.definition()).unwrap();
    for deprecated in [
        "dataPlatformDB",
        "username",
        "\"password\"",
        "domainName",
        "\"providerID\"",
    ] {
        assert!(!definition.contains(deprecated), "{deprecated}");
    }
}

/// A status with this many nodes of the longest usual words.
fn full_status(nodes: usize) -> OpenstackConfigStatus {
    let node = |number: usize| NodeStatus {
        vm: format!("biz-cluster-production-worker-pool-a-{number:04}.example.com"),
        instance_id: Some(format!("c0f9564b-a85c-4974-bbba-8ea9fbc7{number:04}").parse().unwrap()),
        node_name: Some(
            format!("biz-cluster-production-worker-pool-a-{number:04}.example.com")
                .parse()
                .unwrap(),
        ),
        interfaces: 16,
        state: "Delivered".to_owned(),
        finding: Some("PortStatusNotAllowed".to_owned()),
    };
    OpenstackConfigStatus {
        cluster_id: Some("f5861c22-b252-42b5-a0c5-cfb1d245c819".parse().unwrap()),
        nodes: (0..nodes).map(node).collect(),
        ..OpenstackConfigStatus::default()
    }
}

#[test]
fn a_full_status_stays_far_below_what_an_object_may_have() {
    let bytes = serde_json::to_vec(&full_status(500)).unwrap().len();
    assert!(bytes < 256 * 1024, "{bytes} bytes");
}

#[test]
fn a_status_comes_back_as_it_was_written() {
    let status = full_status(2);
    let json = serde_json::to_value(&status).unwrap();
    assert_eq!(json["clusterID"], "f5861c22-b252-42b5-a0c5-cfb1d245c819");
    assert_eq!(serde_json::from_value::<OpenstackConfigStatus>(json).unwrap(), status);
    let earlier: OpenstackConfigStatus = serde_json::from_value(json!({"nodes": []})).unwrap();
    assert_eq!(earlier.cluster_id, None, "a status of an earlier version");
}
