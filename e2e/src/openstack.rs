//! The lab's OpenStack, driven directly: what an administrator or a user would do while multinic runs.

use std::{collections::BTreeMap, path::PathBuf, process::Command, time::Duration};

use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::Failure;

/// Keystone's own address.
pub const KEYSTONE: &str = "http://127.0.0.1:5000/v3";
const NOVA: &str = "http://127.0.0.1:8774/v2.1";
const NEUTRON: &str = "http://127.0.0.1:9696/v2.0";
const PATIENCE: Duration = Duration::from_mins(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// What `seed.sh` made, by name.
#[derive(Deserialize)]
pub struct Seed {
    /// Project ids.
    pub projects: BTreeMap<String, String>,
    /// Subnet ids; the two subnets of one name are `biz-shared-name@mgmt` and `biz-shared-name@storage`.
    pub subnets: BTreeMap<String, String>,
    /// Server ids.
    pub servers: BTreeMap<String, String>,
    /// The two servers called `dup-vm`.
    pub dup_servers: Vec<String>,
    /// Port ids.
    pub ports: BTreeMap<String, String>,
}

/// A server that a check has made, and its port.
pub struct Made {
    /// The server's id.
    pub server: String,
    /// The port's id.
    pub port: String,
    /// Its MAC address.
    pub mac: Value,
    /// Its address.
    pub address: Value,
}

/// A session of the administrator in project biz.
pub struct OpenStack {
    client: Client,
    password: String,
    token: Mutex<String>,
    /// What the seed made.
    pub seed: Seed,
}

impl OpenStack {
    /// Reads the seed's summary; logs in when first needed.
    pub fn new(password: &str) -> Result<Self, Failure> {
        let path = lab_state().join("seed.json");
        let seed =
            std::fs::read(&path).map_err(|error| format!("{}: {error}; run e2e/openstack/seed.sh", path.display()))?;
        // Debian's uWSGI closes after every answer without saying so: no connection is used twice.
        let client = Client::builder().pool_max_idle_per_host(0).timeout(PATIENCE).build()?;
        let seed = serde_json::from_slice(&seed)?;
        Ok(Self {
            client,
            password: password.to_owned(),
            token: Mutex::default(),
            seed,
        })
    }

    /// A fresh token of the administrator, in project biz.
    pub async fn log_in(&self) -> Result<String, Failure> {
        let user = json!({"name": "admin", "domain": {"id": "default"}, "password": self.password});
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let scope = json!({"project": {"name": "biz", "domain": {"id": "default"}}});
        let body = json!({"auth": {"identity": identity, "scope": scope}});
        let answer = self
            .client
            .post(format!("{KEYSTONE}/auth/tokens"))
            .json(&body)
            .send()
            .await?
            .error_for_status()?;
        let token = answer
            .headers()
            .get("x-subject-token")
            .ok_or("Keystone gave no token")?;
        Ok(token.to_str()?.to_owned())
    }

    /// Whether Keystone still knows a token.
    pub async fn token_is_alive(&self, token: &str) -> Result<bool, Failure> {
        let mine = self.log_in().await?;
        let request = self.client.get(format!("{KEYSTONE}/auth/tokens"));
        let answer = request
            .header("X-Auth-Token", mine)
            .header("X-Subject-Token", token)
            .send()
            .await?;
        Ok(answer.status() == StatusCode::OK)
    }

    async fn send(&self, method: Method, url: String, body: Option<Value>) -> Result<Value, Failure> {
        let mut answer = self.once(&method, &url, body.as_ref()).await?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            *self.token.lock().await = self.log_in().await?;
            answer = self.once(&method, &url, body.as_ref()).await?;
        }
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            return Err(format!("{method} {url}: {status} {text}").into());
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn once(&self, method: &Method, url: &str, body: Option<&Value>) -> Result<Response, Failure> {
        let mut request = self
            .client
            .request(method.clone(), url)
            .header("X-Auth-Token", &*self.token.lock().await);
        if let Some(body) = body {
            request = request.json(body);
        }
        Ok(request.send().await?)
    }

    /// One Neutron port.
    pub async fn port(&self, name: &str) -> Result<Value, Failure> {
        let mut answer = self
            .send(Method::GET, format!("{NEUTRON}/ports/{}", self.port_id(name)?), None)
            .await?;
        Ok(answer["port"].take())
    }

    /// Plugs a port into a server, and waits until Neutron says so.
    pub async fn attach(&self, server: &str, port: &str) -> Result<(), Failure> {
        let body = json!({"interfaceAttachment": {"port_id": self.port_id(port)?}});
        let id = self.server_id(server)?;
        self.send(Method::POST, format!("{NOVA}/servers/{id}/os-interface"), Some(body))
            .await?;
        self.wait_for_device(port, id).await
    }

    /// Unplugs it again, and waits until Neutron says so.
    pub async fn detach(&self, server: &str, port: &str) -> Result<(), Failure> {
        let (id, port_id) = (self.server_id(server)?, self.port_id(port)?);
        self.send(
            Method::DELETE,
            format!("{NOVA}/servers/{id}/os-interface/{port_id}"),
            None,
        )
        .await?;
        self.wait_for_device(port, "").await
    }

    async fn wait_for_device(&self, port: &str, device: &str) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        while self.port(port).await?["device_id"] != device {
            if Instant::now() > deadline {
                return Err(format!("port {port} never got device_id {device:?}").into());
            }
            sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    /// Makes a server of the same image and flavor as another one, with one port in the network and subnet of that port.
    pub async fn create_like(&self, server: &str, name: &str, port: &str) -> Result<Made, Failure> {
        let like = self.port(port).await?;
        let subnet = &like["fixed_ips"][0]["subnet_id"];
        let wanted = json!({"port": {"name": name, "network_id": like["network_id"], "project_id": like["project_id"],
            "fixed_ips": [{"subnet_id": subnet}]}});
        let port = self
            .send(Method::POST, format!("{NEUTRON}/ports"), Some(wanted))
            .await?["port"]
            .take();
        let url = format!("{NOVA}/servers/{}", self.server_id(server)?);
        let like = self.send(Method::GET, url, None).await?["server"].take();
        let wanted = json!({"server": {"name": name, "imageRef": like["image"]["id"], "flavorRef": like["flavor"]["id"],
            "networks": [{"port": port["id"]}]}});
        let made = self.send(Method::POST, format!("{NOVA}/servers"), Some(wanted)).await?;
        let made = Made {
            server: text(&made["server"]["id"]),
            port: text(&port["id"]),
            mac: port["mac_address"].clone(),
            address: port["fixed_ips"][0]["ip_address"].clone(),
        };
        self.wait_for_server(&made.server, |status| status == Some("ACTIVE"))
            .await?;
        Ok(made)
    }

    /// Deletes a server, and waits until Nova does not know it any more.
    pub async fn delete_server(&self, id: &str) -> Result<(), Failure> {
        self.send(Method::DELETE, format!("{NOVA}/servers/{id}"), None).await?;
        self.wait_for_server(id, |status| status.is_none()).await
    }

    /// Deletes what [`OpenStack::create_like`] made, as far as it is there.
    pub async fn forget(&self, made: &Made) -> Result<(), Failure> {
        if self.server_status(&made.server).await?.is_some() {
            self.delete_server(&made.server).await?;
        }
        let url = format!("{NEUTRON}/ports/{}", made.port);
        self.send(Method::DELETE, url, None).await.map(drop)
    }

    async fn wait_for_server(&self, id: &str, expected: impl Fn(Option<&str>) -> bool) -> Result<(), Failure> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let status = self.server_status(id).await?;
            if expected(status.as_deref()) {
                return Ok(());
            }
            if Instant::now() > deadline || status.as_deref() == Some("ERROR") {
                return Err(format!("server {id} stays {status:?}").into());
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }

    async fn server_status(&self, id: &str) -> Result<Option<String>, Failure> {
        // An unknown server is a 404; asked for by list it is just not there.
        let mut list = self
            .send(Method::GET, format!("{NOVA}/servers/detail?uuid={id}"), None)
            .await?;
        let servers = list["servers"].take();
        let found = servers
            .as_array()
            .into_iter()
            .flatten()
            .find(|server| server["id"] == id);
        Ok(found.map(|server| text(&server["status"])))
    }

    /// Gives a server another name.
    pub async fn rename(&self, server: &str, name: &str) -> Result<(), Failure> {
        let url = format!("{NOVA}/servers/{}", self.server_id(server)?);
        self.send(Method::PUT, url, Some(json!({"server": {"name": name}})))
            .await
            .map(drop)
    }

    /// A server's id by the seed's name.
    pub fn server_id(&self, name: &str) -> Result<&str, Failure> {
        id_of(&self.seed.servers, name)
    }

    /// A port's id by the seed's name.
    pub fn port_id(&self, name: &str) -> Result<&str, Failure> {
        id_of(&self.seed.ports, name)
    }

    /// A subnet's id by the seed's key.
    pub fn subnet_id(&self, name: &str) -> Result<&str, Failure> {
        id_of(&self.seed.subnets, name)
    }

    /// A project's id by name.
    pub fn project_id(&self, name: &str) -> Result<&str, Failure> {
        id_of(&self.seed.projects, name)
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn id_of<'a>(ids: &'a BTreeMap<String, String>, name: &str) -> Result<&'a str, Failure> {
    ids.get(name)
        .map(String::as_str)
        .ok_or_else(|| format!("the seed has no {name}").into())
}

fn lab_state() -> PathBuf {
    std::env::var_os("LAB_STATE").map_or_else(|| std::env::temp_dir().join("multinic-openstack"), PathBuf::from)
}

/// Runs one of the lab's scripts.
pub fn script(name: &str, args: &[&str], knobs: &[(&str, &str)]) -> Result<(), Failure> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("openstack").join(name);
    let output = Command::new(&path).args(args).envs(knobs.iter().copied()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    Err(format!(
        "{} {}: {}",
        path.display(),
        args.join(" "),
        String::from_utf8_lossy(&said)
    )
    .into())
}
