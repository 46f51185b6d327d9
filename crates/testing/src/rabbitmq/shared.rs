//! A virtual host on the broker that all test processes of a user share.
//!
//! Who comes first starts the broker. A watchdog ends it and deletes the folder once no test process has been left for
//! some seconds.

use std::{
    fs::{self, File},
    net::SocketAddr,
};

use super::{
    management::Management,
    node::{END, Node},
    ports::loopback,
};
use crate::programs::{open, uid, watchdog};

/// A virtual host with a user of its own that may do everything in it; both go with this value.
#[derive(Debug)]
pub struct RabbitVhost {
    node: Node,
    name: String,
    management: Management,
    /// Held shared for as long as this process needs the broker.
    _in_use: File,
}

impl RabbitVhost {
    /// An empty one; starts the broker if it does not run.
    pub fn create() -> Self {
        let (node, in_use) = join();
        let name = format!("t{:032x}", rand::random::<u128>());
        let management = node.management(&name);
        management.create_vhost();
        management.user(&name, &name);
        management.allow(&name, ".*", ".*", ".*");
        Self {
            node,
            name,
            management,
            _in_use: in_use,
        }
    }

    /// Where the broker listens, without TLS.
    pub fn address(&self) -> SocketAddr {
        loopback(self.node.ports.amqp)
    }

    /// The name of the virtual host.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The user.
    pub fn user(&self) -> &str {
        &self.name
    }

    /// The user's password.
    pub fn password(&self) -> &str {
        &self.name
    }

    /// What an administrator sees and does in it.
    pub const fn management(&self) -> &Management {
        &self.management
    }

    /// Everything that the broker has logged, of all virtual hosts.
    pub fn log(&self) -> String {
        self.node.log()
    }
}

impl Drop for RabbitVhost {
    fn drop(&mut self) {
        self.management.delete_vhost();
        self.management.delete_user(&self.name);
    }
}

fn join() -> (Node, File) {
    let folder = std::env::temp_dir().join(format!("multinic-tests-rabbitmq-{}", uid()));
    let door = open(&folder.with_extension("door"));
    door.lock().unwrap();
    let in_use = open(&folder.with_extension("in-use"));
    in_use.lock_shared().unwrap();
    if let Some(node) = Node::find(&folder).filter(|node| node.management("/").answers()) {
        return (node, in_use);
    }
    let _ = fs::remove_dir_all(&folder);
    let (node, _) = Node::prepare(&folder, &[], false);
    watch(&node);
    node.start_mapper();
    // Its process stays when this one ends.
    drop(node.start());
    (node, in_use)
}

/// Waits until nobody uses the broker any more, gives the next test process some seconds, then ends it.
fn watch(node: &Node) {
    let script = format!(
        r#"
        while :; do
          flock --exclusive "$1.in-use" true; sleep 10
          if flock --exclusive "$1.door" sh -c 'flock --exclusive --nonblock "$1.in-use" true || exit 1
              eval "$2"' sh "$1" '{}'; then exit; fi
        done"#,
        END.replace('\'', r"'\''")
    );
    watchdog(&script, &node.folder);
}
