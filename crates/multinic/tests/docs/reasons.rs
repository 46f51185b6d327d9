//! Every reason of a condition or an Event is explained, and no other.

use std::collections::BTreeSet;

use multinic_operator::status::reason::Reason;
use multinic_planner::Reason as Finding;

use crate::guide::{GUIDES, first_cells, read};

/// The conditions, and Events that are about no condition.
const OTHERS: [&str; 11] = [
    "CredentialsResolved",
    "CloudReachable",
    "Resolved",
    "Delivered",
    "Ready",
    "EventSource",
    "FindingResolved",
    "RemovalQueued",
    "RemovalDelivered",
    "RemovalLost",
    "SettingsAccepted",
];

#[test]
fn every_reason_is_explained_and_no_other() {
    let findings: BTreeSet<&str> = Finding::ALL.iter().map(|finding| finding.as_str()).collect();
    let words = Reason::all()
        .map(Reason::as_str)
        .filter(|reason| !findings.contains(reason));
    let expected: BTreeSet<String> = words.chain(OTHERS).map(ToOwned::to_owned).collect();
    for guide in GUIDES {
        assert_eq!(first_cells(&read(guide), "[A-Z][A-Za-z]+"), expected, "{guide}");
    }
}
