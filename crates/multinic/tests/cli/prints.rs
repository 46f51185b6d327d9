//! Subcommands that only print, and the demo.

use std::path::Path;

use crate::world::World;

#[test]
fn crd_prints_the_committed_files() {
    let world = World::seed();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/crds");
    for (kind, file) in [
        ("openstackconfig", "openstackconfigs.multinic.example.com.yaml"),
        ("multinicnodeconfig", "multinicnodeconfigs.multinic.io.yaml"),
    ] {
        let ran = world.run(&["crd", kind]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(ran.out, std::fs::read_to_string(folder.join(file)).unwrap());
    }
    assert!(world.run(&["crd"]).out.contains("\n---\n"));
}

#[test]
fn completions_know_the_subcommands() {
    let world = World::seed();
    for shell in ["bash", "zsh", "fish"] {
        let ran = world.run(&["completions", shell]);
        assert!(ran.code == 0 && ran.out.contains("doctor"), "{shell}");
    }
}

#[test]
fn help_has_examples() {
    let world = World::seed();
    for args in [&["--help"][..], &["plan", "--help"], &["sync", "--help"]] {
        assert!(world.run(args).out.contains("Example"), "{args:?}");
    }
}

#[test]
fn the_demo_ends_well_and_ids_stay() {
    let ran = World::seed().run(&["demo", "--once"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ran.out.matches("POST http://").count(), 2);
    assert_eq!(ran.out.matches("  kept\n").count(), 4, "{}", ran.out);
    assert_eq!(ran.out.matches("  new\n").count(), 1, "{}", ran.out);
}

#[test]
fn both_readmes_explain_every_finding_and_every_setting() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for name in ["README.md", "README.ko.md"] {
        let text = std::fs::read_to_string(root.join(name)).unwrap();
        for reason in multinic_planner::Reason::ALL {
            assert!(
                text.contains(&format!("| `{}` |", reason.as_str())),
                "{name} lacks {reason}"
            );
        }
    }
}
