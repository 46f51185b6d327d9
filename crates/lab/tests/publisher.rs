//! Announcements mean what they are called, keep every key of the recorded ones, and reach a real broker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{collections::BTreeSet, fs, path::Path};

use multinic_lab::publisher::{
    Account, AnnouncedNetwork, AnnouncedPort, AnnouncedServer, AnnouncedSubnet, Announcement, NovaFormat, Publisher,
    ServerEvent,
};
use multinic_notifications::{EventKind, Hint, MessageOutcome, NetworkHint, PortHint, ServerHint, SubnetHint, decode};
use multinic_testing::rabbitmq::RabbitVhost;
use serde_json::{Value, json};

const PORT: &str = "00000000-0000-4000-8000-000000000001";
const SERVER: &str = "00000000-0000-4000-8000-000000000002";
const SUBNET: &str = "00000000-0000-4000-8000-000000000003";
const NETWORK: &str = "00000000-0000-4000-8000-000000000004";
const PROJECT: &str = "00000000000040008000000000000005";

fn port() -> AnnouncedPort {
    AnnouncedPort::new(PORT)
        .mac("fa:16:3e:11:22:33")
        .project(PROJECT)
        .address(SUBNET, "10.1.2.3")
        .address(SUBNET, "fd00::3")
}

fn server() -> AnnouncedServer {
    AnnouncedServer::new(SERVER, PROJECT, "worker-9")
}

/// One hint, and what it is called.
fn hint(announcement: &Announcement) -> (EventKind, Hint) {
    let message = decode(&announcement.body());
    assert_eq!(decode(&announcement.bare_body()), message);
    assert_eq!(message.hints.len(), 1, "{message:?}");
    (message.kind, message.hints.into_iter().next().unwrap())
}

fn port_hint(device: Option<&str>) -> PortHint {
    let device = device.map(|device| device.parse().unwrap());
    PortHint {
        port: PORT.parse().unwrap(),
        mac: Some("fa:16:3e:11:22:33".parse().unwrap()),
        devices: device.iter().cloned().collect(),
        device,
        addresses: Some(["10.1.2.3", "fd00::3"].map(|address| address.parse().unwrap()).into()),
        gone: false,
    }
}

fn server_hint(name: &str) -> ServerHint {
    ServerHint {
        instance: SERVER.parse().unwrap(),
        project: Some(PROJECT.parse().unwrap()),
        name: Some(name.to_owned()),
        server: false,
        ports: false,
        gone: false,
        detached: false,
    }
}

#[test]
fn ports_are_made_plugged_in_taken_out_and_deleted() {
    let free = (EventKind::PortCreate, Hint::Port(port_hint(None)));
    assert_eq!(hint(&Announcement::port_created(&port())), free);
    let plugged = port().in_server(SERVER);
    let there = Hint::Port(port_hint(Some(SERVER)));
    assert_eq!(
        hint(&Announcement::port_updated(&plugged)),
        (EventKind::PortUpdate, there)
    );
    let not_there = Hint::Port(port_hint(None));
    assert_eq!(
        hint(&Announcement::port_updated(&port())),
        (EventKind::PortUpdate, not_there)
    );
    let gone = Hint::Port(PortHint {
        device: None,
        addresses: None,
        gone: true,
        ..port_hint(Some(SERVER))
    });
    assert_eq!(
        hint(&Announcement::port_deleted(&plugged)),
        (EventKind::PortDelete, gone)
    );
}

#[test]
fn a_bulk_request_announces_all_its_ports() {
    let ports: Vec<_> = (1..=300)
        .map(|n| AnnouncedPort::new(&format!("00000000-0000-4000-8000-{n:012}")))
        .collect();
    let message = decode(&Announcement::ports_created(&ports).body());
    let found: BTreeSet<_> = message.hints.iter().map(Hint::subject).collect();
    assert_eq!((message.kind, found.len()), (EventKind::PortCreate, 300));
}

