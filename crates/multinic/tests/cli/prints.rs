//! Subcommands that only print, and the documents that speak of them.

use std::path::Path;

use multinic_sync::settings::Settings;

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
        assert!(
            ran.code == 0 && ran.out.contains("doctor") && ran.out.contains("revisions"),
            "{shell}"
        );
    }
}

#[test]
fn help_has_examples() {
    let world = World::seed();
    for args in [
        &["--help"][..],
        &["plan", "--help"],
        &["sync", "--help"],
        &["operator", "--help"],
        &["get", "--help"],
        &["get", "nodes", "--help"],
    ] {
        assert!(world.run(args).out.contains("Example"), "{args:?}");
    }
}

/// The names that a section takes, as its own error lists them.
fn names_in(section: &str) -> Vec<String> {
    let unknown = match section {
        "" => "surprise: 1".to_owned(),
        section => format!(
            "{}: 1{}",
            section.replace('.', ": {") + ": {surprise",
            "}".repeat(section.matches('.').count() + 1)
        ),
    };
    let error = Settings::parse(&unknown).unwrap_err().to_string();
    let (_, names) = error
        .split_once("expected one of")
        .or_else(|| error.split_once("expected "))
        .unwrap();
    names.split('`').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

#[test]
fn both_readmes_explain_every_setting() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sections = [
        "contrabass",
        "contrabass.password",
        "openstack",
        "openstack.endpoints",
        "managementApi",
        "sync",
        "rabbitmq",
        "rabbitmq.queue",
    ];
    assert_eq!(names_in("").len(), 5);
    for name in ["README.md", "README.ko.md"] {
        let text = std::fs::read_to_string(root.join(name)).unwrap();
        for section in sections {
            let names = names_in(section);
            assert!(!names.is_empty(), "{section}");
            for setting in names
                .iter()
                .filter(|setting| !matches!(setting.as_str(), "timeout" | "tls" | "queue" | "endpoints"))
            {
                let path = format!("`{section}.{setting}`");
                assert!(
                    text.contains(&path) || text.contains(&format!("`.{setting}`")),
                    "{name} lacks {path}"
                );
            }
        }
        for shared in ["`*.timeout`", "`*.tls.caFile`", "`*.tls.insecureSkipVerify`"] {
            assert!(text.contains(shared), "{name} lacks {shared}");
        }
    }
}

#[test]
fn both_readmes_explain_every_finding() {
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
