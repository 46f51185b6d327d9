//! What a report says, in the words of a test.

use multinic_sync::Report;

/// Reasons and subjects of all findings of a report, in its order.
pub fn findings(report: &Report) -> Vec<(String, String)> {
    let plans = report.clusters.values().flat_map(|cluster| &cluster.plan.findings);
    plans
        .map(|finding| (finding.reason.as_str().to_owned(), finding.subject.clone()))
        .collect()
}

/// The reasons alone, without repetitions.
pub fn reasons(report: &Report) -> Vec<String> {
    let mut reasons: Vec<_> = findings(report).into_iter().map(|(reason, _)| reason).collect();
    reasons.sort();
    reasons.dedup();
    reasons
}
