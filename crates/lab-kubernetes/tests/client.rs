//! Round trips of kube-rs: what the operator does with the API.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use k8s_openapi::api::{
    coordination::v1::Lease,
    core::v1::{ConfigMap, Namespace, Secret},
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy},
};
use multinic_lab_kubernetes::{Fault, Matcher, Times};
use serde_json::{Value, json};
use support::{CONFIGS, NAMESPACE, client, client_of, code, config, configs, lab, status};

fn apply() -> PatchParams {
    PatchParams::apply("multinic-operator").force()
}

#[tokio::test]
async fn an_object_lives_from_its_creation_to_its_end() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    let created = configs.create(&PostParams::default(), &config("a")).await.unwrap();
    assert_eq!(created.metadata.generation, Some(1));
    assert_eq!(code(configs.create(&PostParams::default(), &config("a")).await), 409);

    let mut changed = configs.get("a").await.unwrap();
    changed.data["spec"]["vmNames"] = json!(["worker-1"]);
    let changed = configs.replace("a", &PostParams::default(), &changed).await.unwrap();
    assert_eq!(changed.metadata.generation, Some(2));
    assert_eq!(code(configs.replace("a", &PostParams::default(), &created).await), 409);

    let patched = configs
        .patch_status("a", &apply(), &Patch::Apply(status("ok")))
        .await
        .unwrap();
    assert_eq!(patched.metadata.generation, Some(2));
    assert_eq!(patched.data["status"]["conditions"][0]["message"], "ok");
    let again = configs
        .patch_status("a", &apply(), &Patch::Apply(status("ok")))
        .await
        .unwrap();
    assert_eq!(again.metadata.resource_version, patched.metadata.resource_version);

    assert!(configs.delete("a", &DeleteParams::default()).await.unwrap().is_right());
    assert_eq!(code(configs.get("a").await), 404);
}

#[tokio::test]
async fn a_finalizer_holds_what_is_deleted_until_it_goes() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    configs.create(&PostParams::default(), &config("a")).await.unwrap();
    let add = json!({"metadata": {"finalizers": ["multinic.example.com/withdraw"]}});
    configs
        .patch("a", &PatchParams::default(), &Patch::Merge(add))
        .await
        .unwrap();
    let deleted = configs
        .delete("a", &DeleteParams::background())
        .await
        .unwrap()
        .left()
        .unwrap();
    assert_eq!(deleted.metadata.generation, Some(2));
    let more = json!({"metadata": {"finalizers": ["multinic.example.com/withdraw", "other.example.com/x"]}});
    assert_eq!(
        code(configs.patch("a", &PatchParams::default(), &Patch::Merge(more)).await),
        422
    );

    let stale = json!({"metadata": {"finalizers": null, "resourceVersion": "1"}});
    assert_eq!(
        code(configs.patch("a", &PatchParams::default(), &Patch::Merge(stale)).await),
        409
    );
    let version = deleted.metadata.resource_version;
    let gone = json!({"metadata": {"finalizers": null, "resourceVersion": version}});
    configs
        .patch("a", &PatchParams::default(), &Patch::Merge(gone))
        .await
        .unwrap();
    assert_eq!(lab.get(CONFIGS, NAMESPACE, "a").unwrap(), None);
}

#[tokio::test]
async fn preconditions_of_deletions_hold() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    let created = configs.create(&PostParams::default(), &config("a")).await.unwrap();
    let with = |uid: Option<String>, resource_version: Option<String>| DeleteParams {
        preconditions: Some(Preconditions { uid, resource_version }),
        propagation_policy: Some(PropagationPolicy::Background),
        ..DeleteParams::default()
    };
    assert_eq!(
        code(configs.delete("a", &with(Some("other".to_owned()), None)).await),
        409
    );
    assert_eq!(code(configs.delete("a", &with(None, Some("1".to_owned()))).await), 409);
    configs
        .delete("a", &with(created.metadata.uid, created.metadata.resource_version))
        .await
        .unwrap();
}

