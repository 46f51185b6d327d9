//! The service catalog: every service in every region behind every interface, with the test's changes.

use serde_json::{Value, json};

use super::is_admin;
use crate::{
    ids,
    net::Reply,
    simulator::Urls,
    state::{Scope, Settings, State},
};

/// `GET /v3/auth/catalog`.
pub(super) fn answer(state: &State, urls: &Urls, scope: &Scope) -> Reply {
    if scope.project.is_none() && !is_admin(scope) {
        return super::forbidden("identity:get_auth_catalog");
    }
    let links = json!({"next": null, "self": format!("{}/v3/auth/catalog", urls.keystone), "previous": null});
    Reply::json(200, &json!({"catalog": entries(&state.settings, urls), "links": links}))
}

/// The catalog of a project-scoped token.
pub(super) fn entries(settings: &Settings, urls: &Urls) -> Value {
    let services = [
        ("network", "neutron", urls.neutron.clone()),
        ("compute", "nova", format!("{}/v2.1", urls.nova)),
        ("identity", "keystone", format!("{}/v3", urls.keystone)),
    ];
    let entries = services.iter().zip(1..).map(|((service_type, name, url), number)| {
        json!({
            "endpoints": endpoints(settings, service_type, url),
            "id": &*ids::hex("service", number),
            "type": service_type,
            "name": name,
        })
    });
    entries.collect()
}

fn endpoints(settings: &Settings, service_type: &str, default: &str) -> Vec<Value> {
    let interfaces = ["admin", "public", "internal"];
    let lines = settings
        .regions
        .iter()
        .flat_map(|region| interfaces.map(|interface| (region, interface)));
    let endpoint = |(number, (region, interface)): (u64, (&String, &str))| {
        let change = settings.catalog.iter().rev().find(|change| {
            change.service_type == service_type && change.interface == interface && change.region == *region
        });
        let url = change.map_or(Some(default), |change| change.url.as_deref())?;
        let id = ids::hex(service_type, number);
        Some(json!({"id": &*id, "interface": interface, "region_id": region, "url": url, "region": region}))
    };
    (0..).zip(lines).filter_map(endpoint).collect()
}
