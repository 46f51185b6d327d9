//! How single values read in a table.

use jiff::Timestamp;
use multinic_api_client::views::{Delivery, Node, Report};

/// To the second, in UTC.
pub fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Empty without one.
pub fn maybe<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// The state; of one that fails also how often.
pub fn delivery(delivery: &Delivery) -> String {
    if delivery.state == "failing" && delivery.attempts > 0 {
        return format!("failing ({})", delivery.attempts);
    }
    delivery.state.clone()
}

/// The agent's state, and whether it speaks of an older revision.
pub fn agent(node: &Node) -> String {
    let Some(report) = &node.status else {
        return String::new();
    };
    let state = report.state.as_deref().unwrap_or("unknown");
    if is_outdated(report, node) {
        return format!("{state} (outdated)");
    }
    state.to_owned()
}

/// Whether the report speaks of an older revision than the one in force.
pub fn is_outdated(report: &Report, node: &Node) -> bool {
    let observed = report
        .observed_generation
        .and_then(|observed| u64::try_from(observed).ok());
    matches!((observed, node.revision), (Some(observed), Some(revision)) if observed < revision)
}
