//! The demo: the whole story from the custom resource to the object in the workload cluster, with and without kubectl.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use crate::world::{Ran, SEED, World};

/// The story that every demo tells.
fn assert_story(ran: &Ran) {
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(
        ran.out.contains(SEED),
        "the seed's resource, word for word\n{}",
        ran.out
    );
    for part in [
        "READY   NODES   INTERFACES   LAST-SYNC",
        " True    3       4 ",
        " True    3       5 ",
        " True    1       1 ",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing in\n{}", ran.out);
    }
    let delivered = lines(ran, "   delivered   ");
    let counts: Vec<&str> = delivered
        .iter()
        .map(|line| line.split_whitespace().nth(2).unwrap())
        .collect();
    assert_eq!(counts, ["1", "2", "1", "0", "0", "0"], "{}", ran.out);
    assert_eq!(
        lines(ran, "+ 3 fa:16:3e:").len(),
        1,
        "the new port, and nothing else changed\n{}",
        ran.out
    );
    assert!(
        !ran.out.contains(" ~ ") && !ran.out.contains(" - 1 "),
        "ids stay\n{}",
        ran.out
    );
    let links: Vec<&str> = lines(ran, "measure-biz-worker-2   ")
        .into_iter()
        .filter(|line| !line.contains("   delivered   "))
        .collect();
    assert!(
        links.iter().any(|line| line.contains("multinic1,multinic2,multinic3")),
        "{links:?}"
    );
    assert!(links.last().unwrap().contains("<none>"), "{links:?}");
    assert_eq!(lines(ran, "edge-worker-1   edge-worker-1").len(), 1, "{}", ran.out);
}

fn lines<'a>(ran: &'a Ran, part: &str) -> Vec<&'a str> {
    ran.out.lines().filter(|line| line.contains(part)).collect()
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
    let nodes = lines.find(|line| line.starts_with("multinic get nodes ")).unwrap();
    lines.find(|line| line.starts_with("multinic doctor ")).unwrap();

    let got = Command::new(&get[0]).args(&get[1..]).output().unwrap();
    let got = String::from_utf8(got.stdout).unwrap();
    assert!(got.contains("openstackconfig-sample-contrabass-1   True"), "{got}");
    let nodes = Command::new(env!("CARGO_BIN_EXE_multinic"))
        .args(nodes.split(' ').skip(1))
        .output()
        .unwrap();
    let nodes = String::from_utf8(nodes.stdout).unwrap();
    assert!(nodes.contains("measure-biz-worker-2"), "{nodes}");
    let mut deleting = Command::new("sh").args(["-c", &delete]).spawn().unwrap();
    lines
        .find(|line| line.starts_with("updated measure-biz-") && line.ends_with(" 0 interface(s)"))
        .unwrap();
    assert!(deleting.wait().unwrap().success());

    let interrupt = Command::new("sh")
        .args(["-c", &format!("kill -INT {}", demo.id())])
        .status();
    assert!(interrupt.unwrap().success());
    assert_eq!(demo.wait().unwrap().code(), Some(0));
}
