//! What is there now, of all that a batch touches.

use std::collections::BTreeMap;

use multinic_model::{ClusterId, InterfaceId, NodeName};
use sqlx::{AnyConnection, any::AnyRow};

use super::{
    Candidate, Place, StoreError,
    arbitrate::{Claim, Holders, Wish, claims},
};
use crate::store::{
    content::{count, damaged, read},
    sql::{Statement, Value, chunks, number, text},
};

/// What is known of a node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Known {
    Present {
        revision: u64,
        digest: String,
    },
    /// Its history goes on where it ended: a revision never comes twice.
    Deleted {
        revision: u64,
    },
}

impl Known {
    /// The revision in force; 0 if the node is not there.
    pub const fn in_force(&self) -> u64 {
        match self {
            Self::Present { revision, .. } => *revision,
            Self::Deleted { .. } => 0,
        }
    }
}

/// By node.
#[derive(Debug, Default)]
pub(super) struct Current(BTreeMap<NodeName, Known>);

impl Current {
    pub fn get(&self, node: &NodeName) -> Option<&Known> {
        self.0.get(node)
    }

    pub async fn read(
        connection: &mut AnyConnection,
        cluster: &ClusterId,
        candidates: &[Candidate],
    ) -> Result<Self, StoreError> {
        let mut current = Self::default();
        let names: Vec<_> = candidates.iter().map(|candidate| &candidate.config.node_name).collect();
        current.read_present(connection, cluster, &names).await?;
        let absent: Vec<_> = names.into_iter().filter(|name| current.get(name).is_none()).collect();
        current.read_deleted(connection, cluster, &absent).await?;
        Ok(current)
    }

    async fn read_present(
        &mut self,
        connection: &mut AnyConnection,
        cluster: &ClusterId,
        names: &[&NodeName],
    ) -> Result<(), StoreError> {
        for names in chunks(names, 1) {
            let rows = Statement::new(
                "SELECT n.node_name, n.revision, c.digest FROM nodes n JOIN changes c \
                 ON c.provider_id = n.provider_id AND c.node_name = n.node_name AND c.revision = n.revision \
                 WHERE n.provider_id = ",
            )
            .value(cluster.as_str())
            .text(" AND n.node_name IN ")
            .list(names.iter().map(|name| Value::from(name.as_str())))
            .all(connection)
            .await?;
            for row in rows {
                let (name, revision) = name_and_revision(&row)?;
                let digest = text(&row, "digest")?;
                self.0.insert(name, Known::Present { revision, digest });
            }
        }
        Ok(())
    }

    async fn read_deleted(
        &mut self,
        connection: &mut AnyConnection,
        cluster: &ClusterId,
        names: &[&NodeName],
    ) -> Result<(), StoreError> {
        for names in chunks(names, 1) {
            let rows = Statement::new("SELECT node_name, MAX(revision) AS revision FROM changes WHERE provider_id = ")
                .value(cluster.as_str())
                .text(" AND node_name IN ")
                .list(names.iter().map(|name| Value::from(name.as_str())))
                .text(" GROUP BY node_name")
                .all(connection)
                .await?;
            for row in rows {
                let (name, revision) = name_and_revision(&row)?;
                self.0.insert(name, Known::Deleted { revision });
            }
        }
        Ok(())
    }
}

fn name_and_revision(row: &AnyRow) -> Result<(NodeName, u64), StoreError> {
    let name = text(row, "node_name")?;
    let revision = count("revision", &name, number(row, "revision")?)?;
    Ok((read("node name", &name, &name)?, revision))
}

/// Who holds what the wishes ask for, and what the wishes' own nodes hold.
pub(super) async fn holders(
    connection: &mut AnyConnection,
    cluster: &ClusterId,
    wishes: &[Wish<'_>],
) -> Result<Holders, StoreError> {
    let mut macs = Vec::new();
    let mut addresses = Vec::new();
    for claim in wishes.iter().flat_map(|wish| wish.wanted).flat_map(claims) {
        match claim {
            Claim::Mac(mac) => macs.push(mac.to_string()),
            Claim::Address(address) => addresses.push(address.to_string()),
        }
    }
    let nodes = wishes.iter().map(|wish| wish.node.to_string()).collect();
    let mut holders = Holders::new();
    let wanted = [
        (" AND mac_address IN ", macs),
        (" AND address IN ", addresses),
        (" AND node_name IN ", nodes),
    ];
    for (column, values) in wanted {
        for values in chunks(&values, 1) {
            let rows =
                Statement::new("SELECT node_name, id, mac_address, address FROM interfaces WHERE provider_id = ")
                    .value(cluster.as_str())
                    .text(column)
                    .list(values.iter().map(|value| Value::from(value.as_str())))
                    .all(connection)
                    .await?;
            for row in rows {
                add(&mut holders, &row)?;
            }
        }
    }
    Ok(holders)
}

fn add(holders: &mut Holders, row: &AnyRow) -> Result<(), StoreError> {
    let name = text(row, "node_name")?;
    let id = number(row, "id")?;
    let interface = u32::try_from(id).ok().and_then(InterfaceId::new);
    let place = Place {
        node: read("node name", &name, &name)?,
        interface: interface.ok_or_else(|| damaged("interface id", &name, &id))?,
    };
    let mac = read("MAC address", &name, &text(row, "mac_address")?)?;
    let address = read("address", &name, &text(row, "address")?)?;
    holders.insert(Claim::Mac(mac), place.clone());
    holders.insert(Claim::Address(address), place);
    Ok(())
}
