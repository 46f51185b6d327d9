//! The broker for tests does what the tests of others rely on.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::net::TcpStream;

use multinic_testing::rabbitmq::{RabbitServer, RabbitVhost};
use serde_json::json;

#[test]
fn a_virtual_host_is_fresh_and_goes_with_its_value() {
    let vhost = RabbitVhost::create();
    let other = RabbitVhost::create();
    let management = vhost.management();
    assert!(management.queues().is_empty());
    management.declare_exchange("nova");
    assert!(!management.publish("nova", "notifications.info", b"nobody listens"));
    management.declare_queue("notifications.info", &json!({}));
    management.bind("notifications.info", "nova", "notifications.info");
    assert!(management.publish("nova", "notifications.info", b"{}"));
    assert_eq!(
        management.bindings("notifications.info"),
        [("nova".to_owned(), "notifications.info".to_owned())]
    );
    assert_eq!(management.queues(), ["notifications.info"]);
    assert!(other.management().queues().is_empty());
    let path = format!("vhosts/{}", vhost.name());
    assert_eq!(other.management().call("GET", &path, None).0, 200);
    drop(vhost);
    assert_eq!(other.management().call("GET", &path, None).0, 404);
}

#[test]
fn a_broker_comes_back_on_its_ports_with_what_is_durable() {
    let server = RabbitServer::start();
    let address = server.address();
    let management = server.management();
    management.declare_queue("durable", &json!({}));
    management.declare_exchange("nova");
    for end in [RabbitServer::stop, RabbitServer::kill] {
        end(&server);
        assert!(TcpStream::connect(address).is_err());
        server.resume();
        assert!(TcpStream::connect(address).is_ok());
        assert_eq!(management.queues(), ["durable"]);
        assert_eq!(management.call("GET", "exchanges/%2F/nova", None).0, 404);
    }
    drop(server);
    assert!(TcpStream::connect(address).is_err());
}
