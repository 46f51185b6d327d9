//! Reading node configs: one, or a page of those that match a filter.

use std::net::IpAddr;

use jiff::Timestamp;
use multinic_model::{ClusterId, InstanceId, MacAddress, NodeConfig, NodeName};
use sqlx::{AnyConnection, any::AnyRow};

use super::{
    Store, StoreError,
    content::{count, parse, time},
    outbox::{DeliveryState, delivery},
    reports::{Report, report},
    sql::{Statement, number, text},
};

/// A node as it is kept.
#[derive(Clone, PartialEq, Debug)]
pub struct Node {
    /// What it should have.
    pub config: NodeConfig,
    /// How often its content changed, deletions included.
    pub revision: u64,
    /// When it was first taken in (since the last time it was deleted).
    pub created_at: Timestamp,
    /// When its content last changed.
    pub updated_at: Timestamp,
    /// How far its delivery into the cluster has come.
    pub delivery: Option<DeliveryState>,
    /// What its agent says.
    pub report: Option<Report>,
}

/// Which nodes; everything that is given has to hold.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// This one.
    pub node_name: Option<NodeName>,
    /// Those of this server.
    pub instance_id: Option<InstanceId>,
    /// The one with this MAC address.
    pub mac_address: Option<MacAddress>,
    /// The one with this address.
    pub address: Option<IpAddr>,
    /// Those whose content changed at that time or later.
    pub updated_since: Option<Timestamp>,
}

const NODE: &str = "SELECT n.node_name, n.revision, n.created_at, n.updated_at, c.content, \
    d.wanted_revision, d.delivered_revision, d.delivered_at, d.attempts, d.due_at, d.last_error, \
    t.attempts AS target_attempts, t.due_at AS target_due_at, t.last_error AS target_error, \
    r.content AS report, r.observed_revision, r.reported_at, r.reported_by \
    FROM nodes n \
    JOIN changes c ON c.provider_id = n.provider_id AND c.node_name = n.node_name AND c.revision = n.revision \
    LEFT JOIN deliveries d ON d.provider_id = n.provider_id AND d.node_name = n.node_name \
    LEFT JOIN targets t ON t.provider_id = n.provider_id \
    LEFT JOIN reports r ON r.provider_id = n.provider_id AND r.node_name = n.node_name \
    WHERE n.provider_id = ";

impl Store {
    /// One node; `None` if it is not there.
    pub async fn node(&self, cluster: &ClusterId, node: &NodeName) -> Result<Option<Node>, StoreError> {
        let mut connection = self.database.read().await?;
        one(&mut connection, cluster, node).await
    }

    /// At most `limit` of the nodes that match, behind `after`, by name.
    pub async fn nodes(
        &self,
        cluster: &ClusterId,
        filter: &Filter,
        after: Option<&NodeName>,
        limit: u32,
    ) -> Result<Vec<Node>, StoreError> {
        let mut connection = self.database.read().await?;
        let statement = Statement::new(NODE).value(cluster.as_str());
        let rows = matching(statement, filter)
            .text(" AND n.node_name > ")
            .value(after.map_or("", NodeName::as_str))
            .text(" ORDER BY n.node_name LIMIT ")
            .value(i64::from(limit))
            .all(&mut connection)
            .await?;
        rows.iter().map(node).collect()
    }
}

/// One node on this connection.
pub(super) async fn one(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    name: &NodeName,
) -> Result<Option<Node>, StoreError> {
    let row = Statement::new(NODE)
        .value(cluster.as_str())
        .text(" AND n.node_name = ")
        .value(name.as_str())
        .optional(connection)
        .await?;
    row.as_ref().map(node).transpose()
}

fn matching(mut statement: Statement, filter: &Filter) -> Statement {
    const HAS: &str = " AND EXISTS (SELECT 1 FROM interfaces i WHERE i.provider_id = n.provider_id \
        AND i.node_name = n.node_name AND ";
    if let Some(name) = &filter.node_name {
        statement = statement.text(" AND n.node_name = ").value(name.as_str());
    }
    if let Some(instance) = &filter.instance_id {
        statement = statement.text(" AND n.instance_id = ").value(instance.as_str());
    }
    if let Some(mac) = filter.mac_address {
        statement = statement
            .text(HAS)
            .text("i.mac_address = ")
            .value(mac.to_string())
            .text(")");
    }
    if let Some(address) = filter.address {
        statement = statement
            .text(HAS)
            .text("i.address = ")
            .value(address.to_string())
            .text(")");
    }
    if let Some(since) = filter.updated_since {
        statement = statement.text(" AND n.updated_at >= ").value(since.as_microsecond());
    }
    statement
}

fn node(row: &AnyRow) -> Result<Node, StoreError> {
    let name = text(row, "node_name")?;
    Ok(Node {
        config: parse(&text(row, "content")?, &name)?,
        revision: count("revision", &name, number(row, "revision")?)?,
        created_at: time(&name, number(row, "created_at")?)?,
        updated_at: time(&name, number(row, "updated_at")?)?,
        delivery: delivery(row, &name)?,
        report: report(row, &name)?,
    })
}
