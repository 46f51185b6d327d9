//! A stand-in for the management API: takes node configs, remembers every POST, and answers like our server or like a
//! plain one.

mod answers;
mod store;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::{
    Faults, LabError, LoggedRequest, Service, fault,
    log::Log,
    net::{Answer, Door, Framing, Handler, Listener, Request, Running, TooLong, bind},
};
use store::Store;

/// The path of contract 3.3.
const PATH: &str = "/v1/k8s/multinic/node-configs";

/// One POST as it arrived, whatever became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Post {
    /// `x-provider-id`; empty without the header.
    pub cluster: String,
    /// The body, byte for byte.
    pub body: String,
    /// Every header but `authorization`, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Post {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// How the receiver answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    /// Per-node results, GET and DELETE.
    Full,
    /// This status without a body for a POST, that one for everything else.
    Plain { post: u16, other: u16 },
}

/// A management API on loopback, on a free port, until dropped.
#[derive(Debug)]
pub struct Receiver {
    shared: Arc<Shared>,
    url: String,
    _running: Running,
}

#[derive(Debug)]
struct Shared {
    mode: Mode,
    store: Mutex<Store>,
    log: Log,
    faults: Faults,
}

impl Receiver {
    /// Like our server: per-node results (200, 207, 422), GET with pages, DELETE.
    pub fn start() -> Result<Self, LabError> {
        Self::in_mode(Mode::Full)
    }

    /// Like another server: a POST gets `post` (say, 204) without a body; GET and DELETE get `other` (404, 405, 501).
    pub fn plain(post: u16, other: u16) -> Result<Self, LabError> {
        Self::in_mode(Mode::Plain { post, other })
    }

    fn in_mode(mode: Mode) -> Result<Self, LabError> {
        let (socket, address) = bind()?;
        let shared = Shared {
            mode,
            store: Mutex::default(),
            log: Log::default(),
            faults: Faults::default(),
        };
        let shared = Arc::new(shared);
        let door = Door {
            framing: Framing::KeepAlive,
            too_long: TooLong::Status414 { line: 65_536 },
        };
        let running = Running::start(vec![Listener {
            socket,
            door,
            handler: Arc::clone(&shared) as Arc<dyn Handler>,
        }])?;
        Ok(Self {
            shared,
            url: format!("http://{address}"),
            _running: running,
        })
    }

    /// Its address without a path: `http://127.0.0.1:…`.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// From now on a bearer token is asked for.
    pub fn require_token(&self, token: &str) {
        self.shared.store().token = Some(token.to_owned());
    }

    /// From now on that node is rejected, for that reason (only as our server).
    pub fn reject(&self, node: &str, reason: &str) {
        self.shared.store().rejected.insert(node.to_owned(), reason.to_owned());
    }

    /// The longest page of a GET; by default 500.
    pub fn set_page_max(&self, max: usize) {
        self.shared.store().page_max = max.max(1);
    }

    /// Every POST so far, in the order they arrived. Those hit by a fault before the receiver saw them are not among them.
    pub fn posts(&self) -> Vec<Post> {
        self.shared.store().posts.clone()
    }

    /// The node configs in force, `{nodeName: node config}`, of one cluster; an empty object if it has none.
    pub fn node_configs(&self, cluster: &str) -> Value {
        self.shared.store().node_configs(cluster)
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.shared.log.entries()
    }

    /// Waits until that holds of the requests so far. Without a limit of its own: the test runner has one.
    pub async fn until(&self, holds: impl FnMut(&[LoggedRequest]) -> bool) {
        self.shared.log.until(holds).await;
    }

    /// Forgets every node config, as after a restore from an old backup.
    pub fn lose_node_configs(&self) {
        self.shared.store().lose();
    }

    /// Forgets the requests and POSTs so far, not the node configs.
    pub fn clear_requests(&self) {
        self.shared.log.clear();
        self.shared.store().posts.clear();
    }

    /// Scripts faults; the service is [`Service::ManagementApi`].
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }
}

impl Shared {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Handler for Shared {
    fn answer(&self, request: &Request) -> Answer {
        let faults = self.faults.strike(Service::ManagementApi, request);
        let answer = fault::answer(&faults, request, |request| {
            answers::answer(&mut self.store(), self.mode, request)
        });
        self.log
            .record(Service::ManagementApi, request, &answer, !faults.is_empty());
        answer
    }
}
