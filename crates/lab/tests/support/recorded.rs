//! Recorded answers of a real OpenStack: the cloud they were given by, and the comparison with it.

use std::{collections::BTreeSet, fs};

use multinic_lab::{CloudBuilder, Lab};
use serde_json::Value;

use super::Answer;

/// The project most recordings are about.
pub const BIZ: &str = "bb62c2a5c5284f548908b864db59282c";
pub const OTHER: &str = "08793639093046cf837c5faf44e35f2b";
pub const ADMIN: &str = "ee0877964b9b450788524cb7dfc114ed";
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/openstack");

/// One recorded exchange.
pub struct Recorded {
    pub name: String,
    pub method: String,
    pub url: String,
    /// Without the token.
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub answer: Answer,
}

impl Recorded {
    pub fn read(name: &str) -> Self {
        let file =
            fs::read_to_string(format!("{FOLDER}/{name}.json")).unwrap_or_else(|error| panic!("{name}: {error}"));
        let file: Value = serde_json::from_str(&file).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let request = &file["request"];
        let headers = request["headers"].as_object().unwrap().iter();
        let answer = Answer {
            status: file["status"].as_u64().unwrap().try_into().unwrap(),
            headers: file["headers"]
                .as_array()
                .unwrap()
                .iter()
                .map(|pair| (text(&pair[0]).to_lowercase(), text(&pair[1])))
                .collect(),
            body: if file["body"].is_string() {
                text(&file["body"])
            } else {
                file["body"].to_string()
            },
        };
        Self {
            name: name.to_owned(),
            method: text(&request["method"]),
            url: text(&request["url"]),
            headers: headers
                .filter(|(key, _)| *key != "X-Auth-Token")
                .map(|(key, value)| (key.clone(), text(value)))
                .collect(),
            body: if request["body"].is_null() {
                String::new()
            } else {
                request["body"].to_string()
            },
            answer,
        }
    }

    /// Names of all recordings.
    pub fn all() -> BTreeSet<String> {
        let files = fs::read_dir(FOLDER)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap());
        files
            .filter_map(|file| file.strip_suffix(".json").map(ToOwned::to_owned))
            .collect()
    }

    /// The same request's address in the lab.
    pub fn url_in(&self, lab: &Lab) -> String {
        localise(&self.url, lab)
    }
}

fn localise(url: &str, lab: &Lab) -> String {
    let nova = lab.nova_url().replace("/v2.1", "");
    let keystone = lab.keystone_url().replace("/v3", "");
    url.replace("http://127.0.0.1:5000", &keystone)
        .replace("http://127.0.0.1:18774", &nova)
        .replace("http://127.0.0.1:8774", &nova)
        .replace("http://127.0.0.1:9696", &lab.neutron_url())
}

/// The cloud that was recorded, object by object, put together from what was recorded of it.
pub fn cloud() -> CloudBuilder {
    let cloud = CloudBuilder::new().provider("recorded").password("lab-admin");
    let cloud = cloud
        .project(ADMIN, "admin")
        .project(OTHER, "other")
        .project(BIZ, "biz");
    let cloud = cloud.user("biz-member", "member").password("lab-biz");
    let cloud = cloud.user("biz-reader", "reader").password("lab-biz");
    let cloud = cloud.user("biz-disabled", "member").password("lab-biz").disabled();
    let cloud = networks(cloud);
    let ports = items("neutron-ports-biz", "ports");
    let mut servers = items("nova-detail", "servers");
    let other = Recorded::read("nova-server-of-other-project-admin").answer.json()["server"].clone();
    let at = servers
        .iter()
        .position(|server| server["created"].as_str() < other["created"].as_str())
        .unwrap();
    servers.insert(at, other);
    let cloud = servers
        .iter()
        .rev()
        .fold(cloud, |cloud, server| vm(cloud, server, &ports));
    ports
        .iter()
        .filter(|port| port["device_id"] == "")
        .fold(cloud.in_project(BIZ), |cloud, recorded| {
            port(cloud.loose_port(str(&recorded["fixed_ips"][0]["subnet_id"])), recorded)
        })
}