#[test]
fn both_formats_of_a_server_mean_the_same() {
    for format in [NovaFormat::Unversioned, NovaFormat::Versioned] {
        let of = |event| hint(&Announcement::server(event, format, &server()));
        let created = ServerHint {
            server: true,
            ports: true,
            ..server_hint("worker-9")
        };
        assert_eq!(of(ServerEvent::Created), (EventKind::Server, Hint::Server(created)));
        let updated = ServerHint {
            server: true,
            ..server_hint("worker-9")
        };
        assert_eq!(of(ServerEvent::Updated), (EventKind::Server, Hint::Server(updated)));
        let deleted = ServerHint {
            server: true,
            gone: true,
            ..server_hint("worker-9")
        };
        assert_eq!(
            of(ServerEvent::Deleted),
            (EventKind::ServerDelete, Hint::Server(deleted))
        );
        let off = Announcement::server(ServerEvent::PoweredOff, format, &server());
        assert_eq!(decode(&off.body()).outcome, MessageOutcome::Ignored);
    }
}

#[test]
fn interfaces_are_attached_and_detached() {
    let attached = ServerHint {
        ports: true,
        ..server_hint("worker-9")
    };
    let detached = ServerHint {
        detached: true,
        ..attached.clone()
    };
    let found = hint(&Announcement::interface_attached(&server()));
    assert_eq!(found, (EventKind::InterfaceAttach, Hint::Server(attached)));
    let found = hint(&Announcement::interface_detached(&server()));
    assert_eq!(found, (EventKind::InterfaceDetach, Hint::Server(detached)));
}

#[test]
fn subnets_and_networks_are_changed() {
    let subnet = AnnouncedSubnet {
        id: SUBNET.to_owned(),
        name: "storage".to_owned(),
        network: NETWORK.to_owned(),
        project: PROJECT.to_owned(),
    };
    let expected = Hint::Subnet(SubnetHint {
        subnet: SUBNET.parse().unwrap(),
        name: Some("storage".to_owned()),
        network: Some(NETWORK.parse().unwrap()),
    });
    assert_eq!(
        hint(&Announcement::subnet_updated(&subnet)),
        (EventKind::Subnet, expected)
    );
    let network = AnnouncedNetwork {
        id: NETWORK.to_owned(),
        name: "storage-net".to_owned(),
        project: PROJECT.to_owned(),
    };
    let expected = Hint::Network(NetworkHint {
        network: NETWORK.parse().unwrap(),
    });
    assert_eq!(
        hint(&Announcement::network_updated(&network)),
        (EventKind::Network, expected)
    );
}

/// Every key in `value`, with the path to it; what lies in lists counts once.
fn keys(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                into.insert(format!("{path}/{key}"));
                keys(value, &format!("{path}/{key}"), into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, path, into)),
        _ => {}
    }
}

fn all() -> Vec<(&'static str, Announcement)> {
    let plugged = port().in_server(SERVER);
    let mut named = server();
    named.metadata.insert("k8s-node-name".to_owned(), "node-9".to_owned());
    let nova = |event, format| Announcement::server(event, format, &named);
    vec![
        (
            "neutron.unversioned.port.create.end",
            Announcement::port_created(&plugged),
        ),
        (
            "neutron.unversioned.port.create.end.bulk",
            Announcement::ports_created(&[port(), plugged.clone()]),
        ),
        (
            "neutron.unversioned.port.update.end.bound-active",
            Announcement::port_updated(&plugged),
        ),
        (
            "neutron.unversioned.port.update.end.unbound-down",
            Announcement::port_updated(&port()),
        ),
        (
            "neutron.unversioned.port.delete.end",
            Announcement::port_deleted(&plugged),
        ),
        (
            "nova.unversioned.compute.instance.create.end",
            nova(ServerEvent::Created, NovaFormat::Unversioned),
        ),
        (
            "nova.unversioned.compute.instance.update",
            nova(ServerEvent::Updated, NovaFormat::Unversioned),
        ),
        (
            "nova.unversioned.compute.instance.delete.end",
            nova(ServerEvent::Deleted, NovaFormat::Unversioned),
        ),
        (
            "nova.unversioned.compute.instance.power_off.end",
            nova(ServerEvent::PoweredOff, NovaFormat::Unversioned),
        ),
        (
            "nova.versioned.instance.create.end",
            nova(ServerEvent::Created, NovaFormat::Versioned),
        ),
        (
            "nova.versioned.instance.update",
            nova(ServerEvent::Updated, NovaFormat::Versioned),
        ),
        (
            "nova.versioned.instance.delete.end",
            nova(ServerEvent::Deleted, NovaFormat::Versioned),
        ),
        (
            "nova.versioned.instance.power_off.end",
            nova(ServerEvent::PoweredOff, NovaFormat::Versioned),
        ),
        (
            "nova.versioned.instance.interface_attach.end",
            Announcement::interface_attached(&named),
        ),
        (
            "nova.versioned.instance.interface_detach.end",
            Announcement::interface_detached(&named),
        ),
    ]
}

