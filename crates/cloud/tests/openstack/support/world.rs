//! A project of three servers on one network, whose answers a test can replace path by path.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use multinic_cloud::{Clock, Cloud, CloudCredentials, CloudError, CloudSettings, ReadRequest, RetryPolicy};
use multinic_model::{SubnetSelector, VmSelector, inventory::Inventory};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{Answer, Seen, Server, recorded};

/// The project of the recorded token.
pub const PROJECT: &str = "bb62c2a5c5284f548908b864db59282c";
pub const OTHER_PROJECT: &str = "08793639093046cf837c5faf44e35f2b";
pub const SUBNET: &str = "00000000-0000-4000-8000-000000005000";
pub const NETWORK: &str = "00000000-0000-4000-8000-000000004000";
pub const PASSWORD: &str = "the-password-nobody-may-see";
pub const TOKEN: &str = "gAAAAA-the-token-nobody-may-see";

pub const TOKENS: &str = "/identity/v3/auth/tokens";
pub const SERVERS: &str = "/compute/v2.1/servers";
pub const SUBNETS: &str = "/network/v2.0/subnets";
pub const NETWORKS: &str = "/network/v2.0/networks";
pub const PORTS: &str = "/network/v2.0/ports";

type Route = Box<dyn Fn(&Seen, usize) -> Answer + Send + Sync>;

pub fn server_id(n: usize) -> String {
    format!("00000000-0000-4000-8000-0000000010{n:02}")
}

pub fn port(n: usize) -> Value {
    json!({"id": format!("00000000-0000-4000-8000-0000000020{n:02}"), "mac_address": format!("fa:16:3e:00:00:{n:02x}"),
        "device_id": server_id(n), "status": "ACTIVE", "created_at": "2026-11-22T13:20:16Z",
        "fixed_ips": [{"subnet_id": SUBNET, "ip_address": format!("10.0.0.{n}")}]})
}

pub fn subnet(id: &str, name: &str, project: &str) -> Value {
    json!({"id": id, "name": name, "network_id": NETWORK, "cidr": "10.0.0.0/24", "project_id": project})
}

pub fn network(project: &str, shared: bool) -> Value {
    json!({"id": NETWORK, "mtu": 1450, "project_id": project, "shared": shared})
}

/// The recorded login, with the catalog pointing to our server and a token of its own for each login.
pub fn token(server: &str, n: usize) -> Answer {
    let answer = recorded("keystone-token-ok");
    let body = String::from_utf8(answer.body())
        .unwrap()
        .replace("http://127.0.0.1:5000", &format!("{server}/identity"))
        .replace("http://127.0.0.1:8774", &format!("{server}/compute"))
        .replace("http://127.0.0.1:9696", &format!("{server}/network"));
    let headers = vec![("X-Subject-Token".into(), format!("{TOKEN}-{n}"))];
    Answer::UntilClose {
        status: 201,
        headers,
        body: body.into_bytes(),
    }
}

#[derive(Default)]
pub struct World {
    routes: BTreeMap<String, Route>,
    tls: Option<tokio_rustls::TlsAcceptor>,
}

impl World {
    pub fn on(mut self, path: &str, route: impl Fn(&Seen, usize) -> Answer + Send + Sync + 'static) -> Self {
        self.routes.insert(path.into(), Box::new(route));
        self
    }

    /// The answers one after the other; the last one for ever.
    pub fn answers(self, path: &str, answers: Vec<Answer>) -> Self {
        self.on(path, move |_, n| answers[n.min(answers.len() - 1)].clone())
    }

    pub fn tls(mut self, tls: tokio_rustls::TlsAcceptor) -> Self {
        self.tls = Some(tls);
        self
    }

    pub async fn start(self) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port());
        let (routes, base) = (self.routes, url.clone());
        let server = Server::start_on(listener, self.tls, move |seen, n| match routes.get(&seen.path) {
            Some(route) => route(seen, n),
            None => usual(&base, seen, n),
        });
        Running {
            server,
            url,
            clock: Arc::default(),
            settings: settings(),
        }
    }
}

