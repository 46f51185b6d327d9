//! The broker's own HTTP interface, spoken over plain sockets: a call is a few milliseconds, `rabbitmqctl` half a second.

use std::{
    fmt::Write as _,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

/// The administrator of every broker started here.
pub(super) const ADMIN: &str = "admin";

/// What an administrator sees and does in one virtual host. Blocks for as long as a call takes.
#[derive(Clone, Debug)]
pub struct Management {
    address: SocketAddr,
    vhost: String,
}

impl Management {
    pub(super) fn new(address: SocketAddr, vhost: &str) -> Self {
        Self {
            address,
            vhost: escaped(vhost),
        }
    }

    /// Whether it answers.
    pub(super) fn answers(&self) -> bool {
        self.try_call("GET", "vhosts", None)
            .is_ok_and(|(status, _)| status == 200)
    }

    /// Calls `/api/{path}`; the answer's status and JSON.
    ///
    /// # Panics
    ///
    /// If the broker does not answer.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.try_call(method, path, body)
            .unwrap_or_else(|error| panic!("failed to call {method} {path} of RabbitMQ's management: {error}"))
    }

    fn done(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.call(method, path, body);
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// Makes the virtual host.
    pub(super) fn create_vhost(&self) {
        self.done("PUT", &format!("vhosts/{}", self.vhost), Some(&json!({})));
        self.allow(ADMIN, ".*", ".*", ".*");
    }

    pub(super) fn delete_vhost(&self) {
        self.call("DELETE", &format!("vhosts/{}", self.vhost), None);
    }

    /// Makes a user, or gives it another password. It may do nothing yet.
    pub fn user(&self, name: &str, password: &str) {
        let user = json!({"password": password, "tags": ""});
        self.done("PUT", &format!("users/{}", escaped(name)), Some(&user));
    }

    /// Deletes a user. Its connections stay.
    pub fn delete_user(&self, name: &str) {
        self.call("DELETE", &format!("users/{}", escaped(name)), None);
    }

    /// What a user may do in the virtual host: three regular expressions on names of queues and exchanges.
    pub fn allow(&self, user: &str, configure: &str, write: &str, read: &str) {
        let path = format!("permissions/{}/{}", self.vhost, escaped(user));
        let permissions = json!({"configure": configure, "write": write, "read": read});
        self.done("PUT", &path, Some(&permissions));
    }

    /// Makes a topic exchange as oslo.messaging does: not durable, not deleted by itself.
    pub fn declare_exchange(&self, name: &str) {
        let exchange = json!({"type": "topic", "durable": false, "auto_delete": false});
        self.done(
            "PUT",
            &format!("exchanges/{}/{}", self.vhost, escaped(name)),
            Some(&exchange),
        );
    }

    /// Deletes an exchange and all bindings to it.
    pub fn delete_exchange(&self, name: &str) {
        self.done("DELETE", &format!("exchanges/{}/{}", self.vhost, escaped(name)), None);
    }

    /// Publishes one message; whether any queue took it.
    pub fn publish(&self, exchange: &str, routing_key: &str, body: &[u8]) -> bool {
        let message = json!({
            "properties": {},
            "routing_key": routing_key,
            "payload": STANDARD.encode(body),
            "payload_encoding": "base64",
        });
        let path = format!("exchanges/{}/{}/publish", self.vhost, escaped(exchange));
        self.done("POST", &path, Some(&message))["routed"] == true
    }

    /// Makes a queue with these arguments; durable.
    pub fn declare_queue(&self, name: &str, arguments: &Value) {
        let queue = json!({"durable": true, "arguments": arguments});
        self.done("PUT", &format!("queues/{}/{}", self.vhost, escaped(name)), Some(&queue));
    }

    /// Binds a queue to an exchange.
    pub fn bind(&self, queue: &str, exchange: &str, routing_key: &str) {
        let (queue, exchange) = (escaped(queue), escaped(exchange));
        let path = format!("bindings/{}/e/{exchange}/q/{queue}", self.vhost);
        self.done("POST", &path, Some(&json!({"routing_key": routing_key})));
    }

    /// What is said of a queue; its figures are up to half a second old.
    pub fn queue(&self, name: &str) -> Option<Value> {
        let (status, queue) = self.call("GET", &format!("queues/{}/{}", self.vhost, escaped(name)), None);
        (status == 200).then_some(queue)
    }

    /// The names of all queues.
    pub fn queues(&self) -> Vec<String> {
        let all = self.done("GET", &format!("queues/{}?columns=name", self.vhost), None);
        let names = all.as_array().into_iter().flatten();
        names
            .filter_map(|queue| Some(queue["name"].as_str()?.to_owned()))
            .collect()
    }

    /// Deletes a queue; whether it was there.
    pub fn delete_queue(&self, name: &str) -> bool {
        let path = format!("queues/{}/{}", self.vhost, escaped(name));
        self.call("DELETE", &path, None).0 == 204
    }

    /// What a queue is bound to, as (exchange, routing key); the default exchange is left out.
    pub fn bindings(&self, queue: &str) -> Vec<(String, String)> {
        let all = self.done(
            "GET",
            &format!("queues/{}/{}/bindings", self.vhost, escaped(queue)),
            None,
        );
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut pairs: Vec<_> = all
            .as_array()
            .into_iter()
            .flatten()
            .map(|binding| (text(&binding["source"]), text(&binding["routing_key"])))
            .filter(|(exchange, _)| !exchange.is_empty())
            .collect();
        pairs.sort();
        pairs
    }

    /// The connections to the virtual host.
    pub fn connections(&self) -> Vec<Value> {
        let all = self.done("GET", &format!("vhosts/{}/connections", self.vhost), None);
        all.as_array().cloned().unwrap_or_default()
    }

    /// Ends every connection to the virtual host, as an administrator would.
    pub fn close_connections(&self) {
        for connection in self.connections() {
            let name = escaped(connection["name"].as_str().unwrap_or_default());
            self.call("DELETE", &format!("connections/{name}"), None);
        }
    }

    fn try_call(&self, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<(u16, Value)> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let credentials = STANDARD.encode(format!("{ADMIN}:{ADMIN}"));
        // Of HTTP/1.0, so that the answer ends where the connection ends.
        let request = format!(
            "{method} /api/{path} HTTP/1.0\r\nhost: {}\r\nauthorization: Basic {credentials}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(self.address)?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(parse(&answer))
    }
}

fn parse(answer: &[u8]) -> (u16, Value) {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(length)) = head.parse(answer) else {
        return (0, Value::Null);
    };
    let status = head.code.unwrap_or_default();
    (status, serde_json::from_slice(&answer[length..]).unwrap_or_default())
}

/// As one segment of a path.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
