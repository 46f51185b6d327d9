//! Hints of one thing merge without losing what any of them asks to be read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use multinic_model::{InstanceId, NetworkId, PortId, ProjectId};
use multinic_notifications::{Hint, NetworkHint, PortHint, ServerHint, SubnetHint};
use proptest::{collection::btree_set, option, prelude::*};
use uuid::Uuid;

fn instance() -> impl Strategy<Value = InstanceId> {
    (0..6).prop_map(|number| format!("server-{number}").parse().unwrap())
}

fn name() -> impl Strategy<Value = Option<String>> {
    option::of("[ab]")
}

fn uuid() -> impl Strategy<Value = Uuid> {
    (1..3_u128).prop_map(Uuid::from_u128)
}

prop_compose! {
    fn server()(
        project in option::of(uuid()),
        name in name(),
        server: bool, ports: bool, gone: bool, detached: bool,
    ) -> Hint {
        let project = project.map(ProjectId::new);
        Hint::Server(ServerHint { instance: "server-1".parse().unwrap(), project, name, server, ports, gone, detached })
    }
}

prop_compose! {
    fn port()(
        mac in option::of(1..3_u8),
        mut devices in btree_set(instance(), 0..2),
        device in option::of(instance()),
        addresses in option::of(btree_set((1..4_u8).prop_map(|last| [10, 0, 0, last].into()), 0..3)),
        gone: bool,
    ) -> Hint {
        devices.extend(device.clone());
        Hint::Port(PortHint {
            port: PortId::new(Uuid::from_u128(1)),
            mac: mac.map(|last| format!("02:00:00:00:00:0{last}").parse().unwrap()),
            devices,
            device,
            addresses,
            gone,
        })
    }
}

prop_compose! {
    fn subnet()(name in name(), network in option::of(uuid())) -> Hint {
        let network = network.map(NetworkId::new);
        Hint::Subnet(SubnetHint { subnet: "subnet-1".parse().unwrap(), name, network })
    }
}

fn network() -> impl Strategy<Value = Hint> {
    Just(Hint::Network(NetworkHint {
        network: NetworkId::new(Uuid::from_u128(1)),
    }))
}

fn three(one: impl Strategy<Value = Hint>) -> impl Strategy<Value = [Hint; 3]> {
    proptest::collection::vec(one, 3).prop_map(|hints| hints.try_into().unwrap())
}

fn of_one_thing() -> impl Strategy<Value = [Hint; 3]> {
    prop_oneof![three(server()), three(port()), three(subnet()), three(network())]
}

fn merged(mut earlier: Hint, later: Hint) -> Hint {
    earlier.merge(later);
    earlier
}

proptest! {
    #[test]
    fn it_does_not_matter_how_many_are_merged_at_once([a, b, c] in of_one_thing()) {
        let from_the_left = merged(merged(a.clone(), b.clone()), c.clone());
        prop_assert_eq!(from_the_left, merged(a, merged(b, c)));
    }

    #[test]
    fn saying_it_again_changes_nothing([a, ..] in of_one_thing()) {
        prop_assert_eq!(merged(a.clone(), a.clone()), a);
    }

    #[test]
    fn what_was_asked_of_a_server_stays_asked(a in server(), b in server()) {
        let (Hint::Server(a), Hint::Server(b), Hint::Server(both)) = (a.clone(), b.clone(), merged(a, b)) else {
            return Err(TestCaseError::fail("these are servers"));
        };
        prop_assert_eq!(both.server, a.server || b.server);
        prop_assert_eq!(both.ports, a.ports || b.ports);
        prop_assert_eq!(both.gone, a.gone || b.gone);
        prop_assert_eq!(both.detached, a.detached || b.detached);
        prop_assert_eq!(both.name, b.name.or(a.name));
        prop_assert_eq!(both.project, b.project.or(a.project));
    }

    #[test]
    fn every_server_that_a_port_was_in_is_remembered_and_it_is_where_the_later_says(a in port(), b in port()) {
        let (Hint::Port(a), Hint::Port(b), Hint::Port(both)) = (a.clone(), b.clone(), merged(a, b)) else {
            return Err(TestCaseError::fail("these are ports"));
        };
        prop_assert_eq!(both.devices, &a.devices | &b.devices);
        prop_assert_eq!(both.device, b.device);
        prop_assert_eq!(both.addresses, b.addresses.or(a.addresses));
        prop_assert_eq!(both.mac, b.mac.or(a.mac));
        prop_assert_eq!(both.gone, a.gone || b.gone);
    }

    #[test]
    fn a_hint_about_another_thing_is_not_taken_in(a in server(), b in port(), c in subnet(), d in network()) {
        for one in [&a, &b, &c, &d] {
            for other in [&a, &b, &c, &d] {
                prop_assert_eq!(&merged(one.clone(), other.clone()), one);
            }
        }
    }
}

#[test]
fn a_port_that_wanders_for_long_is_remembered_in_a_few_servers_the_newest_among_them() {
    let in_server = |number: u32| {
        let device: InstanceId = format!("server-{}", number * 7919 % 1000).parse().unwrap();
        PortHint {
            port: PortId::new(Uuid::from_u128(1)),
            mac: None,
            devices: [device.clone()].into(),
            device: Some(device),
            addresses: None,
            gone: false,
        }
    };
    let mut hint = Hint::Port(in_server(0));
    for number in 1..1_000 {
        hint.merge(Hint::Port(in_server(number)));
        let Hint::Port(port) = &hint else { panic!("a port") };
        assert!(port.devices.len() <= 8 && port.devices.contains(port.device.as_ref().unwrap()));
    }
}
