//! Bad input: one line that names the place, the right exit code, nothing sent.

use multinic_lab::{CloudBuilder, SEED_PROVIDER, Service};

use crate::world::{SEED, World};

/// Edits the seed's resource, or the settings, and expects exit code 2 with a message before anything is sent.
fn refused(change: impl Fn(&World), message: &str) {
    let world = World::seed();
    change(&world);
    for command in ["plan", "sync", "doctor"] {
        let ran = world.run(&[command, "-f", "cr.yaml"]);
        let errors: Vec<_> = ran.err.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!((ran.code, errors.len()), (2, 1), "{command}: {}", ran.err);
        assert!(errors[0].contains(message), "{command}: {}", ran.err);
        assert!(world.nothing_was_sent(), "{command}");
    }
}

fn resource(from: &'static str, to: &'static str) -> impl Fn(&World) {
    assert!(SEED.contains(from), "{from}");
    move |world| world.write("cr.yaml", &SEED.replace(from, to))
}

fn settings(addition: &'static str) -> impl Fn(&World) {
    move |world| world.write("multinic.yaml", &format!("{}{addition}", world.settings()))
}

#[test]
fn an_unknown_setting() {
    refused(
        settings("openstack: {regoin: x}\n"),
        "multinic.yaml: failed to accept the settings: openstack.regoin: unknown",
    );
}

#[test]
fn a_bad_value_of_a_setting() {
    refused(
        settings("openstack: {interface: outer}\n"),
        "openstack.interface: unknown variant `outer`",
    );
}

#[test]
fn settings_that_are_no_yaml() {
    refused(
        settings("openstack: [\n"),
        "multinic.yaml: failed to read the settings as YAML: ",
    );
}

#[test]
fn a_missing_settings_file() {
    refused(
        |world| std::fs::remove_file(world.path("multinic.yaml")).unwrap(),
        "failed to read multinic.yaml",
    );
}

#[test]
fn a_secret_that_is_not_there() {
    refused(
        |world| std::fs::remove_file(world.path("contrabass.key")).unwrap(),
        "contrabass.password.key",
    );
}

#[test]
fn a_kubernetes_secret_without_kubernetes() {
    refused(
        |world| {
            let text = world.settings();
            let at = text.find("{key: {file").unwrap();
            let end = at + text[at..].find("}}").unwrap() + 2;
            world.write(
                "multinic.yaml",
                &text.replace(&text[at..end], "{key: {secret: s, key: k}}"),
            );
        },
        "there is no Kubernetes here; use {file: PATH} or {env: NAME}",
    );
}

#[test]
fn a_resource_that_is_no_yaml() {
    refused(
        |world| world.write("cr.yaml", "spec: ["),
        "cr.yaml: failed to read YAML: ",
    );
}

#[test]
fn no_resource_at_all() {
    refused(
        |world| world.write("cr.yaml", "kind: ConfigMap\napiVersion: v1\n"),
        "failed to find an OpenstackConfig",
    );
}

#[test]
fn a_project_id_that_is_none() {
    refused(
        resource("df64928216f740d3a6b84a66fa30b649", "biz"),
        "document 1: failed to accept the OpenstackConfig: spec.credentials.projectID: ",
    );
}

#[test]
fn a_malformed_uuid() {
    refused(
        resource(
            "df64928216f740d3a6b84a66fa30b649",
            "df649282-16f7-40d3-a6b8-4a66fa30b64",
        ),
        "spec.credentials.projectID: failed to read",
    );
}

#[test]
fn no_vms() {
    let names =
        "  vmNames:\n    - \"measure-biz-worker-2\"\n    - \"measure-biz-worker-3\"\n    - \"measure-biz-master-1\"\n";
    refused(
        resource(names, "  vmNames: []\n"),
        "spec.vmNames: 0 entries; expected 1 to 500",
    );
}

#[test]
fn a_file_of_five_megabytes() {
    refused(
        |world| world.write("cr.yaml", &format!("{SEED}\n#{}", "x".repeat(5_000_000))),
        "cr.yaml: it is larger than 4194304 bytes",
    );
}

#[test]
fn a_missing_file() {
    refused(
        |world| std::fs::remove_file(world.path("cr.yaml")).unwrap(),
        "failed to read cr.yaml: No such file or directory",
    );
}

#[test]
fn sync_has_to_deliver_somewhere() {
    let world = World::seed();
    let text = world.settings();
    let at = text.find("managementApi").unwrap();
    let end = text.find("sync:").unwrap();
    world.write("multinic.yaml", &text.replace(&text[at..end], ""));
    let ran = world.run(&["sync", "-f", "cr.yaml"]);
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("there is no managementApi"), "{}", ran.err);
    assert!(world.nothing_was_sent());
    assert_eq!(world.run(&["plan", "-f", "cr.yaml"]).code, 0);
}

#[test]
fn usage_that_is_wrong_is_two() {
    let world = World::seed();
    for args in [
        &["plan"][..],
        &["surprise"],
        &["sync", "-f", "cr.yaml", "--allow-mass-removal"],
        &[],
    ] {
        assert_eq!(world.run(args).code, 2, "{args:?}");
    }
    assert!(world.nothing_was_sent());
}

#[test]
fn a_wrong_key_is_one_and_opens_nothing() {
    let world = World::seed();
    world.write("contrabass.key", "not-the-key");
    let ran = world.run(&["sync", "-f", "cr.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.err.contains("failed to decrypt the provider's adminPw"),
        "{}",
        ran.err
    );
    assert!(world.receiver.posts().is_empty());
}

#[test]
fn an_unknown_project_is_one_after_one_attempt() {
    let world = World::seed();
    world.write(
        "cr.yaml",
        &SEED.replace("df64928216f740d3a6b84a66fa30b649", "df64928216f740d3a6b84a66fa30b640"),
    );
    let ran = world.run(&["sync", "-f", "cr.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("failed to log in at"), "{}", ran.err);
    let logins = world.lab.requests_to(Service::Keystone);
    assert_eq!(logins.iter().filter(|request| request.method == "POST").count(), 1);
    assert!(world.receiver.posts().is_empty());
}

#[test]
fn an_unreachable_keystone_is_one_and_names_it() {
    let world = World::new(
        CloudBuilder::new()
            .provider(SEED_PROVIDER)
            .keystone_url("http://127.0.0.1:1/v3"),
    );
    let ran = world.run(&["sync", "-f", "cr.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.err.contains("http://127.0.0.1:1/v3") && ran.err.contains("Connection refused"),
        "{}",
        ran.err
    );
    assert!(world.receiver.posts().is_empty());
}
