//! `multinic get node NAME`: one node in full.

use std::fmt::Write;

use multinic_api_client::{
    ApiReader, printable,
    views::{Change, Interface, InterfaceReport, Node, Report},
};
use multinic_model::ClusterId;
use serde_json::Value;

use super::{cells, connect::cluster, explain::explain, revisions::History};
use crate::{
    cli::{OutputFormat, get::NodeArgs},
    failure::Failure,
    output::{
        columns::Columns,
        items::{view, whole},
        print,
    },
};

/// How many of the last revisions are shown.
const REVISIONS: u32 = 5;

/// Shows the node.
pub async fn run(reader: &ApiReader, args: &NodeArgs, format: OutputFormat) -> Result<(), Failure> {
    let cluster = cluster(reader, &args.provider).await?;
    let node: Value = reader.node(&cluster, &args.name).await.map_err(explain)?;
    if format != OutputFormat::Table {
        return print(&whole(&node, format)?);
    }
    let node: Node = view(node)?;
    let mut text = head(&cluster, &node);
    text += "\nInterfaces\n";
    text += &indent(&interfaces(&node));
    if let Some(report) = &node.status {
        text += &conditions(report);
    }
    print(&text)?;
    let history = history(reader, &cluster, args).await?;
    print(&history.map_or_else(String::new, |history| format!("\nLast revisions\n{}", indent(&history))))
}

fn head(cluster: &ClusterId, node: &Node) -> String {
    let revision = match (node.revision, node.created_at, node.updated_at) {
        (Some(revision), Some(created), Some(updated)) => {
            let (created, updated) = (cells::time(created), cells::time(updated));
            format!("{revision}, since {updated}; the node was taken in at {created}")
        }
        (revision, _, updated) => format!("{} {}", cells::maybe(revision), cells::maybe(updated.map(cells::time))),
    };
    let lines = [
        ("Node", node.node_name.clone()),
        ("Provider", cluster.to_string()),
        ("Instance", node.instance_id.clone()),
        ("Revision", revision),
        ("Delivery", delivery(node)),
        ("Agent", agent(node)),
    ];
    lines.into_iter().fold(String::new(), |mut text, (name, value)| {
        let _ = writeln!(text, "{:<11}{}", format!("{name}:"), printable(&value));
        text
    })
}

fn delivery(node: &Node) -> String {
    let Some(delivery) = &node.delivery else {
        return "unknown".to_owned();
    };
    if delivery.state == "off" {
        return "off: nothing is put into this cluster, its agents ask the management API".to_owned();
    }
    let delivered = match (delivery.delivered_revision, delivery.delivered_at) {
        (Some(revision), Some(at)) => format!("; the cluster has revision {revision} since {}", cells::time(at)),
        _ => "; the cluster has none of it yet".to_owned(),
    };
    let tried = match delivery.attempts {
        0 => String::new(),
        attempts => format!(" after {attempts} attempt(s)"),
    };
    let next = delivery.next_attempt_at.filter(|_| delivery.state == "failing");
    let next = next
        .map(|at| format!(", next attempt at {}", cells::time(at)))
        .unwrap_or_default();
    let error = delivery
        .last_error
        .as_ref()
        .map(|error| format!(": {error}"))
        .unwrap_or_default();
    format!("{}{tried}{next}{error}{delivered}", delivery.state)
}

fn agent(node: &Node) -> String {
    let Some(report) = &node.status else {
        return "no report yet".to_owned();
    };
    let state = report.state.as_deref().unwrap_or("unknown");
    let of = report
        .observed_generation
        .map(|of| format!(", of revision {of}"))
        .unwrap_or_default();
    let outdated = if cells::is_outdated(report, node) {
        " (outdated)"
    } else {
        ""
    };
    let at = report
        .reported_at
        .map(|at| format!(", at {}", cells::time(at)))
        .unwrap_or_default();
    let by = report
        .reported_by
        .as_ref()
        .map(|by| format!(" by {by}"))
        .unwrap_or_default();
    format!("{state}{of}{outdated}{at}{by}")
}

fn interfaces(node: &Node) -> String {
    if node.interfaces.is_empty() {
        return "none: the node is to be cleaned up\n".to_owned();
    }
    let reports = node
        .status
        .as_ref()
        .map(|report| report.interface_statuses.as_slice())
        .unwrap_or_default();
    let rows = node
        .interfaces
        .iter()
        .map(|interface| row(interface, report(reports, interface)));
    let mut columns = Columns::new(["ID", "MAC", "ADDRESS", "CIDR", "MTU", "LINK", "AGENT", "MESSAGE"]);
    columns.rows(rows.collect())
}

/// What the agent says about an interface: by id, else by MAC address.
fn report<'a>(reports: &'a [InterfaceReport], interface: &Interface) -> Option<&'a InterfaceReport> {
    let by_mac = |report: &&InterfaceReport| {
        let mac = report.mac_address.as_deref().unwrap_or_default();
        mac.eq_ignore_ascii_case(&interface.mac_address)
    };
    let by_id = reports.iter().find(|report| report.id == Some(interface.id));
    by_id.or_else(|| reports.iter().find(by_mac))
}

fn row(interface: &Interface, report: Option<&InterfaceReport>) -> [String; 8] {
    let said = |part: fn(&InterfaceReport) -> Option<&String>| report.and_then(part).cloned();
    let reason = [
        said(|report| report.reason.as_ref()),
        said(|report| report.message.as_ref()),
    ];
    [
        interface.id.to_string(),
        interface.mac_address.clone(),
        interface.address.clone(),
        interface.cidr.clone(),
        interface.mtu.to_string(),
        cells::maybe(said(|report| report.name.as_ref())),
        cells::maybe(said(|report| report.status.as_ref())),
        reason
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(": "),
    ]
}

fn conditions(report: &Report) -> String {
    if report.conditions.is_empty() {
        return String::new();
    }
    let rows = report.conditions.iter().map(|condition| {
        [
            &condition.kind,
            &condition.status,
            &condition.reason,
            &condition.message,
        ]
        .map(ToOwned::to_owned)
    });
    let mut columns = Columns::new(["TYPE", "STATUS", "REASON", "MESSAGE"]);
    format!("\nThe agent's conditions\n{}", indent(&columns.rows(rows.collect())))
}

/// `None` where the token may not read it.
async fn history(reader: &ApiReader, cluster: &ClusterId, args: &NodeArgs) -> Result<Option<String>, Failure> {
    let page = reader
        .revisions(cluster, &args.name, REVISIONS + 1)
        .next::<Change>()
        .await;
    let page = match page {
        Err(error)
            if error
                .problem()
                .is_some_and(|problem| matches!(problem.status, 403..=405)) =>
        {
            return Ok(None);
        }
        page => page.map_err(explain)?.unwrap_or_default(),
    };
    let (mut history, mut left) = (History::new(), REVISIONS as usize);
    let text = history.page(page, &mut left);
    Ok(Some(text + &history.end(left)))
}

fn indent(text: &str) -> String {
    let text = text.trim_end().replace('\n', "\n  ");
    format!("  {text}\n")
}
