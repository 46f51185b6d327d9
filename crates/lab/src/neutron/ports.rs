//! Ports.

use std::collections::BTreeSet;

use super::{
    Fail,
    query::Query,
    resource::{Field, Resource, among, is},
};
use crate::{
    ids::Id,
    net::Json,
    state::{FixedIp, Port, Scope, State},
    time::seconds,
};

const fn field(name: &'static str, write: fn(&State, &Scope, &Port, &mut Json)) -> Field<Port> {
    Field {
        name,
        admin: false,
        write,
    }
}

const fn admin(name: &'static str, write: fn(&State, &Scope, &Port, &mut Json)) -> Field<Port> {
    Field {
        admin: true,
        ..field(name, write)
    }
}

#[rustfmt::skip]
static FIELDS: [Field<Port>; 25] = [
    field("id", |_, _, port, json| json.value(&*port.id)),
    field("name", |_, _, port, json| json.value(&port.name)),
    field("network_id", |_, _, port, json| json.value(&*port.network)),
    field("tenant_id", |_, _, port, json| json.value(&*port.project)),
    field("mac_address", |_, _, port, json| json.value(&port.mac)),
    field("admin_state_up", |_, _, port, json| json.value(&port.admin_state_up)),
    field("status", |_, _, port, json| json.value(&port.status)),
    field("device_id", |_, _, port, json| json.value(&*port.device)),
    field("device_owner", |_, _, port, json| json.value(&port.device_owner)),
    field("fixed_ips", |_, _, port, json| fixed_ips(port, json)),
    field("allowed_address_pairs", |_, _, _, json| json.raw("[]")),
    field("extra_dhcp_opts", |_, _, _, json| json.raw("[]")),
    field("security_groups", |_, _, _, json| json.raw(r#"["805b2887-0403-4fa3-891a-c55e954e0ffe"]"#)),
    field("description", |_, _, _, json| json.raw("\"\"")),
    field("binding:vnic_type", |_, _, _, json| json.plain("normal")),
    admin("binding:profile", |_, _, _, json| json.raw("{}")),
    admin("binding:host_id", |_, _, port, json| json.plain(host(port))),
    admin("binding:vif_type", |_, _, port, json| json.plain(if bound(port) { "bridge" } else { "unbound" })),
    admin("binding:vif_details", |_, _, port, json| json.raw(if bound(port) { VIF_DETAILS } else { "{}" })),
    field("port_security_enabled", |_, _, _, json| json.raw("true")),
    field("tags", |_, _, _, json| json.raw("[]")),
    field("created_at", |_, _, port, json| json.plain(&seconds(port.created))),
    field("updated_at", |_, _, port, json| json.plain(&seconds(port.updated))),
    field("revision_number", |_, _, port, json| json.value(&port.revision)),
    field("project_id", |_, _, port, json| json.value(&*port.project)),
];

const VIF_DETAILS: &str = r#"{"connectivity":"l2","port_filter":true,"bound_drivers":{"0":"linuxbridge"}}"#;

fn bound(port: &Port) -> bool {
    !port.device.is_empty()
}

fn host(port: &Port) -> &'static str {
    if bound(port) { "compute-1" } else { "" }
}

fn fixed_ips(port: &Port, json: &mut Json) {
    json.list(|json| {
        for FixedIp { subnet, address } in &port.fixed_ips {
            json.object(|json| {
                json.key("subnet_id");
                json.value(&**subnet);
                json.key("ip_address");
                json.value(address);
            });
        }
    });
}

impl Resource for Port {
    const KEY: &'static str = "port";
    const COLLECTION: &'static str = "ports";
    const KIND: &'static str = "Port";
    const FILTERS: &'static [&'static str] = &[
        "id",
        "name",
        "network_id",
        "project_id",
        "tenant_id",
        "mac_address",
        "status",
        "device_id",
        "device_owner",
        "fixed_ips",
        "admin_state_up",
        "binding:host_id",
    ];
    const NOT_SIMULATED: &'static [&'static str] = &[
        "description",
        "revision_number",
        "security_groups",
        "tags",
        "tags-any",
        "not-tags",
        "not-tags-any",
        "port_security_enabled",
    ];
    const BOOLEANS: &'static [&'static str] = &["admin_state_up"];
    const FIELDS: &'static [Field<Self>] = &FIELDS;

    fn id(&self) -> &Id {
        &self.id
    }

    fn get<'a>(state: &'a State, id: &str) -> Option<&'a Self> {
        state.ports.get(id)
    }

    /// The owner, the owner of the network, and every administrator.
    fn visible(&self, state: &State, scope: &Scope) -> bool {
        let own = |project: &Id| scope.project.as_ref() == Some(project);
        scope.admin
            || own(&self.project)
            || state
                .networks
                .get(&self.network)
                .is_some_and(|network| own(&network.project))
    }

    fn matches(&self, _: &State, _: &Scope, filter: &str, wanted: &[String]) -> bool {
        match filter {
            "id" => among(wanted, &self.id),
            "name" => among(wanted, &self.name),
            "network_id" => among(wanted, &self.network),
            "project_id" | "tenant_id" => among(wanted, &self.project),
            "mac_address" => among(wanted, &self.mac),
            "status" => among(wanted, &self.status),
            "device_id" => among(wanted, &self.device),
            "device_owner" => among(wanted, &self.device_owner),
            "binding:host_id" => among(wanted, host(self)),
            "admin_state_up" => is(wanted, self.admin_state_up),
            _ => fixed_ips_match(&self.fixed_ips, wanted),
        }
    }

    fn candidates<'a>(state: &'a State, query: &Query) -> Vec<&'a Self> {
        let ports = &state.ports;
        let ids: BTreeSet<&Id> = if let Some(ids) = query.filters.get("id") {
            ids.iter()
                .filter_map(|id| state.ports.get(id).or_else(|| state.ports.get(&id.to_lowercase())))
                .map(|port| &port.id)
                .collect()
        } else if let Some(devices) = query.filters.get("device_id") {
            let lower: Vec<_> = devices.iter().map(|device| device.to_lowercase()).collect();
            devices
                .iter()
                .chain(&lower)
                .flat_map(|device| ports.of_device(device))
                .collect()
        } else if let Some(subnets) = subnets_wanted(query) {
            subnets.into_iter().flat_map(|subnet| ports.of_subnet(subnet)).collect()
        } else if let Some(networks) = query.filters.get("network_id") {
            networks.iter().flat_map(|network| ports.of_network(network)).collect()
        } else {
            return ports.iter().collect();
        };
        ids.into_iter().filter_map(|id| ports.get(id)).collect()
    }

    fn check(filter: &str, wanted: &[String]) -> Result<(), Fail> {
        match wanted
            .iter()
            .find(|wanted| filter == "fixed_ips" && wanted.find('=').unwrap_or(0) == 0)
        {
            Some(bad) => {
                let message = format!("Invalid input for operation: '{bad}' is not of the form <key>=[value].");
                Err(Fail::bad_request("InvalidInput", message))
            }
            None => Ok(()),
        }
    }
}

