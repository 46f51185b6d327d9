//! A server as Nova writes it. Which keys there are depends on the microversion and the role.

use super::{Caller, json_reply};
use crate::{
    net::{Json, Reply},
    simulator::Urls,
    state::{Port, Server, State},
    time::seconds,
};

/// A key of a server's body.
struct Field {
    name: &'static str,
    /// From this minor version on.
    since: u32,
    /// Up to this minor version.
    until: u32,
    /// Administrators only.
    admin: bool,
    /// Only where one server is asked for.
    single: bool,
    write: fn(&State, &Urls, &Server, &mut Json),
}

/// The keys one caller gets.
pub(super) struct Layout(Vec<&'static Field>);

const fn field(since: u32, name: &'static str, write: fn(&State, &Urls, &Server, &mut Json)) -> Field {
    Field {
        name,
        since,
        until: u32::MAX,
        admin: false,
        single: false,
        write,
    }
}

const fn admin(since: u32, name: &'static str, write: fn(&State, &Urls, &Server, &mut Json)) -> Field {
    Field {
        admin: true,
        ..field(since, name, write)
    }
}

const IMAGE: &str = "8208f0fa-c83d-4a82-970e-b73b7aa331e0";

#[rustfmt::skip]
static FIELDS: [Field; 46] = [
    field(1, "id", |_, _, server, json| json.value(&*server.id)),
    field(1, "name", |_, _, server, json| json.value(&server.name)),
    field(1, "status", |_, _, server, json| json.value(&server.status)),
    field(1, "tenant_id", |_, _, server, json| json.value(&*server.project)),
    field(1, "user_id", |_, _, server, json| json.value(&*server.user)),
    field(1, "metadata", |_, _, server, json| json.value(&server.metadata)),
    field(1, "hostId", |_, _, _, json| json.plain("f36c539d599f0b3ee33a0a0c4fc1a0464e2b75db74bda3159f70b258")),
    field(1, "image", |_, urls, _, json| image(urls, json)),
    Field { until: 46, ..field(1, "flavor", |_, urls, _, json| flavor_reference(urls, json)) },
    field(47, "flavor", |_, _, _, json| json.raw(r#"{"vcpus":1,"ram":64,"disk":0,"ephemeral":0,"swap":0,"original_name":"tiny","extra_specs":{}}"#)),
    field(1, "created", |_, _, server, json| json.plain(&seconds(server.created))),
    field(1, "updated", |_, _, server, json| json.plain(&seconds(server.updated))),
    field(1, "addresses", |state, _, server, json| addresses(state, server, json)),
    field(1, "accessIPv4", |_, _, _, json| json.raw("\"\"")),
    field(1, "accessIPv6", |_, _, _, json| json.raw("\"\"")),
    field(1, "links", |_, urls, server, json| links(urls, server, json)),
    field(1, "OS-DCF:diskConfig", |_, _, _, json| json.plain("MANUAL")),
    field(1, "progress", |_, _, _, json| json.raw("0")),
    field(1, "OS-EXT-AZ:availability_zone", |_, _, _, json| json.plain("nova")),
    field(1, "config_drive", |_, _, _, json| json.raw("\"\"")),
    field(1, "key_name", |_, _, _, json| json.raw("null")),
    field(1, "OS-SRV-USG:launched_at", |_, _, server, json| json.plain(&seconds(server.created).replace('Z', ".000000"))),
    field(1, "OS-SRV-USG:terminated_at", |_, _, _, json| json.raw("null")),
    field(1, "security_groups", |state, _, server, json| security_groups(state, server, json)),
    admin(1, "OS-EXT-SRV-ATTR:host", |_, _, _, json| json.plain("compute-1")),
    admin(1, "OS-EXT-SRV-ATTR:instance_name", |_, _, server, json| json.plain(&format!("instance-{:08x}", server.number))),
    admin(1, "OS-EXT-SRV-ATTR:hypervisor_hostname", |_, _, _, json| json.plain("compute-1")),
    admin(3, "OS-EXT-SRV-ATTR:reservation_id", |_, _, server, json| json.plain(&format!("r-{:08x}", server.number))),
    admin(3, "OS-EXT-SRV-ATTR:launch_index", |_, _, _, json| json.raw("0")),
    Field { until: 89, ..admin(3, "OS-EXT-SRV-ATTR:hostname", |_, _, server, json| json.value(&server.name)) },
    field(90, "OS-EXT-SRV-ATTR:hostname", |_, _, server, json| json.value(&server.name)),
    admin(3, "OS-EXT-SRV-ATTR:kernel_id", |_, _, _, json| json.raw("\"\"")),
    admin(3, "OS-EXT-SRV-ATTR:ramdisk_id", |_, _, _, json| json.raw("\"\"")),
    admin(3, "OS-EXT-SRV-ATTR:root_device_name", |_, _, _, json| json.plain("/dev/sda")),
    admin(3, "OS-EXT-SRV-ATTR:user_data", |_, _, _, json| json.raw("null")),
    field(1, "OS-EXT-STS:task_state", |_, _, _, json| json.raw("null")),
    field(1, "OS-EXT-STS:vm_state", |_, _, server, json| json.value(&vm_state(server))),
    field(1, "OS-EXT-STS:power_state", |_, _, server, json| json.raw(if server.status == "ACTIVE" { "1" } else { "4" })),
    field(1, "os-extended-volumes:volumes_attached", |_, _, _, json| json.raw("[]")),
    field(9, "locked", |_, _, _, json| json.raw("false")),
    admin(16, "host_status", |_, _, _, json| json.plain("UP")),
    field(19, "description", |_, _, _, json| json.raw("null")),
    field(26, "tags", |_, _, _, json| json.raw("[]")),
    field(63, "trusted_image_certificates", |_, _, _, json| json.raw("null")),
    Field { single: true, ..field(71, "server_groups", |_, _, _, json| json.raw("[]")) },
    field(73, "locked_reason", |_, _, _, json| json.raw("null")),
];

impl Layout {
    /// Of a server in a list.
    pub fn of_list(caller: &Caller) -> Self {
        Self::of(caller, false)
    }

    fn of(caller: &Caller, single: bool) -> Self {
        let version = caller.version.0;
        let fits = |field: &&Field| {
            (field.since..=field.until).contains(&version)
                && (caller.scope.admin || !field.admin)
                && (single || !field.single)
        };
        Self(FIELDS.iter().filter(fits).collect())
    }

    /// The keys of one server.
    pub fn write(&self, state: &State, urls: &Urls, server: &Server, json: &mut Json) {
        for field in &self.0 {
            // Nova leaves the key out where a server has no port.
            if field.name == "security_groups" && state.ports.of_device(&server.id).next().is_none() {
                continue;
            }
            json.key(field.name);
            (field.write)(state, urls, server, json);
        }
    }
}

/// `GET /servers/{id}`.
pub(super) fn show(state: &State, urls: &Urls, caller: &Caller, server: &Server) -> Reply {
    let layout = Layout::of(caller, true);
    json_reply(|json| {
        json.key("server");
        json.object(|json| layout.write(state, urls, server, json));
    })
}

/// Id, name and links: a list without details.
pub(super) fn brief(urls: &Urls, server: &Server, json: &mut Json) {
    json.key("id");
    json.value(&*server.id);
    json.key("name");
    json.value(&server.name);
    json.key("links");
    links(urls, server, json);
}

/// `GET /servers/{id}/os-interface`.
pub(super) fn interfaces(state: &State, server: &Server, json: &mut Json) {
    json.key("interfaceAttachments");
    json.list(|json| {
        for port in ports(state, server) {
            json.object(|json| interface(port, json));
        }
    });
}

fn interface(port: &Port, json: &mut Json) {
    for (key, value) in [
        ("net_id", &*port.network),
        ("port_id", &port.id),
        ("mac_addr", &port.mac),
        ("port_state", &port.status),
    ] {
        json.key(key);
        json.value(value);
    }
    json.key("fixed_ips");
    json.list(|json| {
        for fixed_ip in &port.fixed_ips {
            json.object(|json| {
                json.key("subnet_id");
                json.value(&*fixed_ip.subnet);
                json.key("ip_address");
                json.value(&fixed_ip.address);
            });
        }
    });
    json.key("tag");
    json.raw("null");
}

/// One link as an entry of a list.
pub(super) fn link(rel: &str, href: &str, json: &mut Json) {
    json.object(|json| {
        json.key("rel");
        json.plain(rel);
        json.key("href");
        json.value(href);
    });
}

fn links(urls: &Urls, server: &Server, json: &mut Json) {
    json.list(|json| {
        link("self", &format!("{}/v2.1/servers/{}", urls.nova, server.id), json);
        link("bookmark", &format!("{}/servers/{}", urls.nova, server.id), json);
    });
}

fn image(urls: &Urls, json: &mut Json) {
    json.raw("{\"id\":\"");
    json.raw(IMAGE);
    json.raw("\",\"links\":[");
    link("bookmark", &format!("{}/images/{IMAGE}", urls.nova), json);
    json.raw("]}");
}

fn flavor_reference(urls: &Urls, json: &mut Json) {
    json.raw("{\"id\":\"1\",\"links\":[");
    link("bookmark", &format!("{}/flavors/1", urls.nova), json);
    json.raw("]}");
}

fn ports<'a>(state: &'a State, server: &Server) -> impl Iterator<Item = &'a Port> {
    state.ports.of_device(&server.id).filter_map(|id| state.ports.get(id))
}

/// The addresses by network name, as Nova's cache has them.
fn addresses(state: &State, server: &Server, json: &mut Json) {
    let mut networks: Vec<(&str, Vec<&Port>)> = Vec::new();
    for port in ports(state, server) {
        let name = state
            .networks
            .get(&port.network)
            .map_or("", |network| network.name.as_str());
        match networks.iter_mut().find(|(known, _)| *known == name) {
            Some((_, ports)) => ports.push(port),
            None => networks.push((name, vec![port])),
        }
    }
    json.raw("{");
    for (name, ports) in networks {
        json.key(name);
        json.list(|json| ports.into_iter().for_each(|port| port_addresses(port, json)));
    }
    json.raw("}");
}

fn port_addresses(port: &Port, json: &mut Json) {
    for fixed_ip in &port.fixed_ips {
        json.object(|json| {
            json.key("version");
            json.value(&if fixed_ip.address.is_ipv4() { 4 } else { 6 });
            json.key("addr");
            json.value(&fixed_ip.address);
            json.key("OS-EXT-IPS:type");
            json.plain("fixed");
            json.key("OS-EXT-IPS-MAC:mac_addr");
            json.value(&port.mac);
        });
    }
}

fn security_groups(state: &State, server: &Server, json: &mut Json) {
    json.list(|json| {
        for _ in state.ports.of_device(&server.id) {
            json.comma();
            json.raw(r#"{"name":"default"}"#);
        }
    });
}

fn vm_state(server: &Server) -> String {
    match server.status.as_str() {
        "SHUTOFF" => "stopped".to_owned(),
        "BUILD" => "building".to_owned(),
        status => status.to_lowercase(),
    }
}
