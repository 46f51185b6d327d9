//! `GET /v2.0/subnets`: by id and by name.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use multinic_model::SubnetSelector;
use serde::Deserialize;

use super::{Lenient, nullable};
use crate::{
    error::{CloudError, Service},
    execute::Access,
    pages::{Link, Page, list},
    request::{MAX_QUERY, Request, chunks},
};

/// Comma lists give empty objects with 200, so each field is asked for by itself.
const FIELDS: [&str; 5] = ["id", "name", "network_id", "cidr", "project_id"];

/// Filters of one request; more only make it slow.
const PER_REQUEST: usize = 150;

/// Requests of one listing under way at once.
const SIDE_BY_SIDE: usize = 4;

/// A subnet as Neutron gives it.
#[derive(Deserialize, Clone, Debug)]
pub(crate) struct SubnetRow {
    pub(crate) id: String,
    #[serde(deserialize_with = "nullable")]
    pub(crate) name: String,
    #[serde(deserialize_with = "nullable")]
    pub(crate) network_id: String,
    pub(crate) cidr: Lenient<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) project_id: String,
}

#[derive(Deserialize)]
struct SubnetPage {
    subnets: Vec<SubnetRow>,
    #[serde(default)]
    subnets_links: Vec<Link>,
}

impl Page for SubnetPage {
    type Row = SubnetRow;

    fn into_parts(self) -> (Vec<SubnetRow>, Vec<Link>) {
        (self.subnets, self.subnets_links)
    }
}

impl SubnetRow {
    /// Ids are compared as OpenStack prints them, names exactly: the database of many clouds ignores case.
    pub(crate) fn matches(&self, selector: &SubnetSelector) -> bool {
        match selector {
            SubnetSelector::Id(id) => self.id == id.as_str(),
            SubnetSelector::Name(name) => &self.name == name,
        }
    }
}

/// Every subnet that one of `selectors` may mean, by id, of any project: the caller checks the scope with the networks.
///
/// Names are asked for without the project. A subnet that an administrator made on the project's own network belongs to
/// the administrator's project, so neither `project_id=` nor `shared=` would find it. An id that is no UUID is simply
/// not found.
pub(crate) async fn read(
    access: &Access<'_>,
    selectors: &BTreeSet<SubnetSelector>,
) -> Result<BTreeMap<String, SubnetRow>, CloudError> {
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for selector in selectors {
        match selector {
            SubnetSelector::Id(id) => ids.push(id.to_string()),
            SubnetSelector::Name(name) if name.is_empty() => {}
            SubnetSelector::Name(name) => names.push(name.clone()),
        }
    }
    let requests = [("id", ids), ("name", names)].into_iter().flat_map(|(key, values)| {
        chunks(key, values, MAX_QUERY, PER_REQUEST)
            .into_iter()
            .map(move |chunk| {
                Request::new(Service::Network, "subnets")
                    .with(key, chunk)
                    .with("fields", FIELDS)
            })
    });
    let wanted = |row: &SubnetRow| selectors.iter().any(|selector| row.matches(selector));
    let page_size = Some(access.sessions.settings.page_size);
    let requests: Vec<_> = requests
        .map(|request| list::<SubnetPage>(access, request, page_size, wanted))
        .collect();
    let rows: Vec<_> = stream::iter(requests).buffered(SIDE_BY_SIDE).try_collect().await?;
    Ok(rows.into_iter().flatten().map(|row| (row.id.clone(), row)).collect())
}
