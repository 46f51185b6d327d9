//! The small cloud of the matrix, what was delivered before, and what must come of it: by hand.

use std::time::Duration;

use multinic_lab::CloudBuilder;
use multinic_sync::Pace;
use multinic_testing::expect::{nic, node, nodes};
use serde_json::Value;

use crate::common::{CLUSTER, Cr, PROJECT, PROVIDER, Stage, Staging, pace, pages_of};

const RED: &str = "10000000-0000-4000-8000-00000000000a";
pub const VM_A: &str = "a0000000-0000-4000-8000-000000000001";
const VM_B: &str = "b0000000-0000-4000-8000-000000000002";
const VM_C: &str = "c0000000-0000-4000-8000-000000000003";
const VM_OLD: &str = "f0000000-0000-4000-8000-00000000000f";

const RED_CIDR: &str = "10.1.0.0/24";
const BLUE_CIDR: &str = "10.2.0.0/24";
const GONE: &str = "fa:16:3e:00:0f:0f";

/// How servers are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// By names: a listing; everything in pages of two.
    Listed,
    /// By names and with a metadata key: a listing with details.
    Details,
    /// By two UUIDs: single GETs.
    Single,
}

fn cloud() -> CloudBuilder {
    CloudBuilder::new()
        .provider(PROVIDER)
        .project(PROJECT, "biz")
        .network("red-net")
        .mtu(1450)
        .subnet("red", RED_CIDR)
        .id(RED)
        .network("blue-net")
        .mtu(9000)
        .subnet("blue", BLUE_CIDR)
        .vm("a")
        .id(VM_A)
        .metadata("node", "a")
        .port("red")
        .mac("fa:16:3e:00:0a:01")
        .address("10.1.0.11")
        .port("blue")
        .mac("fa:16:3e:00:0a:02")
        .address("10.2.0.11")
        .vm("b")
        .id(VM_B)
        .port("red")
        .mac("fa:16:3e:00:0b:01")
        .address("10.1.0.21")
        .port("red")
        .mac("fa:16:3e:00:0b:02")
        .address("10.1.0.22")
        .vm("c")
        .id(VM_C)
        .port("blue")
        .mac("fa:16:3e:00:0c:01")
        .address("10.2.0.31")
        .status("DOWN")
        .vm("unselected")
        .port("red")
        .port("blue")
        .nova_max_limit(2)
}

/// Everything that may truly be in a node config, by MAC: (address, CIDR, MTU).
pub fn truth(mac: &str) -> (&'static str, &'static str, u32) {
    match mac {
        "fa:16:3e:00:0a:01" => ("10.1.0.11", RED_CIDR, 1450),
        "fa:16:3e:00:0a:02" => ("10.2.0.11", BLUE_CIDR, 9000),
        "fa:16:3e:00:0b:01" => ("10.1.0.21", RED_CIDR, 1450),
        "fa:16:3e:00:0b:02" => ("10.1.0.22", RED_CIDR, 1450),
        "fa:16:3e:00:0c:01" => ("10.2.0.31", BLUE_CIDR, 9000),
        GONE => ("10.1.0.99", RED_CIDR, 1450),
        other => panic!("nobody has {other}"),
    }
}

/// Whether a port with that MAC exists.
pub fn is_live(mac: &str) -> bool {
    mac != GONE
}

fn of(id: u32, mac: &str) -> Value {
    let (address, cidr, mtu) = truth(mac);
    nic(id, mac, address, cidr, mtu)
}

/// What the receiver holds before: a port of `a` that is gone since, one that is not where a fresh numbering would put
/// it, and a node that no config names.
pub fn earlier() -> [Value; 2] {
    [
        node("a", VM_A, vec![of(1, GONE), of(2, "fa:16:3e:00:0a:01")]),
        node(
            "old",
            VM_OLD,
            vec![nic(3, "fa:16:3e:00:0f:01", "10.9.0.1", "10.9.0.0/24", 1500)],
        ),
    ]
}

/// The one right outcome.
pub fn expected(form: Form, prune: bool) -> Value {
    let a = if prune {
        vec![of(1, "fa:16:3e:00:0a:02"), of(2, "fa:16:3e:00:0a:01")]
    } else {
        vec![of(1, GONE), of(2, "fa:16:3e:00:0a:01"), of(3, "fa:16:3e:00:0a:02")]
    };
    let b = vec![of(1, "fa:16:3e:00:0b:01"), of(2, "fa:16:3e:00:0b:02")];
    let c = node("c", VM_C, vec![of(1, "fa:16:3e:00:0c:01")]);
    let all = [node("a", VM_A, a), node("b", VM_B, b)].into_iter();
    let c = (form != Form::Single).then_some(c);
    let [_, old] = earlier();
    nodes(all.chain(c).chain([old]))
}

pub fn configs(form: Form) -> [Cr; 2] {
    match form {
        Form::Listed | Form::Details => [
            Cr::on_id("red", RED, &["a", "b"]),
            Cr::on_name("blue", "blue", &["a", "c"]),
        ],
        Form::Single => [
            Cr::on_id("red", RED, &[VM_A, VM_B]),
            Cr::on_name("blue", "blue", &[VM_A]),
        ],
    }
}

/// A fault that passes must be outlived however slow the machine is; one that lasts may exhaust a short patience.
pub async fn stage(form: Form, timeout: &'static str, patience: Duration) -> Stage {
    let mut staging = Staging {
        timeout,
        management_api: vec!["batchSize: 2".to_owned()],
        pace: Pace {
            openstack: multinic_cloud::RetryPolicy {
                budget: patience,
                first_delay: Duration::from_millis(200),
                max_delay: Duration::from_secs(5),
                max_silent_tries: 3,
            },
            page_size: pages_of(2),
            ..pace()
        },
        ..Staging::default()
    };
    if form == Form::Details {
        staging.openstack.push("nodeNameMetadataKey: node".to_owned());
    }
    let stage = staging.stage(cloud());
    stage.hold(earlier().to_vec()).await;
    stage.receiver.set_page_max(1);
    assert_eq!(stage.nodes(), nodes(earlier()), "{CLUSTER}");
    stage
}
