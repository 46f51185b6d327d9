//! The demo: the operator's whole story, with and without kubectl.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::world::{Ran, SEED, World};

/// The story that every demo tells.
fn assert_story(ran: &Ran) {
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(
        ran.out.contains(SEED),
        "the seed's resource, word for word\n{}",
        ran.out
    );
    for columns in [
        "READY   NODES   INTERFACES   LAST-SYNC",
        " True    3       4 ",
        " True    3       5 ",
    ] {
        assert!(ran.out.contains(columns), "{columns:?} is missing in\n{}", ran.out);
    }
    assert_eq!(ran.out.matches("  kept\n").count(), 4, "{}", ran.out);
    assert_eq!(ran.out.matches("  new\n").count(), 1, "{}", ran.out);
    let posts = posts(&ran.out);
    let interfaces: Vec<Vec<usize>> = posts.iter().map(interfaces).collect();
    assert_eq!(interfaces, [vec![1, 2, 1], vec![3], vec![0, 0, 0]], "{}", ran.out);
}

/// The bodies as they are shown.
fn posts(out: &str) -> Vec<Value> {
    let shown = out.split("\nPOST http://").skip(1);
    shown
        .map(|post| {
            let body = post.split("\n\n").nth(1).unwrap();
            serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
        })
        .collect()
}

/// How many each node of a body has.
fn interfaces(body: &Value) -> Vec<usize> {
    let nodes = body.as_array().unwrap().iter();
    nodes.map(|node| node["interfaces"].as_array().unwrap().len()).collect()
}

#[test]
fn the_demo_tells_its_story_with_the_kubectl_of_this_machine() {
    let ran = World::seed().run(&["demo", "--once"]);
    assert_story(&ran);
    assert!(
        ran.out
            .contains("openstackconfig.multinic.example.com/openstackconfig-sample-contrabass-1 created"),
        "{}",
        ran.out
    );
}

#[test]
fn the_demo_needs_no_kubectl() {
    let ran = World::seed().run_with("", &["demo", "--once"], &[("PATH", "/nonexistent")]);
    assert_story(&ran);
    assert!(ran.out.contains("no kubectl on this machine"), "{}", ran.out);
}

#[test]
fn without_once_it_keeps_running_until_it_is_interrupted() {
    let mut demo = Command::new(env!("CARGO_BIN_EXE_multinic"))
        .arg("demo")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map(Result::unwrap);
    let get = lines.find(|line| line.starts_with("kubectl ") && line.ends_with(" get openstackconfigs -A"));
    let get: Vec<String> = get.unwrap().split(' ').map(ToOwned::to_owned).collect();
    let delete = lines.find(|line| line.starts_with("kubectl ") && line.contains(" delete "));
    let delete = delete.unwrap().split('#').next().unwrap().trim().to_owned();
    lines.find(|line| line.starts_with("multinic doctor ")).unwrap();

    let got = Command::new(&get[0]).args(&get[1..]).output().unwrap();
    let got = String::from_utf8(got.stdout).unwrap();
    assert!(got.contains("openstackconfig-sample-contrabass-1   True"), "{got}");
    let mut deleting = Command::new("sh").args(["-c", &delete]).spawn().unwrap();
    lines.find(|line| line.contains("\"interfaces\":[]")).unwrap();
    assert!(deleting.wait().unwrap().success());

    let interrupt = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", demo.id())])
        .status();
    assert!(interrupt.unwrap().success());
    assert_eq!(demo.wait().unwrap().code(), Some(0));
}
