//! Who asked what: the requests in the order they were answered.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use serde_json::Value;
use tokio::sync::watch;

use crate::{
    Service,
    net::{Answer, Outcome, Request},
};

/// The headers worth keeping. Tokens are not among them: [`LoggedRequest::authenticated`] says whether there was one.
const KEPT_HEADERS: [&str; 8] = [
    "accept",
    "content-type",
    "if-match",
    "openstack-api-version",
    "user-agent",
    "x-openstack-nova-api-version",
    "x-provider-id",
    "accept-encoding",
];
/// Older entries are dropped beyond this.
const ENTRIES_MAX: usize = 100_000;

/// One request and what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoggedRequest {
    /// Who was asked.
    pub service: Service,
    /// Upper case.
    pub method: String,
    /// Path and query as sent.
    pub target: String,
    /// The status answered; `None` if there was no answer at all.
    pub status: Option<u16>,
    /// A fault has had its hand in it.
    pub faulted: bool,
    /// The request carried a token of any kind.
    pub authenticated: bool,
    /// Some of the headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body with passwords and tokens blacked out; empty without one.
    pub body: String,
    /// How many bytes of body the answer had.
    pub answer_bytes: usize,
    /// When the answer was made; it may have been sent later.
    pub at: SystemTime,
}

impl LoggedRequest {
    /// The target up to the question mark.
    pub fn path(&self) -> &str {
        self.target
            .split_once('?')
            .map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The target behind the question mark, as sent; empty without one.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The first header of that lower-case name, if it is one that is kept.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// The log.
#[derive(Debug, Default)]
pub(crate) struct Log {
    entries: Mutex<VecDeque<LoggedRequest>>,
    /// Moves with every entry.
    moved: watch::Sender<()>,
}

impl Log {
    /// Everything so far.
    pub fn entries(&self) -> Vec<LoggedRequest> {
        self.lock().iter().cloned().collect()
    }

    /// Waits until that holds of everything so far, in the order it was answered.
    pub async fn until(&self, mut holds: impl FnMut(&[LoggedRequest]) -> bool) {
        let mut moved = self.moved.subscribe();
        while !holds(self.lock().make_contiguous()) {
            if moved.changed().await.is_err() {
                return;
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// Takes an answered request down.
    pub fn record(&self, service: Service, request: &Request, answer: &Answer, faulted: bool) {
        let (status, answer_bytes) = match &answer.outcome {
            Outcome::Reply(reply) | Outcome::Cut { reply, .. } | Outcome::Slow { reply, .. } => {
                (Some(reply.status), reply.body.len())
            }
            Outcome::Reset | Outcome::Close | Outcome::Hang => (None, 0),
        };
        let kept = request
            .headers
            .iter()
            .filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()));
        let entry = LoggedRequest {
            service,
            method: request.method.clone(),
            target: request.target.clone(),
            status,
            faulted,
            authenticated: ["x-auth-token", "authorization"]
                .iter()
                .any(|name| request.header(name).is_some()),
            headers: kept.cloned().collect(),
            body: redact(&request.body),
            answer_bytes,
            at: SystemTime::now(),
        };
        let mut entries = self.lock();
        if entries.len() >= ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(entry);
        drop(entries);
        self.moved.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<LoggedRequest>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn redact(body: &[u8]) -> String {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return String::from_utf8_lossy(body).into_owned();
    };
    // Only a log-in carries secrets; every other body is kept byte for byte.
    match value.get_mut("auth") {
        Some(auth) => {
            black_out(auth);
            value.to_string()
        }
        None => String::from_utf8_lossy(body).into_owned(),
    }
}

fn black_out(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                if matches!(key.as_str(), "password" | "secret") && value.is_string() {
                    *value = "***".into();
                } else if key == "token" {
                    *value = serde_json::json!({"id": "***"});
                } else {
                    black_out(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(black_out),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_ins_are_kept_without_their_secrets() {
        let body = br#"{"auth":{"identity":{"methods":["password","token"],"password":{"user":{"name":"a","password":"s3cret"}},"token":{"id":"gAAAsecret"}}}}"#;
        let kept = redact(body);
        assert!(!kept.contains("s3cret") && !kept.contains("gAAA"), "{kept}");
        assert!(kept.contains(r#""name":"a""#), "{kept}");
    }

    #[test]
    fn other_bodies_are_kept_byte_for_byte() {
        assert_eq!(redact(b"[ {\"password\": 1} ]"), "[ {\"password\": 1} ]");
        assert_eq!(redact(b"not json"), "not json");
    }
}
