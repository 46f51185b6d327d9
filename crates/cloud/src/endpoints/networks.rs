//! `GET /v2.0/networks`: MTU and scope of the networks that the subnets lie on.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use multinic_model::ProjectId;
use serde::Deserialize;

use super::{Lenient, nullable};
use crate::{
    error::{CloudError, Service},
    execute::Access,
    pages::{Link, Page, list},
    request::{MAX_QUERY, Request, chunks},
};

const FIELDS: [&str; 4] = ["id", "mtu", "project_id", "shared"];

/// Filters of one request; more only make it slow.
const PER_REQUEST: usize = 150;

/// Requests of one listing under way at once.
const SIDE_BY_SIDE: usize = 4;

/// A network as Neutron gives it.
#[derive(Deserialize, Clone, Debug)]
pub(crate) struct NetworkRow {
    pub(crate) id: String,
    /// Missing in clouds without the `net-mtu` extension.
    #[serde(default)]
    pub(crate) mtu: Option<Lenient<u32>>,
    #[serde(deserialize_with = "nullable")]
    project_id: String,
    /// Whether it is shared *with the token's project*, by the old flag or by an RBAC policy.
    shared: bool,
}

#[derive(Deserialize)]
struct NetworkPage {
    networks: Vec<NetworkRow>,
    #[serde(default)]
    networks_links: Vec<Link>,
}

impl Page for NetworkPage {
    type Row = NetworkRow;

    fn into_parts(self) -> (Vec<NetworkRow>, Vec<Link>) {
        (self.networks, self.networks_links)
    }
}

impl NetworkRow {
    /// The project's own, or shared with it.
    pub(crate) fn is_for(&self, project: ProjectId) -> bool {
        self.shared || self.project_id.parse() == Ok(project)
    }
}

/// The networks of these ids, by id.
pub(crate) async fn read(
    access: &Access<'_>,
    ids: impl IntoIterator<Item = &str>,
) -> Result<BTreeMap<String, NetworkRow>, CloudError> {
    let page_size = Some(access.sessions.settings.page_size);
    let requests: Vec<_> = chunks("id", ids, MAX_QUERY, PER_REQUEST)
        .into_iter()
        .map(|chunk| {
            Request::new(Service::Network, "networks")
                .with("id", chunk)
                .with("fields", FIELDS)
        })
        .map(|request| list::<NetworkPage>(access, request, page_size, |_| true))
        .collect();
    let rows: Vec<_> = stream::iter(requests).buffered(SIDE_BY_SIDE).try_collect().await?;
    Ok(rows.into_iter().flatten().map(|row| (row.id.clone(), row)).collect())
}
