//! `GET /v2.0/ports`: the ports on the target subnets that are plugged into the servers.

use std::{collections::BTreeMap, net::IpAddr};

use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use multinic_model::{
    InstanceId, PortId,
    inventory::{FixedIp, Port, PortStatus},
};
use serde::Deserialize;

use super::{Lenient, nullable};
use crate::{
    error::{CloudError, Service},
    execute::Access,
    pages::{Link, Page, list},
    request::{MAX_QUERY, Request, chunks, encoded_len},
};

const FIELDS: [&str; 6] = ["id", "mac_address", "device_id", "status", "fixed_ips", "created_at"];

/// Subnets in one request.
pub(crate) const SUBNETS_PER_REQUEST: usize = 40;

/// Servers in one request: some 170 fill the longest URL that Neutron's own server takes.
pub(crate) const SERVERS_PER_REQUEST: usize = 100;

/// Requests of one listing under way at once.
const SIDE_BY_SIDE: usize = 4;

/// A port as Neutron gives it.
#[derive(Deserialize, Clone, Debug)]
pub(crate) struct PortRow {
    pub(crate) id: String,
    #[serde(deserialize_with = "nullable")]
    pub(crate) device_id: String,
    #[serde(default)]
    mac_address: Option<Lenient<String>>,
    #[serde(default)]
    status: Option<Lenient<String>>,
    #[serde(default)]
    fixed_ips: Option<Lenient<Vec<FixedIpRow>>>,
    /// Missing in clouds without the timestamps extension.
    #[serde(default)]
    created_at: Option<Lenient<String>>,
}

#[derive(Deserialize, Clone, PartialEq, Debug)]
struct FixedIpRow {
    subnet_id: String,
    ip_address: String,
}

#[derive(Deserialize)]
struct PortPage {
    ports: Vec<PortRow>,
    #[serde(default)]
    ports_links: Vec<Link>,
}

impl Page for PortPage {
    type Row = PortRow;

    fn into_parts(self) -> (Vec<PortRow>, Vec<Link>) {
        (self.ports, self.ports_links)
    }
}

impl PortRow {
    /// The port, or one sentence that says what is wrong with it.
    pub(crate) fn parse(&self, device_id: InstanceId) -> Result<(PortId, Port), String> {
        let id = self.id.parse::<PortId>().map_err(|error| error.to_string())?;
        let mac = text(self.mac_address.as_ref()).ok_or("it has no MAC address")?;
        let port = Port {
            mac_address: mac.parse().map_err(|error| format!("{error}"))?,
            device_id,
            status: text(self.status.as_ref())
                .and_then(|s| s.parse().ok())
                .unwrap_or(PortStatus::Unknown),
            fixed_ips: self.addresses()?,
            created_at: self.created_at()?,
        };
        Ok((id, port))
    }

    fn addresses(&self) -> Result<Vec<FixedIp>, String> {
        let rows = self
            .fixed_ips
            .as_ref()
            .and_then(Lenient::good)
            .ok_or("its fixed_ips are not a list of addresses")?;
        let address = |row: &FixedIpRow| {
            let address = row.ip_address.parse::<IpAddr>();
            Ok(FixedIp {
                subnet_id: row.subnet_id.parse().map_err(|error| format!("{error}"))?,
                address: address.map_err(|_| format!("{:?} is not an IP address", short(&row.ip_address)))?,
            })
        };
        rows.iter().map(address).collect()
    }

    fn created_at(&self) -> Result<i64, String> {
        let Some(given) = &self.created_at else { return Ok(0) };
        let text = given.good().ok_or("its created_at is not a text")?;
        let time: Timestamp = text.parse().map_err(|_| format!("{:?} is not a time", short(text)))?;
        Ok(time.as_second())
    }

    /// Whether it may have an address in one of `subnets`; a port whose addresses cannot be read may.
    pub(crate) fn may_lie_on(&self, subnets: &[String]) -> bool {
        match self.fixed_ips.as_ref().and_then(Lenient::good) {
            Some(rows) => rows.iter().any(|row| subnets.contains(&row.subnet_id)),
            None => true,
        }
    }
}

fn text(value: Option<&Lenient<String>>) -> Option<&String> {
    value.and_then(Lenient::good)
}

fn short(text: &str) -> String {
    text.chars().take(64).collect()
}

/// The ports with an address in one of `subnets`, of any project (an administrator may own the port of a server), by
/// id. With `servers`, only theirs are asked for; with `None`, all that have any device.
///
/// Neutron ORs repeated filters of one key and ANDs those of different keys. An empty list of servers must not be sent:
/// `device_id=` means ports without a device.
pub(crate) async fn read(
    access: &Access<'_>,
    subnets: &[String],
    servers: Option<&[InstanceId]>,
) -> Result<BTreeMap<String, PortRow>, CloudError> {
    let page_size = Some(access.sessions.settings.page_size);
    let requests: Vec<_> = requests(subnets, servers)
        .into_iter()
        .map(|request| list::<PortPage>(access, request, page_size, |row| !row.device_id.is_empty()))
        .collect();
    let rows: Vec<_> = stream::iter(requests).buffered(SIDE_BY_SIDE).try_collect().await?;
    Ok(rows.into_iter().flatten().map(|row| (row.id.clone(), row)).collect())
}

fn requests(subnets: &[String], servers: Option<&[InstanceId]>) -> Vec<Request> {
    let filters: Vec<_> = subnets.iter().map(|id| format!("subnet_id={id}")).collect();
    let mut requests = Vec::new();
    for subnets in chunks("fixed_ips", filters, MAX_QUERY / 2, SUBNETS_PER_REQUEST) {
        let used: usize = subnets.iter().map(|filter| encoded_len("fixed_ips", filter)).sum();
        let request = Request::new(Service::Network, "ports").with("fixed_ips", subnets);
        match servers {
            None => requests.push(request),
            Some(servers) => requests.extend(
                chunks("device_id", servers, MAX_QUERY - used, SERVERS_PER_REQUEST)
                    .into_iter()
                    .map(|servers| request.clone().with("device_id", servers)),
            ),
        }
    }
    requests
        .into_iter()
        .map(|request| request.with("fields", FIELDS))
        .collect()
}
