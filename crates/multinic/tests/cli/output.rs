//! What is printed where, and the exit codes of a pass.

use serde_json::{Value, json};

use crate::world::{SEED, World};

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn plan_prints_exactly_the_bodies_that_sync_posts() {
    let world = World::seed();
    let planned = world.run(&["plan", "-f", "cr.yaml", "-o", "json"]);
    assert_eq!(planned.code, 0, "{}", planned.err);
    assert!(world.receiver.posts().is_empty(), "plan sends nothing");
    let synced = world.run(&["sync", "-f", "cr.yaml", "-o", "json"]);
    assert_eq!(synced.code, 0, "{}", synced.err);
    let posts = world.receiver.posts();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].cluster, "f5861c22-b252-42b5-a0c5-cfb1d245c819");
    let expected = json!({ posts[0].cluster.as_str(): posts[0].json() });
    assert_eq!(parse(&planned.out), expected);
    assert_eq!(parse(&synced.out), expected);
    assert_eq!(planned.err, "");
}

#[test]
fn the_body_has_the_contract_s_keys_and_no_other() {
    let world = World::seed();
    world.run(&["sync", "-f", "cr.yaml"]);
    let body = world.receiver.posts()[0].json();
    let keys = |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    for node in body.as_array().unwrap() {
        assert_eq!(keys(node), ["instanceId", "interfaces", "nodeName"]);
        for interface in node["interfaces"].as_array().unwrap() {
            assert_eq!(keys(interface), ["address", "cidr", "id", "macAddress", "mtu"]);
        }
    }
}

#[test]
fn an_unchanged_cluster_is_not_sent_again_and_all_shows_it() {
    let world = World::seed();
    assert_eq!(world.run(&["sync", "-f", "cr.yaml"]).code, 0);
    let again = world.run(&["sync", "-f", "cr.yaml"]);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(world.receiver.posts().len(), 1);
    let cluster = "f5861c22-b252-42b5-a0c5-cfb1d245c819";
    assert_eq!(
        parse(&world.run(&["plan", "-f", "cr.yaml", "-o", "json"]).out),
        json!({ cluster: [] })
    );
    let all = parse(&world.run(&["plan", "-f", "cr.yaml", "-o", "json", "--all"]).out);
    assert_eq!(all, json!({ cluster: world.receiver.posts()[0].json() }));
}

#[test]
fn standard_input_and_several_files_work_alike() {
    let world = World::seed();
    world.write(
        "other.yaml",
        &SEED.replace("openstackconfig-sample-contrabass-1", "other"),
    );
    let files = world.run(&["plan", "-f", "cr.yaml", "-f", "other.yaml", "-o", "json"]);
    let both = format!(
        "{SEED}\n---\n{}",
        SEED.replace("openstackconfig-sample-contrabass-1", "other")
    );
    let stdin = world.run_with(&both, &["plan", "-f", "-", "-o", "json"], &[]);
    assert_eq!((files.code, stdin.code), (0, 0), "{} {}", files.err, stdin.err);
    assert_eq!(files.out, stdin.out);
}

#[test]
fn findings_decide_between_zero_and_three() {
    let world = World::seed();
    world.write("cr.yaml", &SEED.replace("measure-biz-worker-3", "nobody"));
    let ran = world.run(&["sync", "-f", "cr.yaml"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.starts_with("error: VMNotFound: nobody: "), "{}", ran.err);
    assert_eq!(
        world.receiver.posts()[0].json().as_array().unwrap().len(),
        2,
        "the others go on"
    );
}

#[test]
fn warnings_count_with_strict_only() {
    let world = World::seed();
    let port = world.lab.cloud().ports_of("measure-biz-worker-2").unwrap();
    assert_eq!(world.run(&["sync", "-f", "cr.yaml"]).code, 0);
    let interfaces = |world: &World| {
        let nodes = world.receiver.node_configs("f5861c22-b252-42b5-a0c5-cfb1d245c819");
        nodes
            .as_object()
            .unwrap()
            .values()
            .map(|node| node["interfaces"].as_array().unwrap().len())
            .sum::<usize>()
    };
    let before = interfaces(&world);
    for port in port {
        world.lab.cloud().detach_port(&port).unwrap();
    }
    let kept = world.run(&["sync", "-f", "cr.yaml"]);
    assert_eq!(kept.code, 0, "{}", kept.err);
    assert!(kept.err.contains("warning: InterfaceKept: "), "{}", kept.err);
    assert_eq!(world.run(&["sync", "-f", "cr.yaml", "--strict"]).code, 3);
    assert_eq!(interfaces(&world), before);
    let pruned = world.run(&["sync", "-f", "cr.yaml", "--prune"]);
    assert_eq!(pruned.code, 0, "{}", pruned.err);
    assert!(interfaces(&world) < before);
}

#[test]
fn piped_output_has_no_progress_and_no_colour() {
    let world = World::seed();
    for args in [
        &["plan", "-f", "cr.yaml"][..],
        &["sync", "-f", "cr.yaml"],
        &["doctor", "-f", "cr.yaml"],
    ] {
        let ran = world.run(args);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{args:?}");
        assert!(!ran.err.contains("reading"), "{}", ran.err);
    }
}

#[test]
fn a_node_that_the_server_rejects_fails_alone() {
    let world = World::seed();
    world.receiver.reject("measure-biz-worker-2", "the address is taken");
    let ran = world.run(&["sync", "-f", "cr.yaml"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(
        ran.err
            .contains("node measure-biz-worker-2 was not delivered: the address is taken"),
        "{}",
        ran.err
    );
    let nodes = world.receiver.node_configs("f5861c22-b252-42b5-a0c5-cfb1d245c819");
    assert_eq!(nodes.as_object().unwrap().len(), 2);
}

#[test]
fn the_table_names_every_interface() {
    let ran = World::seed().run(&["plan", "-f", "cr.yaml"]);
    for text in [
        "NODE",
        "measure-biz-master-1",
        "fa:16:3e:",
        "192.168.10.0/24",
        "1450",
        "create",
    ] {
        assert!(ran.out.contains(text), "{text}: {}", ran.out);
    }
}
