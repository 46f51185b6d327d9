//! `GET /v2.1/servers`: the servers of the project, by the cheapest form that answers.
//!
//! Few servers by UUID are asked for one by one; everything else is one listing *without any filter*. Nova could filter
//! by name, but as soon as there is a filter (or a `limit`) it leaves out the servers of cells that are down, whatever
//! the microversion; without one it gives them, without a name, and the reading can fail instead of seeing them gone.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use http::StatusCode;
use multinic_model::{InstanceId, ProjectId, VmSelector, inventory::Server};
use serde::Deserialize;

use super::Lenient;
use crate::{
    error::{CloudError, Service},
    execute::Access,
    pages::{Link, Page, list},
    request::Request,
};

/// Up to as many are asked for one by one: each costs about as much as a listing of 100 without details …
const FEW: usize = 2;
/// … and a tenth of one with details.
const FEW_WITH_DETAILS: usize = 4;

/// A server as Nova gives it, with or without details.
#[derive(Deserialize, Clone, Debug)]
pub(crate) struct ServerRow {
    id: String,
    /// Missing when its cell is down.
    #[serde(default)]
    name: Option<Lenient<String>>,
    #[serde(default)]
    status: Option<Lenient<String>>,
    #[serde(default)]
    tenant_id: Option<String>,
    #[serde(default)]
    metadata: Option<Lenient<BTreeMap<String, String>>>,
}

#[derive(Deserialize)]
struct ServerPage {
    servers: Vec<ServerRow>,
    #[serde(default)]
    servers_links: Vec<Link>,
}

#[derive(Deserialize)]
struct OneServer {
    server: ServerRow,
}

impl Page for ServerPage {
    type Row = ServerRow;

    fn into_parts(self) -> (Vec<ServerRow>, Vec<Link>) {
        (self.servers, self.servers_links)
    }
}

pub(crate) type Servers = BTreeMap<InstanceId, Server>;

/// Every server of the project that one of `selectors` may mean, by id; of the same name as many as there are.
pub(crate) async fn read(access: &Access<'_>, selectors: &BTreeSet<VmSelector>) -> Result<Servers, CloudError> {
    if selectors.is_empty() {
        return Ok(Servers::new());
    }
    let few = if key(access).is_some() { FEW_WITH_DETAILS } else { FEW };
    let ids: Option<Vec<_>> = selectors.iter().map(VmSelector::instance_id).collect();
    if let Some(ids) = ids.filter(|ids| ids.len() <= few) {
        let servers = one_by_one(access, &ids).await?;
        // What is not there by id may still be somebody's name.
        if servers.len() == ids.len() {
            return Ok(servers);
        }
    }
    listing(access, selectors).await
}

fn key<'a>(access: &'a Access<'_>) -> Option<&'a str> {
    access
        .sessions
        .settings
        .node_name_metadata_key
        .as_deref()
        .filter(|key| !key.is_empty())
}

/// Those of `ids` that are servers of the project.
pub(crate) async fn one_by_one(
    access: &Access<'_>,
    ids: impl IntoIterator<Item = &InstanceId>,
) -> Result<Servers, CloudError> {
    let gets: Vec<_> = ids
        .into_iter()
        .map(async |id| {
            match access
                .get::<OneServer>(&Request::new(Service::Compute, format!("servers/{id}")))
                .await
            {
                Ok(one) => convert(access, one.server),
                Err(CloudError::Status {
                    status: StatusCode::NOT_FOUND,
                    ..
                }) => Ok(None),
                Err(error) => Err(error),
            }
        })
        .collect();
    let servers: Vec<_> = stream::iter(gets)
        .buffer_unordered(FEW_WITH_DETAILS)
        .try_collect()
        .await?;
    Ok(servers.into_iter().flatten().collect())
}

/// Like [`read`], by a listing of all.
pub(crate) async fn listing(access: &Access<'_>, selectors: &BTreeSet<VmSelector>) -> Result<Servers, CloudError> {
    let wanted: BTreeSet<&str> = selectors.iter().map(VmSelector::as_str).collect();
    let ids: BTreeSet<_> = selectors.iter().filter_map(VmSelector::instance_id).collect();
    let is_wanted = |row: &ServerRow| {
        let by_id = row.id.parse().is_ok_and(|id| ids.contains(&id));
        // A nameless row is kept, so that the reading fails on it.
        by_id || row.name.is_none() || row.name().is_some_and(|name| wanted.contains(name))
    };
    let resource = if key(access).is_some() {
        "servers/detail"
    } else {
        "servers"
    };
    let rows = list::<ServerPage>(access, Request::new(Service::Compute, resource), None, is_wanted).await?;
    let mut servers = Servers::new();
    for row in rows {
        servers.extend(convert(access, row)?);
    }
    Ok(servers)
}

impl ServerRow {
    fn name(&self) -> Option<&str> {
        self.name.as_ref()?.good().map(String::as_str)
    }

    /// Deleted ones are not listed, but one may be asked for by id while it is being reclaimed.
    fn is_deleted(&self) -> bool {
        let status = self.status.as_ref().and_then(Lenient::good);
        status.is_some_and(|status| matches!(status.as_str(), "DELETED" | "SOFT_DELETED"))
    }

    /// An administrator may ask for any project's server by id. Listings without details do not say whose a server is;
    /// they are limited to the token's project.
    fn is_of(&self, project: ProjectId) -> bool {
        self.tenant_id.as_ref().is_none_or(|id| id.parse() == Ok(project))
    }
}

/// `None` for a server that is deleted or another project's.
fn convert(access: &Access<'_>, row: ServerRow) -> Result<Option<(InstanceId, Server)>, CloudError> {
    if row.is_deleted() || !row.is_of(access.credentials.project) {
        return Ok(None);
    }
    if row.name.is_none() {
        return Err(CloudError::PartialAnswer { id: row.id });
    }
    let Ok(id) = row.id.parse() else {
        return Err(CloudError::PartialAnswer { id: row.id });
    };
    let metadata = row.metadata.as_ref().and_then(Lenient::good);
    let node_name = key(access)
        .and_then(|key| metadata?.get(key))
        .filter(|value| !value.is_empty());
    let name = row.name().unwrap_or_default().to_owned();
    Ok(Some((
        id,
        Server {
            name,
            metadata_node_name: node_name.cloned(),
        },
    )))
}
