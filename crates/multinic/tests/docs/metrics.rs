//! Every metric of a scrape is explained, and no other.

use std::{collections::BTreeSet, time::Duration};

use multinic_operator::observe::{Metrics, PassOutcome};

use crate::guide::{GUIDES, first_cells, read};

/// What a scrape shows, by the names that queries use.
pub fn names() -> BTreeSet<String> {
    // Some numbers are the runtime's.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _inside = runtime.enter();
    let metrics = Metrics::default();
    metrics.pass_finished(PassOutcome::Complete, Duration::ZERO);
    metrics.failure("login");
    metrics.delivered(1, 1);
    metrics.synced(&"cluster".parse().unwrap(), std::time::SystemTime::UNIX_EPOCH);
    let text = metrics.text().unwrap();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .map(|line| match line.split_once(' ').unwrap() {
            (name, "counter") => format!("{name}_total"),
            (name, "info") => format!("{name}_info"),
            (name, _) => name.to_owned(),
        })
        .collect()
}

#[test]
fn every_metric_is_explained_and_no_other() {
    let expected = names();
    assert!(expected.len() > 20, "{expected:?}");
    for guide in GUIDES {
        assert_eq!(
            first_cells(&read(guide), "(?:multinic|process)_[a-z_]+"),
            expected,
            "{guide}"
        );
    }
}
