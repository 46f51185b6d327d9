//! The ports of one broker. They stay its own from one start to the next.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// All on 127.0.0.1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub amqp: u16,
    pub amqps: u16,
    pub management: u16,
    /// Between the broker and its command line.
    pub distribution: u16,
    /// Erlang's port mapper.
    pub mapper: u16,
}

impl Ports {
    /// Free ones.
    pub fn choose() -> Self {
        Self {
            amqp: free(),
            amqps: free(),
            management: free(),
            distribution: free(),
            mapper: free(),
        }
    }

    /// As they are written down for other processes.
    pub fn to_line(self) -> String {
        format!(
            "{} {} {} {} {}",
            self.amqp, self.amqps, self.management, self.distribution, self.mapper
        )
    }

    /// As [`Ports::to_line`] gave them.
    pub fn from_line(line: &str) -> Option<Self> {
        let ports: Vec<u16> = line.split_whitespace().filter_map(|port| port.parse().ok()).collect();
        let [amqp, amqps, management, distribution, mapper] = ports[..] else {
            return None;
        };
        Some(Self {
            amqp,
            amqps,
            management,
            distribution,
            mapper,
        })
    }
}

pub(super) fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Below those that the system gives to outgoing connections, so that it is still free when the broker comes back.
fn free() -> u16 {
    loop {
        let port = rand::random_range(10_240..30_000);
        if TcpListener::bind(loopback(port)).is_ok() {
            return port;
        }
    }
}
