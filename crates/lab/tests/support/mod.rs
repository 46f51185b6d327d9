//! A client that hides nothing: one request per connection, the answer as it came.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod recorded;

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::TcpStream,
};

use multinic_lab::{DEMO_ADMIN_PASSWORD, Lab, SEED_PROJECT};
use serde_json::{Value, json};

/// An answer as it came over the wire.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The `key` of every item of the list, in order.
    pub fn column(&self, list: &str, key: &str) -> Vec<String> {
        let body = self.json();
        let items = body[list].as_array().unwrap_or_else(|| panic!("no {list} in {body}"));
        items
            .iter()
            .map(|item| item[key].as_str().unwrap_or_default().to_owned())
            .collect()
    }
}

/// Sends one request; `None` if the connection ended without a complete head.
pub fn try_ask(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest
        .split_once('/')
        .map_or_else(|| (rest, String::from("/")), |(host, path)| (host, format!("/{path}")));
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    let length = body.len().to_string();
    let own: &[_] = if body.is_empty() {
        &[]
    } else {
        &[("Content-Type", "application/json"), ("Content-Length", &*length)]
    };
    for (name, value) in headers.iter().chain(own) {
        write!(request, "{name}: {value}\r\n").unwrap();
    }
    let mut stream = TcpStream::connect(host).unwrap();
    stream.write_all(format!("{request}\r\n{body}").as_bytes()).ok()?;
    read_answer(&mut stream, method == "HEAD")
}

/// Reads one answer: as many bytes as announced, or to the end.
pub fn read_answer(stream: &mut TcpStream, head_only: bool) -> Option<Answer> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.trim_end().lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<_> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let mut answer = Answer {
        status,
        headers,
        body: String::new(),
    };
    if head_only || status == 204 {
        return Some(answer);
    }
    match answer.header("content-length").map(|length| length.parse().unwrap()) {
        Some(length) => {
            let mut body = Vec::new();
            // A truncated body is an answer, too.
            let _ = stream.take(length).read_to_end(&mut body);
            answer.body = String::from_utf8(body).unwrap();
        }
        None => {
            let _ = stream.read_to_string(&mut answer.body);
        }
    }
    Some(answer)
}

/// Sends one request that must be answered.
pub fn ask(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    try_ask(method, url, headers, body).unwrap_or_else(|| panic!("no answer to {method} {url}"))
}

/// The body of a log-in.
pub fn password_body(user: &str, password: &str, scope: &Value) -> String {
    let user = json!({"name": user, "domain": {"id": "default"}, "password": password});
    let identity = json!({"methods": ["password"], "password": {"user": user}});
    json!({"auth": {"identity": identity, "scope": scope}}).to_string()
}

/// A token for that project.
pub fn token(lab: &Lab, user: &str, project: &str) -> String {
    let body = password_body(user, DEMO_ADMIN_PASSWORD, &json!({"project": {"id": project}}));
    let answer = ask("POST", &format!("{}/auth/tokens", lab.keystone_url()), &[], &body);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.header("x-subject-token").unwrap().to_owned()
}

/// The seed's administrator.
pub fn admin(lab: &Lab) -> String {
    token(lab, "admin", SEED_PROJECT)
}

/// A GET with a token; `path` begins with `/v2.1` for Nova and `/v2.0` for Neutron.
pub fn get(lab: &Lab, token: &str, path: &str) -> Answer {
    let base = if path.starts_with("/v2.1") {
        lab.nova_url().replace("/v2.1", "")
    } else {
        lab.neutron_url()
    };
    ask(
        "GET",
        &format!("{base}{path}"),
        &[("X-Auth-Token", token), ("OpenStack-API-Version", "compute 2.90")],
        "",
    )
}