/// What the small cloud answers where a test says nothing else.
pub fn usual(base: &str, seen: &Seen, n: usize) -> Answer {
    let one = |id: &str| json!({"id": id, "name": format!("vm-{}", &id[34..]), "links": []});
    let page = |key: &str, items: Vec<Value>| Answer::json(200, &json!({key: items}));
    match seen.path.as_str() {
        TOKENS => token(base, n),
        SERVERS => page("servers", (1..=3).map(|n| one(&server_id(n))).collect()),
        SUBNETS => page("subnets", vec![subnet(SUBNET, "data", PROJECT)]),
        NETWORKS => page("networks", vec![network(PROJECT, false)]),
        PORTS => page("ports", (1..=3).map(port).collect()),
        path => match path.strip_prefix("/compute/v2.1/servers/") {
            Some(id) if id != "detail" => {
                let mut server = one(id);
                server["status"] = "ACTIVE".into();
                server["tenant_id"] = PROJECT.into();
                server["metadata"] = json!({"node": "worker"});
                Answer::json(200, &json!({"server": server}))
            }
            _ => Answer::empty(404),
        },
    }
}

/// A clock that stands still until it is moved.
#[derive(Default, Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

pub fn settings() -> CloudSettings {
    CloudSettings {
        requests_per_second: NonZeroU32::new(10_000).unwrap(),
        retry: RetryPolicy {
            budget: Duration::from_secs(20),
            first_delay: Duration::from_millis(1),
            max_delay: Duration::from_millis(2),
            max_silent_tries: 3,
        },
        ..CloudSettings::default()
    }
}

pub struct Running {
    pub server: Server,
    pub url: String,
    pub clock: Arc<TestClock>,
    pub settings: CloudSettings,
}

impl Running {
    pub fn cloud(&self) -> Cloud {
        Cloud::with_clock(self.settings.clone(), Arc::clone(&self.clock) as Arc<dyn Clock>)
    }

    pub fn credentials(&self) -> CloudCredentials {
        CloudCredentials {
            provider: "provider-1".parse().unwrap(),
            project: PROJECT.parse().unwrap(),
            auth_url: format!("{}/identity", self.url).parse().unwrap(),
            username: "admin".into(),
            password: PASSWORD.into(),
            domain: "default".into(),
        }
    }

    /// A reading through a cloud that knows nothing yet.
    pub async fn read(&self, request: &ReadRequest) -> Result<Inventory, CloudError> {
        self.cloud().read(&self.credentials(), request).await
    }

    pub fn paths(&self) -> Vec<String> {
        self.server.seen().into_iter().map(|seen| seen.path).collect()
    }
}

/// All three servers by name and the one subnet by id.
pub fn request() -> ReadRequest {
    request_for(
        &["vm-01", "vm-02", "vm-03"],
        &[SubnetSelector::Id(SUBNET.parse().unwrap())],
    )
}

pub fn request_for(vms: &[&str], subnets: &[SubnetSelector]) -> ReadRequest {
    ReadRequest {
        vms: vms.iter().map(|vm| VmSelector::new(vm).unwrap()).collect(),
        subnets: subnets.iter().cloned().collect::<BTreeSet<_>>(),
    }
}

pub fn by_id(id: &str) -> SubnetSelector {
    SubnetSelector::Id(id.parse().unwrap())
}

pub fn named(name: &str) -> SubnetSelector {
    SubnetSelector::Name(name.into())
}

pub fn page(key: &str, items: &[Value]) -> Answer {
    Answer::json(200, &json!({key: items}))
}

/// A page of `key` with a link to the next one.
pub fn page_before(key: &str, items: &[Value], marker: &str) -> Answer {
    let href = format!("http://some-proxy.example.com/x?limit=2&marker={marker}");
    Answer::json(
        200,
        &json!({key: items, format!("{key}_links"): [{"rel": "next", "href": href}]}),
    )
}
