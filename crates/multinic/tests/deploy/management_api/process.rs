//! The pod's command as a process, with the pod's volumes as folders.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_rustls::rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, pem::PemObject},
};

use super::NAME;
use crate::cluster::{Cluster, NAMESPACE, container, texts};

/// The operator's token.
pub const TOKEN: &str = "the-token-of-the-operator-in-this-test";

/// Where node configs are.
pub const NODES: &str = "/v1/k8s/multinic/node-configs";

/// The process, and the folder that stands for its root.
pub struct Pod {
    process: Child,
    pub root: TempDir,
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
    pub fn start(cluster: &Cluster) -> Self {
        let deployment = cluster.get("deployments.apps", NAME);
        let container = container(&deployment);
        let root = TempDir::new().unwrap();
        let mounts = mount(cluster, &deployment, root.path());
        let moved = texts(&container["args"]).into_iter().map(|argument| {
            let under = mounts.iter().find(|path| argument.contains(path.as_str()));
            match under {
                Some(path) => argument.replace(path, &format!("{}{path}", root.path().display())),
                None => argument.replace("0.0.0.0:8443", "127.0.0.1:0"),
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
            let address = line.strip_prefix("listening on https://").map(ToOwned::to_owned);
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

    /// As the operator does: by the Service's name, with the certificate that it trusts.
    fn connect(&self) -> StreamOwned<ClientConnection, TcpStream> {
        let trusted = self.root.path().join("etc/multinic/tls/tls.crt");
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_file_iter(trusted).unwrap() {
            roots.add(certificate.unwrap()).unwrap();
        }
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let connection = ClientConnection::new(Arc::new(config), NAME.try_into().unwrap()).unwrap();
        StreamOwned::new(connection, TcpStream::connect(&self.address).unwrap())
    }

    /// Status and answer of a request.
    pub fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        let mut stream = self.connect();
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
    pub fn serves(&self) {
        for probe in ["livenessProbe", "readinessProbe"] {
            let path = container(&self.deployment)[probe]["httpGet"]["path"].clone();
            assert_eq!(self.ask("GET", path.as_str().unwrap(), "", "").0, 200, "{path}");
        }
        assert_eq!(self.ask("GET", "/metrics", "", "").0, 200);
        let body = r#"[{"nodeName": "worker-1", "instanceId": "i-1", "interfaces": []}]"#;
        assert_eq!(self.ask("POST", NODES, "a-token-of-somebody-else", body).0, 401);
        let (status, answer) = self.ask("POST", NODES, TOKEN, body);
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
        let name = name.as_str().unwrap();
        if source["optional"] == true && !super::names(cluster, resource).iter().any(|there| there == name) {
            continue;
        }
        let object = cluster.get(resource, name);
        let data = object["data"].as_object().unwrap();
        let paths = paths(&source, data.keys());
        files.extend(paths.into_iter().map(|(path, key)| (path, text(resource, &data[&key]))));
    }
    files
}

/// Which file has which key: as the volume says, or each one of its own name.
fn paths<'a>(source: &Value, keys: impl Iterator<Item = &'a String>) -> Vec<(PathBuf, String)> {
    let word = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
    match source["items"].as_array() {
        Some(items) => items
            .iter()
            .map(|item| (word(item, "path").into(), word(item, "key")))
            .collect(),
        None => keys.map(|key| (PathBuf::from(key), key.clone())).collect(),
    }
}

fn text(resource: &str, value: &Value) -> String {
    let value = value.as_str().unwrap();
    match resource {
        "secrets" => String::from_utf8(STANDARD.decode(value).unwrap()).unwrap(),
        _ => value.to_owned(),
    }
}

/// The Secrets of the guide's installation, made with its own command: the certificate, and what the operator knows.
pub fn installation_secrets(cluster: &Cluster) {
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md")).unwrap();
    let mut command = guide.lines().skip_while(|line| !line.trim().starts_with("openssl req"));
    let command = [command.next().unwrap().trim_end_matches('\\'), command.next().unwrap()].concat();
    let folder = TempDir::new().unwrap();
    let made = Command::new("sh")
        .args(["-c", &command])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let [certificate, key] = ["tls.crt", "tls.key"].map(|name| fs::read_to_string(folder.path().join(name)).unwrap());
    secrets(
        cluster,
        "multinic-management-api-tls",
        &[("tls.crt", &certificate), ("tls.key", &key)],
    );
    secrets(cluster, "multinic", &[("token", TOKEN), ("ca.crt", &certificate)]);
}

/// Makes a Secret with one key.
pub fn secret(cluster: &Cluster, name: &str, key: &str, value: &str) {
    secrets(cluster, name, &[(key, value)]);
}

fn secrets(cluster: &Cluster, name: &str, data: &[(&str, &str)]) {
    let data: BTreeMap<_, _> = data.iter().copied().collect();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "stringData": data,
    });
    cluster.lab.apply(secret).unwrap();
}
