//! Foreign bytes: the body of a POST. `MULTINIC_FUZZ_SECONDS=300` makes a long run.

use multinic_testing::fuzz;

use super::{Entry, parse};

const NODE: &str = r#"[{"nodeName": "worker-1", "instanceId": "i-1", "interfaces": [{"id": 1,
    "macAddress": "fa:16:3e:00:00:01", "address": "192.168.1.100", "cidr": "192.168.1.0/24", "mtu": 1450},
    {"id": 2, "macAddress": "fa:16:3e:00:00:02", "address": "fd00::2", "cidr": "fd00::/64", "mtu": 9000}], "revision": 7},
    {"nodeName": "worker-2", "instanceId": "i-2", "interfaces": []}]"#;

const MAX: usize = 50;

#[test]
fn a_body_may_be_anything() {
    fuzz::run(
        "node configs",
        &[NODE.as_bytes().to_vec(), b"[]".to_vec()],
        |bytes| match parse(bytes, MAX) {
            Ok(entries) => {
                assert!(entries.len() <= MAX);
                entries.iter().take(3).map(outcome).collect::<Vec<_>>().join(" ")
            }
            Err(problem) => {
                assert!([400, 413].contains(&problem.status) && !problem.errors.is_empty());
                problem.kind
            }
        },
    );
}

/// Bounded, on one line, and what is taken is free of contradictions.
fn outcome(entry: &Entry) -> String {
    match entry {
        Entry::Good(candidate) => {
            let interfaces = &candidate.config.interfaces;
            let ids: std::collections::BTreeSet<_> = interfaces.iter().map(|interface| interface.id).collect();
            let macs: std::collections::BTreeSet<_> =
                interfaces.iter().map(|interface| interface.mac_address).collect();
            assert_eq!((ids.len(), macs.len()), (interfaces.len(), interfaces.len()));
            format!("good {}", interfaces.len().min(3))
        }
        Entry::Bad { node_name, fault } => {
            let line = fault.line();
            assert!(
                line.chars().count() < 1_500 && !line.chars().any(char::is_control),
                "{line:?}"
            );
            assert!(node_name.chars().count() <= 253);
            fault.at.clone()
        }
    }
}
