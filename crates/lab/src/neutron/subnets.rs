//! Subnets.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{
    Fail,
    query::Query,
    resource::{Field, Resource, among, check_integers, is},
};
use crate::{
    ids::Id,
    net::Json,
    state::{Network, Scope, State, Subnet},
    time::seconds,
};

const fn field(name: &'static str, write: fn(&State, &Scope, &Subnet, &mut Json)) -> Field<Subnet> {
    Field {
        name,
        admin: false,
        write,
    }
}

#[rustfmt::skip]
static FIELDS: [Field<Subnet>; 21] = [
    field("id", |_, _, subnet, json| json.value(&*subnet.id)),
    field("name", |_, _, subnet, json| json.value(&subnet.name)),
    field("tenant_id", |_, _, subnet, json| json.value(&*subnet.project)),
    field("network_id", |_, _, subnet, json| json.value(&*subnet.network)),
    field("ip_version", |_, _, subnet, json| json.value(&version(subnet))),
    field("subnetpool_id", |_, _, _, json| json.raw("null")),
    field("enable_dhcp", |_, _, subnet, json| json.value(&subnet.dhcp)),
    field("ipv6_ra_mode", |_, _, subnet, json| json.value(&slaac(subnet))),
    field("ipv6_address_mode", |_, _, subnet, json| json.value(&slaac(subnet))),
    field("gateway_ip", |_, _, subnet, json| json.value(&subnet.gateway)),
    field("cidr", |_, _, subnet, json| json.value(&subnet.cidr)),
    field("allocation_pools", |_, _, subnet, json| allocation_pools(subnet, json)),
    field("host_routes", |_, _, subnet, json| host_routes(subnet, json)),
    field("dns_nameservers", |_, _, subnet, json| json.value(&subnet.dns)),
    field("description", |_, _, _, json| json.raw("\"\"")),
    field("service_types", |_, _, _, json| json.raw("[]")),
    field("tags", |_, _, _, json| json.raw("[]")),
    field("created_at", |_, _, subnet, json| json.plain(&seconds(subnet.created))),
    field("updated_at", |_, _, subnet, json| json.plain(&seconds(subnet.updated))),
    field("revision_number", |_, _, subnet, json| json.value(&subnet.revision)),
    field("project_id", |_, _, subnet, json| json.value(&*subnet.project)),
];

fn version(subnet: &Subnet) -> u8 {
    if subnet.cidr.network().is_ipv4() { 4 } else { 6 }
}

fn slaac(subnet: &Subnet) -> Option<&'static str> {
    subnet.slaac.then_some("slaac")
}

/// From the first address, or the second where the first is the gateway's, to the last.
fn allocation_pools(subnet: &Subnet, json: &mut Json) {
    let first = if subnet.gateway.is_some() && !subnet.slaac {
        2
    } else {
        1
    };
    let Some(start) = subnet.nth(first) else {
        return json.raw("[]");
    };
    // The last address of an IPv4 subnet is for broadcasts.
    let end = match subnet.cidr.broadcast() {
        IpAddr::V4(last) => IpAddr::V4(last.to_bits().saturating_sub(1).into()),
        last @ IpAddr::V6(_) => last,
    };
    json.list(|json| {
        json.object(|json| {
            json.key("start");
            json.value(&start);
            json.key("end");
            json.value(&end);
        });
    });
}

/// The network an address with or without a prefix lies in.
fn network_of(text: &str) -> Option<IpNet> {
    let net = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    net.map(|net| net.trunc()).ok()
}

fn host_routes(subnet: &Subnet, json: &mut Json) {
    json.list(|json| {
        for (destination, hop) in &subnet.host_routes {
            json.object(|json| {
                json.key("destination");
                json.value(destination);
                json.key("nexthop");
                json.value(hop);
            });
        }
    });
}

impl Resource for Subnet {
    const KEY: &'static str = "subnet";
    const COLLECTION: &'static str = "subnets";
    const KIND: &'static str = "Subnet";
    const FILTERS: &'static [&'static str] = &[
        "id",
        "name",
        "network_id",
        "project_id",
        "tenant_id",
        "cidr",
        "ip_version",
        "gateway_ip",
        "enable_dhcp",
        "shared",
    ];
    const NOT_SIMULATED: &'static [&'static str] = &[
        "description",
        "revision_number",
        "tags",
        "tags-any",
        "not-tags",
        "not-tags-any",
        "subnetpool_id",
        "ipv6_ra_mode",
        "ipv6_address_mode",
        "segment_id",
        "dns_publish_fixed_ip",
    ];
    const BOOLEANS: &'static [&'static str] = &["enable_dhcp", "shared"];
    const FIELDS: &'static [Field<Self>] = &FIELDS;

    fn id(&self) -> &Id {
        &self.id
    }

    fn get<'a>(state: &'a State, id: &str) -> Option<&'a Self> {
        state.subnets.get(id)
    }

    /// The owner, everybody the network is shared with, and every administrator.
    fn visible(&self, state: &State, scope: &Scope) -> bool {
        scope.admin || scope.project.as_ref() == Some(&self.project) || self.shared(state, scope)
    }

    fn matches(&self, state: &State, scope: &Scope, filter: &str, wanted: &[String]) -> bool {
        match filter {
            "id" => among(wanted, &self.id),
            "name" => among(wanted, &self.name),
            "network_id" => among(wanted, &self.network),
            "project_id" | "tenant_id" => among(wanted, &self.project),
            "cidr" => wanted.iter().any(|wanted| network_of(wanted) == Some(self.cidr)),
            "ip_version" => among(wanted, &version(self).to_string()),
            "gateway_ip" => self.gateway.is_some_and(|gateway| among(wanted, &gateway.to_string())),
            "enable_dhcp" => is(wanted, self.dhcp),
            _ => is(wanted, self.shared(state, scope)),
        }
    }

    fn check(filter: &str, wanted: &[String]) -> Result<(), Fail> {
        if filter == "ip_version" {
            return check_integers(wanted);
        }
        match wanted
            .iter()
            .find(|wanted| filter == "cidr" && network_of(wanted).is_none())
        {
            Some(bad) => Err(Fail::bad_request(
                "InvalidInput",
                format!("Invalid input for operation: {bad} is not in a CIDR format."),
            )),
            None => Ok(()),
        }
    }

    fn candidates<'a>(state: &'a State, _: &Query) -> Vec<&'a Self> {
        state.subnets.values().collect()
    }
}

impl Subnet {
    fn network<'a>(&self, state: &'a State) -> Option<&'a Network> {
        state.networks.get(&self.network)
    }

    fn shared(&self, state: &State, scope: &Scope) -> bool {
        self.network(state)
            .is_some_and(|network| network.shared_to(scope.project.as_deref()))
    }
}
