//! The cloud of the stories: one subnet, three VMs.

use multinic_lab::CloudBuilder;
use multinic_testing::expect::nic;
use serde_json::Value;

use super::{Cr, PROJECT, PROVIDER};

pub const RED: &str = "10000000-0000-4000-8000-00000000000a";
pub const W1: &str = "a0000000-0000-4000-8000-000000000001";
pub const W2: &str = "b0000000-0000-4000-8000-000000000002";
pub const W3: &str = "c0000000-0000-4000-8000-000000000003";
pub const OTHER: &str = "0000000000000000000000000000beef";
pub const CIDR: &str = "10.1.0.0/24";

/// One subnet, three VMs with one port each.
pub fn cloud() -> CloudBuilder {
    CloudBuilder::new()
        .provider(PROVIDER)
        .project(OTHER, "other")
        .project(PROJECT, "biz")
        .network("red-net")
        .mtu(1450)
        .subnet("red", CIDR)
        .id(RED)
        .vm("w1")
        .id(W1)
        .port("red")
        .mac(&mac(1))
        .address("10.1.0.11")
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

pub fn red(id: u32, n: u8) -> Value {
    nic(id, &mac(n), &format!("10.1.0.{}", 10 + n), CIDR, 1450)
}

pub fn w(name: &str) -> Cr {
    Cr::on_id("c", RED, &[name])
}

pub fn all() -> [Cr; 1] {
    [Cr::on_id("c", RED, &["w1", "w2", "w3"])]
}