#[tokio::test]
async fn two_leaders_cannot_both_hold_a_lease() {
    let lab = lab().await;
    let leases: Api<Lease> = Api::namespaced(client(&lab).await, NAMESPACE);
    let lease: Lease = serde_json::from_value(json!({
        "metadata": {"name": "multinic-operator"},
        "spec": {"holderIdentity": "a", "leaseDurationSeconds": 15, "renewTime": "2026-01-08T00:00:00.000000Z"},
    }))
    .unwrap();
    let held = leases.create(&PostParams::default(), &lease).await.unwrap();
    let mut renewed = held.clone();
    renewed.spec.as_mut().unwrap().holder_identity = Some("b".to_owned());
    leases
        .replace("multinic-operator", &PostParams::default(), &renewed)
        .await
        .unwrap();
    assert_eq!(
        code(leases.replace("multinic-operator", &PostParams::default(), &held).await),
        409
    );
    assert_eq!(code(leases.create(&PostParams::default(), &lease).await), 409);
}

#[tokio::test]
async fn secrets_keep_their_type_and_what_is_immutable_stays() {
    let lab = lab().await;
    let secrets: Api<Secret> = Api::namespaced(client(&lab).await, NAMESPACE);
    let secret = json!({"metadata": {"name": "s"}, "stringData": {"key": "value"}, "immutable": true});
    let created = secrets
        .create(&PostParams::default(), &serde_json::from_value(secret).unwrap())
        .await
        .unwrap();
    assert_eq!(created.data.unwrap()["key"].0, b"value");
    assert_eq!(created.type_.as_deref(), Some("Opaque"));
    for change in [
        json!({"type": "other"}),
        json!({"stringData": {"key": "new"}}),
        json!({"immutable": null}),
    ] {
        let refused = secrets
            .patch("s", &PatchParams::default(), &Patch::Merge(&change))
            .await;
        assert_eq!(code(refused), 422, "{change}");
    }
}

#[tokio::test]
async fn a_long_list_is_read_in_pages_of_one_moment() {
    let lab = lab().await;
    let client = client(&lab).await;
    let maps: Api<ConfigMap> = Api::namespaced(client.clone(), NAMESPACE);
    for index in 0..7 {
        lab.apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": format!("m{index}"), "namespace": NAMESPACE}})).unwrap();
    }
    let first = maps.list(&ListParams::default().limit(3)).await.unwrap();
    assert_eq!(first.metadata.remaining_item_count, Some(4));
    lab.delete("configmaps", NAMESPACE, "m5").unwrap();
    let token = first.metadata.continue_.unwrap();
    let rest = maps.list(&ListParams::default().continue_token(&token)).await.unwrap();
    let names: Vec<_> = rest
        .items
        .iter()
        .map(|map| map.metadata.name.clone().unwrap())
        .collect();
    assert_eq!(names, ["m3", "m4", "m5", "m6"]);
    assert_eq!(rest.metadata.resource_version, first.metadata.resource_version);
    lab.compact();
    assert_eq!(
        code(maps.list(&ListParams::default().continue_token(&token)).await),
        410
    );
}

#[tokio::test]
async fn a_namespace_ends_when_its_contents_have_ended() {
    let lab = lab().await;
    let client = client(&lab).await;
    let (namespaces, configs): (Api<Namespace>, _) = (Api::all(client.clone()), configs(&client));
    configs.create(&PostParams::default(), &config("a")).await.unwrap();
    let finalizer = json!({"metadata": {"finalizers": ["multinic.example.com/withdraw"]}});
    configs
        .patch("a", &PatchParams::default(), &Patch::Merge(finalizer))
        .await
        .unwrap();
    configs.create(&PostParams::default(), &config("b")).await.unwrap();

    let ending = namespaces
        .delete(NAMESPACE, &DeleteParams::default())
        .await
        .unwrap()
        .left()
        .unwrap();
    assert_eq!(ending.status.unwrap().phase.as_deref(), Some("Terminating"));
    assert_eq!(lab.get(CONFIGS, NAMESPACE, "b").unwrap(), None);
    assert!(configs.get("a").await.unwrap().metadata.deletion_timestamp.is_some());
    assert_eq!(code(configs.create(&PostParams::default(), &config("c")).await), 403);

    configs
        .patch(
            "a",
            &PatchParams::default(),
            &Patch::Merge(json!({"metadata": {"finalizers": null}})),
        )
        .await
        .unwrap();
    lab.until("namespaces", "", NAMESPACE, |namespace| namespace.is_none())
        .await
        .unwrap();
    assert_eq!(code(configs.create(&PostParams::default(), &config("c")).await), 404);
}