fn networks(cloud: CloudBuilder) -> CloudBuilder {
    let mut subnets = items("neutron-subnets-two-ids", "subnets");
    subnets.extend(items("neutron-subnets-same-name", "subnets"));
    subnets.extend(items("neutron-subnets-of-network", "subnets"));
    subnets.sort_by_key(|subnet| str(&subnet["id"]).to_owned());
    subnets.dedup_by_key(|subnet| str(&subnet["id"]).to_owned());
    let cloud = items("neutron-networks", "networks")
        .iter()
        .fold(cloud, |cloud, network| {
            let cloud = cloud
                .network(str(&network["name"]))
                .id(str(&network["id"]))
                .created_at(unix(&network["created_at"]));
            let cloud = cloud.mtu(network["mtu"].as_i64().unwrap());
            let own = subnets.iter().filter(|subnet| subnet["network_id"] == network["id"]);
            let cloud = own.fold(cloud, subnet);
            // Its own answer was not recorded.
            if network["name"] != "biz-mgmt" {
                return cloud;
            }
            cloud
                .subnet("biz-mgmt-v4", "10.10.0.0/16")
                .id("136f2d7a-360c-42eb-b297-32fa781e095f")
        });
    let other = items("neutron-ports-biz", "ports")
        .into_iter()
        .find(|port| port["name"] == "other-vm-port")
        .unwrap();
    cloud
        .in_project(OTHER)
        .network("other-net")
        .id(str(&other["network_id"]))
        .subnet("other-v4", "10.10.0.0/24")
        .id(str(&other["fixed_ips"][0]["subnet_id"]))
}

fn subnet(cloud: CloudBuilder, subnet: &Value) -> CloudBuilder {
    let mut cloud = cloud
        .subnet(str(&subnet["name"]), str(&subnet["cidr"]))
        .id(str(&subnet["id"]));
    cloud = cloud.created_at(unix(&subnet["created_at"]));
    if subnet["gateway_ip"].is_null() {
        cloud = cloud.no_gateway();
    }
    if subnet["ipv6_address_mode"] == "slaac" {
        cloud = cloud.slaac();
    }
    let cloud = list(&subnet["dns_nameservers"])
        .iter()
        .fold(cloud, |cloud, address| cloud.dns(str(address)));
    list(&subnet["host_routes"]).iter().fold(cloud, |cloud, route| {
        cloud.host_route(str(&route["destination"]), str(&route["nexthop"]))
    })
}

fn vm(cloud: CloudBuilder, server: &Value, ports: &[Value]) -> CloudBuilder {
    let cloud = cloud
        .in_project(str(&server["tenant_id"]))
        .vm(str(&server["name"]))
        .id(str(&server["id"]));
    let cloud = cloud
        .status(str(&server["status"]))
        .created_at(unix(&server["created"]));
    let metadata = server["metadata"].as_object().unwrap();
    let cloud = metadata
        .iter()
        .fold(cloud, |cloud, (key, value)| cloud.metadata(key, str(value)));
    let own = ports.iter().filter(|port| port["device_id"] == server["id"]);
    own.fold(cloud, |cloud, recorded| {
        port(cloud.port(str(&recorded["fixed_ips"][0]["subnet_id"])), recorded)
    })
}

/// Says the rest about a port that was just added on its first address's subnet. SLAAC addresses are left to the lab.
fn port(cloud: CloudBuilder, port: &Value) -> CloudBuilder {
    let cloud = cloud
        .id(str(&port["id"]))
        .named(str(&port["name"]))
        .mac(str(&port["mac_address"]));
    let cloud = cloud
        .status(str(&port["status"]))
        .owned_by(str(&port["project_id"]))
        .created_at(unix(&port["created_at"]));
    let mut cloud = cloud.address(str(&port["fixed_ips"][0]["ip_address"]));
    if port["admin_state_up"] == false {
        cloud = cloud.admin_down();
    }
    let more = list(&port["fixed_ips"])[1..]
        .iter()
        .filter(|fixed_ip| !str(&fixed_ip["ip_address"]).contains(':'));
    more.fold(cloud, |cloud, fixed_ip| {
        cloud
            .also_on(str(&fixed_ip["subnet_id"]))
            .address(str(&fixed_ip["ip_address"]))
    })
}

fn items(name: &str, key: &str) -> Vec<Value> {
    list(&Recorded::read(name).answer.json()[key]).clone()
}

fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap()
}

