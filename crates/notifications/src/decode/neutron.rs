//! What Neutron says, unversioned and without a contract: ports, subnets and networks as the API shows them.
//!
//! A single request carries `port`, a bulk one `ports`. A deletion carries `port` (as it was) and `port_id`; older releases
//! have only `port_id`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use multinic_model::InstanceId;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::raw;
use crate::{Hint, NetworkHint, PortHint, SubnetHint};

/// The most objects of one bulk request that are taken. A port has some 700 bytes, so that a body holds little more.
const MAX_OBJECTS: usize = 1_000;

/// The most addresses of one port that are taken; Neutron's own default limit is 5.
const MAX_ADDRESSES: usize = 64;

/// One hint for each port that has an id.
pub(super) fn ports(payload: Option<&RawValue>, gone: bool) -> Vec<Hint> {
    each(payload, ["port", "ports", "port_id"], |object| port(object, gone))
}

/// A port that is about to be plugged into a server: `port` has what is asked for, and `id` stands beside it. That a port is
/// about to be taken out is no hint: it would count as evidence of what has not happened.
pub(super) fn plugged(payload: Option<&RawValue>) -> Option<Hint> {
    #[derive(Deserialize)]
    struct Request<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
        #[serde(borrow)]
        port: Option<&'a RawValue>,
    }
    let Request { id, port } = raw::read(payload)?;
    let asked: Object<'_> = raw::read(port)?;
    let device: InstanceId = raw::parse(asked.device_id)?;
    Some(Hint::Port(PortHint {
        port: raw::parse(id)?,
        mac: None,
        devices: BTreeSet::from([device.clone()]),
        device: Some(device),
        addresses: None,
        gone: false,
    }))
}

/// One hint for each subnet that has an id.
pub(super) fn subnets(payload: Option<&RawValue>) -> Vec<Hint> {
    each(payload, ["subnet", "subnets", "subnet_id"], |object| {
        Some(Hint::Subnet(SubnetHint {
            subnet: raw::parse(object.id)?,
            name: raw::text(object.name),
            network: raw::parse(object.network_id),
        }))
    })
}

/// One hint for each network that has an id.
pub(super) fn networks(payload: Option<&RawValue>) -> Vec<Hint> {
    each(payload, ["network", "networks", "network_id"], |object| {
        Some(Hint::Network(NetworkHint {
            network: raw::parse(object.id)?,
        }))
    })
}

/// What is read of a port, a subnet or a network.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Object<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    name: Option<&'a RawValue>,
    #[serde(borrow)]
    network_id: Option<&'a RawValue>,
    #[serde(borrow)]
    mac_address: Option<&'a RawValue>,
    #[serde(borrow)]
    device_id: Option<&'a RawValue>,
    #[serde(borrow)]
    fixed_ips: Option<&'a RawValue>,
}

/// The hints of a payload's objects, which it holds under these names: one, several, or one's id alone.
fn each(
    payload: Option<&RawValue>,
    [one, many, id]: [&str; 3],
    hint: impl Fn(&Object<'_>) -> Option<Hint>,
) -> Vec<Hint> {
    let payload: BTreeMap<String, &RawValue> = raw::read(payload).unwrap_or_default();
    let value = |name: &str| payload.get(name).copied();
    let whole = |raw| hint(&raw::read(Some(raw))?);
    if let Some(list) = raw::read::<raw::List<'_, MAX_OBJECTS>>(value(many)) {
        return list.0.into_iter().filter_map(whole).collect();
    }
    let by_id = || {
        hint(&Object {
            id: value(id),
            ..Object::default()
        })
    };
    value(one).and_then(whole).or_else(by_id).into_iter().collect()
}

/// A port's device counts whatever its `device_owner` says. The owner is a label that whoever binds the port may leave out
/// or choose (`compute:<zone>`, `baremetal:none`, none at all), and a reading does not ask for it: a port belongs by its
/// `device_id`. A router's or a DHCP agent's id is no server that a config knows, so its hint finds nothing to do.
fn port(object: &Object<'_>, gone: bool) -> Option<Hint> {
    let device_id = raw::text(object.device_id);
    // Not to say what it is plugged into is not to say "nothing", which would be evidence of removal.
    if device_id.is_none() && !gone {
        return None;
    }
    // The empty id of a port that is plugged into nothing does not parse.
    let device = device_id.and_then(|id| id.parse().ok());
    Some(Hint::Port(PortHint {
        port: raw::parse(object.id)?,
        mac: raw::parse(object.mac_address),
        devices: device.iter().cloned().collect(),
        // A deleted port is plugged into nothing and has no address, whatever it had.
        device: device.filter(|_| !gone),
        addresses: addresses(object.fixed_ips).filter(|_| !gone),
        gone,
    }))
}

fn addresses(fixed_ips: Option<&RawValue>) -> Option<BTreeSet<IpAddr>> {
    #[derive(Deserialize)]
    struct FixedIp<'a> {
        #[serde(borrow)]
        ip_address: Option<&'a RawValue>,
    }
    let list: raw::List<'_, MAX_ADDRESSES> = raw::read(fixed_ips)?;
    let address = |raw| raw::parse(raw::read::<FixedIp<'_>>(Some(raw))?.ip_address);
    Some(list.0.into_iter().filter_map(address).collect())
}
