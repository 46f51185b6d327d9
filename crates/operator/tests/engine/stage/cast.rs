//! The cloud of the stories: two subnets, three VMs, and a second provider.

use std::net::SocketAddr;

use multinic_lab::{CloudBuilder, DEMO_RABBIT_PW, SEED_PROJECT, SEED_PROVIDER};
use multinic_testing::expect::nic;
pub use multinic_testing::expect::{ids, node, nodes};
use serde_json::Value;

pub const PROVIDER: &str = SEED_PROVIDER;
pub const PROJECT: &str = SEED_PROJECT;
pub const OTHER_PROVIDER: &str = "b0000000-0000-4000-8000-00000000000b";
pub const CLUSTER: &str = "f5861c22-b252-42b5-a0c5-cfb1d245c819";
pub const OTHER_CLUSTER: &str = "0e8a1b1e-2222-4222-8222-222222222222";
pub const RED: &str = "10000000-0000-4000-8000-00000000000a";
pub const BLUE: &str = "20000000-0000-4000-8000-00000000000b";
pub const W1: &str = "a0000000-0000-4000-8000-000000000001";
pub const W2: &str = "b0000000-0000-4000-8000-000000000002";
pub const W3: &str = "c0000000-0000-4000-8000-000000000003";
pub const CIDR: &str = "10.1.0.0/24";

/// Subnets red and blue; w1, w2 and w3 with one port on red each, w1 with one on blue.
pub fn cloud() -> CloudBuilder {
    populated(CloudBuilder::new().provider(PROVIDER))
}

/// The same, of which Contrabass knows a broker.
pub fn announced(user: &str, broker: SocketAddr) -> CloudBuilder {
    let provider = CloudBuilder::new().provider(PROVIDER);
    populated(provider.rabbitmq(user, DEMO_RABBIT_PW, &[&broker.to_string()]))
}

fn populated(cloud: CloudBuilder) -> CloudBuilder {
    cloud
        .project(PROJECT, "biz")
        .network("red-net")
        .mtu(1450)
        .subnet("red", CIDR)
        .id(RED)
        .network("blue-net")
        .subnet("blue", "10.2.0.0/24")
        .id(BLUE)
        .vm("w1")
        .id(W1)
        .port("red")
        .mac(&mac(1))
        .address("10.1.0.11")
        .port("blue")
        .mac(&mac(101))
        .address("10.2.0.11")
        .vm("w2")
        .id(W2)
        .port("red")
        .mac(&mac(2))
        .address("10.1.0.12")
        .vm("w3")
        .id(W3)
        .port("red")
        .mac(&mac(3))
        .address("10.1.0.13")
}

pub fn mac(n: u8) -> String {
    format!("fa:16:3e:aa:00:{n:02x}")
}

/// The interface of w`n` on red.
pub fn red(id: u32, n: u8) -> Value {
    nic(id, &mac(n), &format!("10.1.0.{}", 10 + n), CIDR, 1450)
}

/// The interface of w`n` on blue.
pub fn blue(id: u32, n: u8) -> Value {
    nic(id, &mac(100 + n), &format!("10.2.0.{}", 10 + n), "10.2.0.0/24", 1500)
}