#[test]
fn an_announcement_has_the_keys_of_the_recorded_one_and_goes_where_that_went() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../notifications/fixtures");
    for (name, announcement) in all() {
        let file = fs::read(folder.join(format!("{name}.json"))).unwrap();
        let recorded: Value = serde_json::from_slice(&file).unwrap();
        let body: Value = serde_json::from_str(recorded["raw_body"].as_str().unwrap()).unwrap();
        let message: Value = serde_json::from_str(body["oslo.message"].as_str().unwrap()).unwrap();
        let (mut expected, mut found) = (BTreeSet::new(), BTreeSet::new());
        keys(&message, "", &mut expected);
        keys(announcement.message(), "", &mut found);
        let expected: BTreeSet<_> = expected.iter().filter(|key| !key.contains("/metadata/")).collect();
        let found: BTreeSet<_> = found.iter().filter(|key| !key.contains("/metadata/")).collect();
        assert_eq!(found, expected, "{name}");
        assert_eq!(announcement.message()["event_type"], message["event_type"], "{name}");
        assert_eq!(announcement.exchange(), recorded["exchange"], "{name}");
        assert_eq!(announcement.routing_key(), recorded["routing_key"], "{name}");
    }
}

#[test]
fn a_stamp_is_the_time_and_ids_of_its_own() {
    let at = "2026-01-02T03:04:05.000678Z".parse().unwrap();
    let one = Announcement::port_created(&port()).stamped(1, at);
    let two = Announcement::port_created(&port()).stamped(2, at);
    assert_eq!(one.message()["timestamp"], "2026-01-02 03:04:05.000678");
    assert_eq!(decode(&one.body()).sent_at, Some(at));
    for key in ["message_id", "_unique_id"] {
        assert_ne!(one.message()[key], two.message()[key]);
    }
}

#[tokio::test]
async fn a_broker_gets_them_as_from_the_services_and_a_second_queue_its_own_copy() {
    let vhost = RabbitVhost::create();
    let address = vhost.address();
    let account = Account::new(
        &address.ip().to_string(),
        address.port(),
        vhost.name(),
        vhost.user(),
        vhost.password(),
    );
    let publisher = Publisher::connect(&account).await.unwrap();
    publisher.publish(&Announcement::port_created(&port())).await.unwrap();
    let management = vhost.management();
    let (status, exchange) = management.call("GET", &format!("exchanges/{}/neutron", vhost.name()), None);
    assert_eq!(
        (status, &exchange["type"], &exchange["durable"]),
        (200, &json!("topic"), &json!(false))
    );
    management.declare_queue("ours", &json!({}));
    management.bind("ours", "neutron", "notifications.info");
    let many: Vec<_> = (0..100).map(|_| Announcement::port_updated(&port())).collect();
    publisher.publish_all(&many).await.unwrap();
    publisher
        .publish_raw("neutron", "notifications.info", b"no JSON")
        .await
        .unwrap();
    assert_eq!(messages(&vhost, "ours"), 101);
    assert_eq!(messages(&vhost, "notifications.info"), 102);
}

/// Takes out what a queue holds.
fn messages(vhost: &RabbitVhost, queue: &str) -> usize {
    let body = json!({"count": 1000, "ackmode": "ack_requeue_true", "encoding": "auto"});
    let path = format!("queues/{}/{queue}/get", vhost.name());
    let (status, messages) = vhost.management().call("POST", &path, Some(&body));
    assert_eq!(status, 200, "{messages}");
    let first = &messages[0]["properties"];
    assert_eq!(
        (&first["content_type"], &first["delivery_mode"]),
        (&json!("application/json"), &json!(2))
    );
    messages.as_array().unwrap().len()
}