#[tokio::test]
async fn a_definition_ends_with_its_objects_and_can_come_again() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    configs.create(&PostParams::default(), &config("a")).await.unwrap();
    assert!(
        lab.delete("customresourcedefinitions.apiextensions.k8s.io", "", CONFIGS)
            .unwrap()
    );
    assert_eq!(code(configs.list(&ListParams::default()).await), 404);
    lab.apply_yaml(support::DEFINITION).unwrap();
    assert!(configs.list(&ListParams::default()).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn unknown_users_are_refused_and_known_ones_are_named_in_the_log() {
    let lab = lab().await;
    assert_eq!(
        code(
            configs(&client_of(&lab, "nobody").await)
                .list(&ListParams::default())
                .await
        ),
        401
    );
    let configs = configs(&client(&lab).await);
    configs
        .patch("a", &apply(), &Patch::Apply(support::config_json("a")))
        .await
        .unwrap();
    let requests = lab.requests();
    assert_eq!(requests[0].status, 401);
    assert_eq!(requests[0].user, "");
    let last = requests.last().unwrap();
    assert_eq!(
        (last.user.as_str(), last.resource.as_str(), last.name.as_str()),
        ("operator", "openstackconfigs", "a")
    );
    assert_eq!(last.verbs(), ["patch", "create"]);
}

#[tokio::test]
async fn faults_meet_the_requests_they_are_meant_for() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    lab.fail(
        Matcher::any().verb("list").user("operator"),
        Fault::Status(500),
        Times::N(1),
    );
    assert_eq!(code(configs.list(&ListParams::default()).await), 500);
    configs.list(&ListParams::default()).await.unwrap();

    lab.fail(
        Matcher::any().verb("get").name("none").nth(2),
        Fault::Status(500),
        Times::N(1),
    );
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(code(configs.get("none").await));
    }
    assert_eq!(codes, [404, 500, 404]);

    lab.fail(Matcher::any().verb("create"), Fault::Reset, Times::Always);
    assert!(!matches!(
        configs.create(&PostParams::default(), &config("a")).await,
        Ok(_) | Err(kube::Error::Api(_))
    ));
    lab.clear_faults();
    configs.create(&PostParams::default(), &config("a")).await.unwrap();
}

#[tokio::test]
async fn an_outage_ends_with_everything_as_it_was() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    let created = configs.create(&PostParams::default(), &config("a")).await.unwrap();
    lab.stop().await;
    assert!(!matches!(configs.get("a").await, Ok(_) | Err(kube::Error::Api(_))));
    lab.start().await.unwrap();
    assert_eq!(configs.get("a").await.unwrap(), created);
}

#[tokio::test]
async fn what_is_waited_for_in_vain_is_said_to_be_so() {
    let builder = multinic_lab_kubernetes::KubernetesLab::builder().patience(Duration::ZERO);
    let lab = support::lab_of(builder).await;
    let error = lab
        .until(CONFIGS, NAMESPACE, "a", |config| config.is_some())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("openstackconfigs.multinic.example.com multinic-system/a"),
        "{error}"
    );
    assert!(lab.until("nothing.example.com", "", "a", |_| true).await.is_err());
}

