//! Every metric of a scrape is explained, and no other.

use std::{collections::BTreeSet, time::Duration};

use multinic_notifications::{EventKind, MessageOutcome};
use multinic_operator::observe::{LinkNumbers, Metrics, PassOutcome};

use crate::guide::{API_GUIDES, GUIDES, first_cells, read};

/// What a scrape of the operator shows, by the names that queries use.
pub fn names() -> BTreeSet<String> {
    // Some numbers are the runtime's.
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _inside = runtime.enter();
    let metrics = Metrics::default();
    metrics.pass_finished(PassOutcome::Complete, Duration::ZERO);
    metrics.failure("login");
    metrics.delivered(1, 1);
    metrics.synced(&"cluster".parse().unwrap(), std::time::SystemTime::UNIX_EPOCH);
    let link = LinkNumbers {
        connected: true,
        absent_exchanges: 0,
    };
    let notifications = metrics.notifications();
    notifications.links(&"provider".parse().unwrap(), Some(link));
    notifications.connection("connected");
    notifications.message(EventKind::Server, MessageOutcome::Hint, None);
    notifications.concerned(1, 1);
    in_queries(&metrics.text().unwrap())
}

/// The same of the management API.
pub fn api_names() -> BTreeSet<String> {
    in_queries(&multinic_management_api::sample_metrics().unwrap())
}

fn in_queries(text: &str) -> BTreeSet<String> {
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
    let (operator, api) = (names(), api_names());
    assert!(operator.len() > 20 && api.len() > 5, "{operator:?} {api:?}");
    let guides = GUIDES.map(|guide| (guide, &operator));
    for (guide, expected) in guides.into_iter().chain(API_GUIDES.map(|guide| (guide, &api))) {
        assert_eq!(
            first_cells(&read(guide), "(?:multinic|process)_[a-z_]+"),
            *expected,
            "{guide}"
        );
    }
}