fn str(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn unix(date: &Value) -> i64 {
    str(date).parse::<jiff::Timestamp>().unwrap().as_second()
}

/// What the recorded installation made up by chance, and what its history has left behind: only the type is compared.
const BY_CHANCE: [&str; 20] = [
    "revision_number",
    "updated_at",
    "updated",
    "hostId",
    "description",
    "OS-EXT-SRV-ATTR:instance_name",
    "OS-EXT-SRV-ATTR:reservation_id",
    "OS-SRV-USG:launched_at",
    "user_id",
    "provider:segmentation_id",
    "audit_ids[]",
    "expires_at",
    "issued_at",
    "security_groups[]",
    "user.id",
    "roles[].id",
    "catalog[].id",
    "endpoints[].id",
    "methods[]",
    "image.id",
];
/// Headers that say nothing about the service.
const NO_HEADERS: [&str; 2] = ["date", "x-subject-token"];

/// Every difference between what was recorded and what the lab answers.
pub fn differences(recorded: &Recorded, answer: &Answer, lab: &Lab) -> Vec<String> {
    let mut found = Vec::new();
    if recorded.answer.status != answer.status {
        found.push(format!(
            "status {} instead of {}: {}",
            answer.status, recorded.answer.status, answer.body
        ));
        return found;
    }
    let expected = headers(&recorded.answer, lab);
    let actual = headers(answer, lab);
    if expected != actual {
        found.push(format!("headers {actual:?} instead of {expected:?}"));
    }
    match (
        serde_json::from_str(&recorded.answer.body),
        serde_json::from_str(&answer.body),
    ) {
        (Ok(mut expected), Ok(mut actual)) => {
            arrange(&mut expected, lab);
            arrange(&mut actual, lab);
            compare("", &expected, &actual, &mut found);
        }
        _ if recorded.answer.body == answer.body => {}
        _ => found.push(format!("body {:?} instead of {:?}", answer.body, recorded.answer.body)),
    }
    found
}

/// Header by header; of lengths and request ids only that they are there.
fn headers(answer: &Answer, lab: &Lab) -> BTreeSet<(String, String)> {
    let kept = answer
        .headers
        .iter()
        .filter(|(name, _)| !NO_HEADERS.contains(&name.as_str()));
    let pairs = kept.map(|(name, value)| match name.as_str() {
        "content-length" | "x-openstack-request-id" | "x-compute-request-id" => (name.clone(), String::new()),
        _ => (name.clone(), localise(value, lab)),
    });
    pairs.collect()
}

/// Puts both sides into one order where the order says nothing, and takes out what the lab does not have.
fn arrange(value: &mut Value, lab: &Lab) {
    match value {
        // Keystone prints its whole schema behind the first line.
        Value::String(text) if text.contains("Failed validating") => {
            text.truncate(text.find(':').unwrap_or(text.len()));
        }
        Value::String(text) => *text = localise(text, lab),
        Value::Array(items) => items.iter_mut().for_each(|item| arrange(item, lab)),
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                arrange(value, lab);
                let Value::Array(items) = value else { continue };
                // Left behind by the recording of an update.
                if key == "allowed_address_pairs" {
                    items.clear();
                }
                if key == "catalog" {
                    items.retain(|item| ["compute", "identity", "network"].contains(&str(&item["type"])));
                }
                let by = match key.as_str() {
                    "catalog" => "type",
                    "roles" | "projects" => "name",
                    "endpoints" => "interface",
                    _ if items.iter().all(|item| item.get("OS-EXT-IPS:type").is_some()) => "addr",
                    _ => continue,
                };
                items.sort_by_key(|item| item[by].as_str().map(ToOwned::to_owned));
            }
        }
        _ => {}
    }
}

fn compare(path: &str, expected: &Value, actual: &Value, found: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            let keys = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<BTreeSet<_>>();
            if keys(expected) != keys(actual) {
                found.push(format!(
                    "{path}: keys {:?} instead of {:?}",
                    keys(actual),
                    keys(expected)
                ));
            }
            for (key, value) in expected {
                if let Some(other) = actual.get(key) {
                    compare(&format!("{path}.{key}"), value, other, found);
                }
            }
        }
        (Value::Array(expected), Value::Array(actual)) => {
            if expected.len() != actual.len() {
                found.push(format!("{path}: {} items instead of {}", actual.len(), expected.len()));
            }
            for (value, other) in expected.iter().zip(actual) {
                compare(&format!("{path}[]"), value, other, found);
            }
        }
        (expected, actual) if BY_CHANCE.iter().any(|end| path.ends_with(end)) => {
            let same_type = std::mem::discriminant(expected) == std::mem::discriminant(actual);
            found.extend((!same_type).then(|| format!("{path}: {actual} is of another type than {expected}")));
        }
        (expected, actual) if expected != actual => found.push(format!("{path}: {actual} instead of {expected}")),
        _ => {}
    }
}