#[tokio::test]
async fn a_write_that_only_shall_be_tried_changes_nothing() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    let before = lab.revision();
    let dry = PostParams {
        dry_run: true,
        field_manager: None,
    };
    configs.create(&dry, &config("a")).await.unwrap();
    assert_eq!(
        (lab.revision(), lab.get(CONFIGS, NAMESPACE, "a").unwrap()),
        (before, None)
    );
}

#[tokio::test]
async fn fields_that_are_no_longer_applied_go() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    configs
        .patch("a", &apply(), &Patch::Apply(support::config_json("a")))
        .await
        .unwrap();
    let mut less = support::config_json("a");
    less["spec"]["subnetName"] = json!("by-name");
    less["spec"].as_object_mut().unwrap().remove("subnetID");
    less["spec"]["vmNames"] = json!(["worker-2"]);
    let applied = configs.patch("a", &apply(), &Patch::Apply(&less)).await.unwrap();
    assert_eq!(applied.data["spec"], less["spec"]);

    let other = json!({
        "apiVersion": "multinic.example.com/v1alpha1", "kind": "OpenstackConfig",
        "spec": {"subnetName": "other"},
    });
    let refused = configs
        .patch("a", &PatchParams::apply("someone"), &Patch::Apply(&other))
        .await;
    assert_eq!(code(refused), 409);
    let forced = configs
        .patch("a", &PatchParams::apply("someone").force(), &Patch::Apply(&other))
        .await
        .unwrap();
    assert_eq!(forced.data["spec"]["subnetName"], "other");
    // What was taken away is not removed by its first owner, who no longer owns it.
    less["spec"].as_object_mut().unwrap().remove("subnetName");
    let kept = configs.patch("a", &apply(), &Patch::Apply(&less)).await.unwrap();
    assert_eq!(kept.data["spec"]["subnetName"], "other");
}

#[tokio::test]
async fn events_are_the_same_in_both_of_their_groups() {
    let lab = lab().await;
    let client = client(&lab).await;
    let new: Api<k8s_openapi::api::events::v1::Event> = Api::namespaced(client.clone(), NAMESPACE);
    let core: Api<k8s_openapi::api::core::v1::Event> = Api::namespaced(client, NAMESPACE);
    let mut event = json!({
        "metadata": {"name": "e"}, "eventTime": "2026-01-08T00:00:00.000000Z", "reportingController": "multinic-operator",
        "reportingInstance": "pod-1", "action": "Reconciling", "reason": "VMNotFound", "type": "Warning", "note": "gone",
        "regarding": {"kind": "OpenstackConfig", "name": "a", "namespace": NAMESPACE},
    });
    let parse = |event: &Value| serde_json::from_value(event.clone()).unwrap();
    new.create(&PostParams::default(), &parse(&event)).await.unwrap();
    let seen = core
        .list(&ListParams::default().fields("involvedObject.name=a"))
        .await
        .unwrap()
        .items;
    assert_eq!(seen[0].message.as_deref(), Some("gone"));
    event["metadata"]["name"] = json!("f");
    event["action"] = json!("");
    assert_eq!(code(new.create(&PostParams::default(), &parse(&event)).await), 422);
}

#[tokio::test]
async fn an_answer_can_be_held_back_though_the_write_has_happened() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    lab.fail(Matcher::any().verb("create"), Fault::AnswerHeld, Times::N(1));
    let (parameters, config) = (PostParams::default(), config("a"));
    let create = configs.create(&parameters, &config);
    let written = lab.until(CONFIGS, NAMESPACE, "a", |config| config.is_some());
    tokio::select! {
        _ = create => panic!("it was answered"),
        written = written => drop(written.unwrap()),
    }
    lab.fail(Matcher::any().verb("get"), Fault::Hang, Times::N(1));
    let asked = lab.until_requests(|requests| requests.iter().any(|request| request.verb == "get" && request.faulted));
    tokio::select! {
        _ = configs.get("a") => panic!("it was answered"),
        () = asked => {}
    }
}