/// The values of `fixed_ips=subnet_id=…`, if there are any.
fn subnets_wanted(query: &Query) -> Option<Vec<&str>> {
    let subnets = values(query.filters.get("fixed_ips")?, "subnet_id");
    Some(subnets).filter(|subnets| !subnets.is_empty())
}

fn values<'a>(wanted: &'a [String], key: &str) -> Vec<&'a str> {
    wanted
        .iter()
        .filter_map(|wanted| wanted.split_once('='))
        .filter(|(name, _)| *name == key)
        .map(|(_, value)| value)
        .collect()
}

/// One address must satisfy every kind of condition; the values of one kind are alternatives; unknown kinds are ignored.
fn fixed_ips_match(fixed_ips: &[FixedIp], wanted: &[String]) -> bool {
    let subnets = values(wanted, "subnet_id");
    let addresses = values(wanted, "ip_address");
    let parts = values(wanted, "ip_address_substr");
    if subnets.is_empty() && addresses.is_empty() && parts.is_empty() {
        return true;
    }
    fixed_ips.iter().any(|FixedIp { subnet, address }| {
        let address = address.to_string();
        (subnets.is_empty() || subnets.iter().any(|wanted| **wanted == **subnet))
            && (addresses.is_empty() || addresses.contains(&address.as_str()))
            && (parts.is_empty() || parts.iter().any(|part| address.contains(part)))
    })
}
