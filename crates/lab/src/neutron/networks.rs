//! Networks.

use super::{
    Fail,
    query::Query,
    resource::{Field, Resource, among, check_integers, is},
};
use crate::{
    ids::Id,
    net::Json,
    state::{Network, Scope, State},
    time::seconds,
};

const fn field(name: &'static str, write: fn(&State, &Scope, &Network, &mut Json)) -> Field<Network> {
    Field {
        name,
        admin: false,
        write,
    }
}

const fn admin(name: &'static str, write: fn(&State, &Scope, &Network, &mut Json)) -> Field<Network> {
    Field {
        admin: true,
        ..field(name, write)
    }
}

#[rustfmt::skip]
static FIELDS: [Field<Network>; 23] = [
    field("id", |_, _, network, json| json.value(&*network.id)),
    field("name", |_, _, network, json| json.value(&network.name)),
    field("tenant_id", |_, _, network, json| json.value(&*network.project)),
    field("admin_state_up", |_, _, network, json| json.value(&network.admin_state_up)),
    field("mtu", |_, _, network, json| json.value(&network.mtu)),
    field("status", |_, _, _, json| json.plain("ACTIVE")),
    field("subnets", |_, _, network, json| json.value(&network.subnets.iter().map(|id| &**id).collect::<Vec<_>>())),
    field("shared", |_, scope, network, json| json.value(&shared(network, scope))),
    field("availability_zone_hints", |_, _, _, json| json.raw("[]")),
    field("availability_zones", |_, _, _, json| json.raw("[]")),
    field("ipv4_address_scope", |_, _, _, json| json.raw("null")),
    field("ipv6_address_scope", |_, _, _, json| json.raw("null")),
    field("router:external", |_, _, network, json| json.value(&network.external)),
    field("description", |_, _, _, json| json.raw("\"\"")),
    field("port_security_enabled", |_, _, _, json| json.raw("true")),
    field("tags", |_, _, _, json| json.raw("[]")),
    field("created_at", |_, _, network, json| json.plain(&seconds(network.created))),
    field("updated_at", |_, _, network, json| json.plain(&seconds(network.updated))),
    field("revision_number", |_, _, network, json| json.value(&network.revision)),
    field("project_id", |_, _, network, json| json.value(&*network.project)),
    admin("provider:network_type", |_, _, _, json| json.plain("vxlan")),
    admin("provider:physical_network", |_, _, _, json| json.raw("null")),
    admin("provider:segmentation_id", |_, _, network, json| json.value(&network.segment)),
];

/// `shared` says whether the network is shared to the caller's project, not whether it is shared at all.
fn shared(network: &Network, scope: &Scope) -> bool {
    network.shared_to(scope.project.as_deref())
}

impl Resource for Network {
    const KEY: &'static str = "network";
    const COLLECTION: &'static str = "networks";
    const KIND: &'static str = "Network";
    const FILTERS: &'static [&'static str] = &[
        "id",
        "name",
        "project_id",
        "tenant_id",
        "mtu",
        "status",
        "shared",
        "admin_state_up",
        "router:external",
    ];
    const NOT_SIMULATED: &'static [&'static str] = &[
        "description",
        "revision_number",
        "tags",
        "tags-any",
        "not-tags",
        "not-tags-any",
        "provider:network_type",
        "provider:physical_network",
        "provider:segmentation_id",
        "is_default",
        "port_security_enabled",
        "ipv4_address_scope",
        "ipv6_address_scope",
    ];
    const BOOLEANS: &'static [&'static str] = &["shared", "admin_state_up", "router:external"];
    const FIELDS: &'static [Field<Self>] = &FIELDS;

    fn id(&self) -> &Id {
        &self.id
    }

    fn get<'a>(state: &'a State, id: &str) -> Option<&'a Self> {
        state.networks.get(id)
    }

    fn visible(&self, _: &State, scope: &Scope) -> bool {
        self.visible_to(scope.project.as_deref(), scope.admin)
    }

    fn matches(&self, _: &State, scope: &Scope, filter: &str, wanted: &[String]) -> bool {
        match filter {
            "id" => among(wanted, &self.id),
            "name" => among(wanted, &self.name),
            "project_id" | "tenant_id" => among(wanted, &self.project),
            "mtu" => among(wanted, &self.mtu.to_string()),
            "status" => among(wanted, "ACTIVE"),
            "shared" => is(wanted, shared(self, scope)),
            "admin_state_up" => is(wanted, self.admin_state_up),
            _ => is(wanted, self.external),
        }
    }

    fn check(filter: &str, wanted: &[String]) -> Result<(), Fail> {
        if filter == "mtu" {
            check_integers(wanted)
        } else {
            Ok(())
        }
    }

    fn candidates<'a>(state: &'a State, _: &Query) -> Vec<&'a Self> {
        state.networks.values().collect()
    }
}
