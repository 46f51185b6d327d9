//! The pod's command, run as a process, with the pod's volumes as folders.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use multinic_testing::postgres::PostgresDatabase;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{NAME, installed};
use crate::cluster::{Cluster, NAMESPACE, container, texts};

const TOKEN: &str = "the-token-of-the-operator-in-this-test";

/// The process, and the folder that stands for its root.
struct Pod {
    process: Child,
    root: TempDir,
    address: String,
    deployment: Value,
}

impl Drop for Pod {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Pod {
    fn start(cluster: &Cluster) -> Self {
        let deployment = cluster.get("deployments.apps", NAME);
        let container = container(&deployment);
        let root = TempDir::new().unwrap();
        let mounts = mount(cluster, &deployment, root.path());
        let moved = texts(&container["args"]).into_iter().map(|argument| {
            let under = mounts.iter().find(|path| argument.contains(path.as_str()));
            match under {
                Some(path) => argument.replace(path, &format!("{}{path}", root.path().display())),
                None => argument.replace("0.0.0.0:8080", "127.0.0.1:0"),
            }
        });
        let mut process = Command::new(env!("CARGO_BIN_EXE_multinic"))
            .args(moved)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap())
            .lines()
            .map(Result::unwrap);
        let mut said = Vec::new();
        let address = lines.find_map(|line| {
            let address = line.strip_prefix("listening on http://").map(ToOwned::to_owned);
            said.push(line);
            address
        });
        let address = address.unwrap_or_else(|| panic!("it does not serve: {said:#?}"));
        // Somebody has to read on, or the process could not log any more.
        std::thread::spawn(move || lines.count());
        Self {
            process,
            root,
            address,
            deployment,
        }
    }

    /// Status and body of a request.
    fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: pod\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
             x-provider-id: biz-1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer)
    }

    /// Probes, refusals, and a node config that is taken.
    fn serves(&self) {
        for probe in ["livenessProbe", "readinessProbe"] {
            let path = container(&self.deployment)[probe]["httpGet"]["path"].clone();
            assert_eq!(self.ask("GET", path.as_str().unwrap(), "", "").0, 200, "{path}");
        }
        assert_eq!(self.ask("GET", "/metrics", "", "").0, 200);
        let path = "/v1/k8s/multinic/node-configs";
        let body = r#"[{"nodeName": "worker-1", "instanceId": "i-1", "interfaces": []}]"#;
        assert_eq!(self.ask("POST", path, "a-token-of-somebody-else", body).0, 401);
        let (status, answer) = self.ask("POST", path, TOKEN, body);
        assert!(status == 200 && answer.contains("created"), "{answer}");
    }
}

/// Makes the volumes' files below a folder as the kubelet makes them below the container's root; where they are mounted.
fn mount(cluster: &Cluster, deployment: &Value, root: &Path) -> Vec<String> {
    let volumes = deployment["spec"]["template"]["spec"]["volumes"].as_array().unwrap();
    let mounts = container(deployment)["volumeMounts"].as_array().unwrap().clone();
    let mut paths = Vec::new();
    for at in mounts {
        let volume = volumes.iter().find(|volume| volume["name"] == at["name"]).unwrap();
        let path = at["mountPath"].as_str().unwrap();
        let folder = root.join(path.trim_start_matches('/'));
        fs::create_dir_all(&folder).unwrap();
        for (name, content) in files(cluster, volume) {
            fs::write(folder.join(name), content).unwrap();
        }
        paths.push(path.to_owned());
    }
    paths
}

/// The files of a volume.
fn files(cluster: &Cluster, volume: &Value) -> BTreeMap<PathBuf, String> {
    let projected = volume["projected"]["sources"].as_array().cloned().unwrap_or_default();
    let mut secrets = vec![(volume["secret"].clone(), volume["secret"]["secretName"].clone())];
    secrets.extend(
        projected
            .iter()
            .map(|source| (source["secret"].clone(), source["secret"]["name"].clone())),
    );
    let maps = projected
        .iter()
        .map(|source| (source["configMap"].clone(), source["configMap"]["name"].clone()));
    let secrets = secrets.into_iter().map(|(source, name)| ("secrets", source, name));
    let maps = maps.map(|(source, name)| ("configmaps", source, name));
    let mut files = BTreeMap::new();
    for (resource, source, name) in secrets.chain(maps).filter(|(_, source, _)| !source.is_null()) {
        let object = cluster.get(resource, name.as_str().unwrap());
        for item in source["items"].as_array().unwrap() {
            let value = object["data"][item["key"].as_str().unwrap()].as_str().unwrap();
            let text = if resource == "secrets" {
                decoded(value)
            } else {
                value.to_owned()
            };
            files.insert(PathBuf::from(item["path"].as_str().unwrap()), text);
        }
    }
    files
}

fn decoded(base64: &str) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    String::from_utf8(STANDARD.decode(base64).unwrap()).unwrap()
}

fn secret(cluster: &Cluster, name: &str, key: &str, value: &str) {
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "stringData": {key: value},
    });
    cluster.lab.apply(secret).unwrap();
}

#[tokio::test]
async fn on_sqlite_it_serves_with_what_the_pod_is_given_and_writes_into_its_volume_only() {
    let cluster = installed("sqlite").await;
    secret(&cluster, "multinic", "token", TOKEN);
    let pod = Pod::start(&cluster);
    let given = files_below(pod.root.path());
    pod.serves();
    let written = files_below(pod.root.path());
    let volume = pod.root.path().join("var/lib/multinic");
    assert!(written.contains(&volume.join("api.db")));
    let elsewhere: Vec<_> = written
        .difference(&given)
        .filter(|path| !path.starts_with(&volume))
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}

fn files_below(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let below = entries.flat_map(|path| {
        if path.is_dir() {
            files_below(&path)
        } else {
            [path].into()
        }
    });
    below.collect()
}

#[tokio::test]
async fn on_postgresql_two_replicas_serve_what_either_has_taken() {
    let cluster = installed("postgresql").await;
    let database = PostgresDatabase::create();
    secret(&cluster, "multinic", "token", TOKEN);
    secret(&cluster, "multinic-database", "url", &database.url());
    let (one, other) = (Pod::start(&cluster), Pod::start(&cluster));
    one.serves();
    let path = "/v1/k8s/multinic/node-configs/worker-1";
    let (status, answer) = other.ask("GET", path, TOKEN, "");
    assert!(status == 200 && answer.contains("\"i-1\""), "{answer}");
}
