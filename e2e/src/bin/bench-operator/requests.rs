//! What the operator asked, from the logs of the simulators.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use multinic_lab::{LoggedRequest, Service};
use stage::{Failure, Stage};

use crate::fleet::Fleet;

/// The requests since the start of the operator.
pub fn print_cold(stage: &Stage, fleet: &Fleet) {
    let requests = stage.lab.requests();
    println!(
        "requests to Contrabass and OpenStack until then: {} ({})",
        requests.len(),
        kinds(&requests)
    );
    println!("limit: {}", limit(fleet, pages(&requests)));
    println!("POSTs: {}", stage.receiver.posts().len());
    println!("requests to Kubernetes: {}", kubernetes(stage));
}

/// The requests of some resyncs.
pub fn print_resyncs(stage: &Stage, fleet: &Fleet, rounds: u32) {
    let requests = stage.lab.requests();
    let rounds = rounds as usize;
    println!(
        "requests to Contrabass and OpenStack per interval: {} (limit {}; {})",
        requests.len() / rounds,
        limit(fleet, pages(&requests) / rounds),
        kinds(&requests)
    );
}

/// 4 for each project, the further pages, and one for each subnet.
fn limit(fleet: &Fleet, pages: usize) -> usize {
    4 * fleet.projects + pages + fleet.clusters
}

fn pages(requests: &[LoggedRequest]) -> usize {
    requests
        .iter()
        .filter(|request| request.query().contains("marker="))
        .count()
}

fn kinds(requests: &[LoggedRequest]) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for request in requests {
        let last = request.path().rsplit('/').next().unwrap_or_default();
        let what = match request.service {
            Service::Contrabass | Service::ManagementApi => "provider",
            _ => last,
        };
        let page = if request.query().contains("marker=") {
            ", further pages"
        } else {
            ""
        };
        *kinds.entry(format!("{what}{page}")).or_default() += 1;
    }
    let lines: Vec<_> = kinds
        .into_iter()
        .map(|(kind, count)| format!("{kind}: {count}"))
        .collect();
    lines.join("; ")
}

fn kubernetes(stage: &Stage) -> String {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for request in stage.kubernetes.requests() {
        let slash = if request.subresource.is_empty() { "" } else { "/" };
        let kind = format!("{} {}{slash}{}", request.verb, request.resource, request.subresource);
        *kinds.entry(kind).or_default() += 1;
    }
    let lines: Vec<_> = kinds
        .into_iter()
        .map(|(kind, count)| format!("{kind}: {count}"))
        .collect();
    lines.join("; ")
}

/// Waits for a POST with that MAC since that moment.
pub async fn until_posted(stage: &Stage, mac: &str, since: SystemTime) {
    let is_there = |requests: &[LoggedRequest]| {
        let mut newest_first = requests.iter().rev().take_while(|request| request.at > since);
        newest_first.any(|request| request.body.contains(mac))
    };
    stage.receiver.until(is_there).await;
}

/// From the first answer about the subnet's ports since `attached` to the first POST with that MAC.
pub fn delay(stage: &Stage, subnet: &str, mac: &str, attached: SystemTime) -> Result<Duration, Failure> {
    let is_reading = |request: &LoggedRequest| {
        request.path().ends_with("/ports") && request.query().contains(subnet) && request.at >= attached
    };
    let readings = stage.lab.requests();
    let read = readings
        .iter()
        .find(|request| is_reading(request))
        .ok_or("no reading shows the port")?;
    let posts = stage.receiver.requests();
    let mut posts = posts
        .iter()
        .filter(|request| request.method == "POST" && request.at >= attached);
    let post = posts.find(|request| request.body.contains(mac)).ok_or("no POST")?;
    Ok(post.at.duration_since(read.at)?)
}
