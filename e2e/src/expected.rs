//! The node configs that must come out, written down from the seed's fixed addresses, not from the product's types.

use serde_json::{Value, json};

use crate::{Failure, openstack::OpenStack};

/// One of the seed's three measure-biz servers.
#[derive(Clone, Copy)]
pub struct Vm {
    /// The server's name.
    pub server: &'static str,
    /// What its ports' names begin with.
    pub short: &'static str,
    number: u8,
}

/// measure-biz-master-1, whose metadata calls it master-1.
pub const MASTER_1: Vm = Vm {
    server: "measure-biz-master-1",
    short: "master-1",
    number: 1,
};
/// measure-biz-worker-2.
pub const WORKER_2: Vm = Vm {
    server: "measure-biz-worker-2",
    short: "worker-2",
    number: 2,
};
/// measure-biz-worker-3.
pub const WORKER_3: Vm = Vm {
    server: "measure-biz-worker-3",
    short: "worker-3",
    number: 3,
};

/// What one of the seed's subnets gives a server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Nic {
    /// biz-mgmt-v4, MTU 1450.
    Mgmt,
    /// biz-data-v4, MTU 1500.
    Data,
    /// biz-data-v6 on the same port as [`Nic::Data`].
    DataV6,
    /// biz-storage-a, MTU 9000.
    StorageA,
    /// biz-storage-b, in the same network.
    StorageB,
    /// The second biz-shared-name, on the spare port.
    SharedName,
}

impl Nic {
    /// The seed's key of the subnet.
    pub fn subnet(self) -> &'static str {
        match self {
            Self::Mgmt => "biz-mgmt-v4",
            Self::Data => "biz-data-v4",
            Self::DataV6 => "biz-data-v6",
            Self::StorageA => "biz-storage-a",
            Self::StorageB => "biz-storage-b",
            Self::SharedName => "biz-shared-name@storage",
        }
    }

    /// The seed's name of the port.
    pub fn port(self, vm: Vm) -> String {
        match self {
            Self::Mgmt => format!("{}-mgmt", vm.short),
            Self::Data | Self::DataV6 => format!("{}-data", vm.short),
            Self::StorageA => format!("{}-storage-a", vm.short),
            Self::StorageB => format!("{}-storage-b", vm.short),
            Self::SharedName => "spare-shared-name".to_owned(),
        }
    }

    /// One entry of a node config.
    pub fn interface(self, id: usize, vm: Vm) -> Value {
        let (n, host) = (vm.number, 10 + vm.number);
        let (kind, address, cidr, mtu) = match self {
            Self::Mgmt => (1, format!("10.10.0.{host}"), "10.10.0.0/16", 1450),
            Self::Data => (2, format!("10.20.0.{host}"), "10.20.0.0/16", 1500),
            Self::DataV6 => (2, format!("fd00:20::f816:3eff:feb1:{n:x}02"), "fd00:20::/64", 1500),
            Self::StorageA => (3, format!("10.30.0.{host}"), "10.30.0.0/24", 9000),
            Self::StorageB => (4, format!("10.31.0.{host}"), "10.31.0.0/24", 9000),
            Self::SharedName => (5, format!("10.32.0.{host}"), "10.32.0.0/24", 9000),
        };
        let mac = format!("fa:16:3e:b1:{n:02x}:{kind:02x}");
        json!({"id": id, "macAddress": mac, "address": address, "cidr": cidr, "mtu": mtu})
    }
}

/// A node config, key for key.
pub fn node(name: &str, instance: &str, interfaces: &[Value]) -> Value {
    json!({"nodeName": name, "instanceId": instance, "interfaces": interfaces})
}

/// A server's interfaces as a first delivery numbers them: from 1 by (created_at, port id).
pub async fn first_delivery(openstack: &OpenStack, vm: Vm, nics: &[Nic]) -> Result<Vec<Value>, Failure> {
    let mut order = Vec::new();
    for nic in nics {
        let port = openstack.port(&nic.port(vm)).await?;
        let text = |key: &str| port[key].as_str().unwrap_or_default().to_owned();
        order.push((text("created_at"), text("id"), *nic));
    }
    order.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    Ok(order
        .iter()
        .enumerate()
        .map(|(index, (_, _, nic))| nic.interface(index + 1, vm))
        .collect())
}
