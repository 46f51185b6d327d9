//! Who may come in, what they may do there, and how often they try.

use std::time::Duration;

use multinic_notifications::{LinkError, LinkState, probe};
use multinic_testing::rabbitmq::RabbitVhost;

use crate::support::{Link, QUEUE, Service, broker, numbered, settings, until};

fn refusals(log: &str, user: &str) -> usize {
    let line = format!("PLAIN login refused: user '{user}' - invalid credentials");
    log.matches(&line).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_tried_once_a_pause_and_works_as_soon_as_it_is_right() {
    let vhost = RabbitVhost::create();
    let mut settings = settings(&vhost);
    settings.password = "wrong-and-secret".into();
    // A cluster knows the same users everywhere: the second address must not mean a second attempt.
    settings.brokers.push(settings.brokers[0].clone());
    let mut link = Link::start(settings.clone());
    for attempts in 1..4 {
        let (error, retry_in) = link
            .state(|state| match state {
                LinkState::Lost { error, retry_in } => Some((error, retry_in)),
                _ => None,
            })
            .await;
        let LinkError::LoginRefused { user, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(user, vhost.user());
        assert!(retry_in >= settings.pace.first_login_pause);
        assert!(!format!("{error} {error:?}").contains("secret"));
        until(async || (refusals(&vhost.log(), vhost.user()) >= attempts).then_some(())).await;
        assert_eq!(refusals(&vhost.log(), vhost.user()), attempts);
    }
    vhost.management().user(vhost.user(), "wrong-and-secret");
    link.listening().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_with_a_wrong_password_is_one_attempt() {
    let vhost = RabbitVhost::create();
    let mut settings = settings(&vhost);
    settings.password = "wrong".into();
    settings.brokers = vec![settings.brokers[0].clone(); 3];
    let error = probe(&settings).await.unwrap_err();
    assert_eq!(error.category(), "login-refused");
    until(async || (refusals(&vhost.log(), vhost.user()) > 0).then_some(())).await;
    assert_eq!(refusals(&vhost.log(), vhost.user()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_virtual_host_and_a_closed_one_are_forbidden() {
    let vhost = RabbitVhost::create();
    let other = RabbitVhost::create();
    let mut settings = settings(&vhost);
    for (name, expected) in [("never-heard-of", "not found"), (other.name(), "refused for user")] {
        settings.vhost = name.to_owned();
        let error = Link::start(settings.clone()).lost().await;
        let LinkError::Forbidden { vhost, reason, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(vhost, name);
        assert!(reason.contains(expected), "{reason}");
    }
}

/// Exactly what the guide tells an administrator to grant.
#[tokio::test(flavor = "multi_thread")]
async fn the_least_permissions_suffice_and_each_of_them_is_needed() {
    let vhost = RabbitVhost::create();
    let service = Service::connect(&vhost).await;
    service.declare("nova").await;
    service.declare("neutron").await;
    let management = vhost.management();
    let user = format!("{}-least", vhost.name());
    management.user(&user, "password");
    let mut settings = settings(&vhost);
    settings.user.clone_from(&user);
    settings.password = "password".into();

    let queue = r"^multinic\.test\..*$";
    let readable = r"^(multinic\.test\..*|nova|neutron)$";
    for (configure, write, read) in [
        ("^$", queue, readable),
        (queue, "^$", readable),
        (queue, queue, queue),
        (queue, queue, "^(nova|neutron)$"),
    ] {
        management.allow(&user, configure, write, read);
        management.delete_queue(QUEUE);
        let error = Link::start(settings.clone()).lost().await;
        assert!(
            matches!(&error, LinkError::Forbidden { reason, .. } if reason.contains("ACCESS_REFUSED")),
            "{configure} {write} {read}: {error}"
        );
    }

    management.allow(&user, queue, queue, readable);
    let mut link = Link::start(settings.clone());
    link.complete().await;
    service.publish("neutron", [numbered(7)]).await;
    assert_eq!(link.numbers(1).await, [7]);
    drop(link);
    management.allow(&user, "^$", "^$", "^$");
    assert_eq!(probe(&settings).await.unwrap().absent, Vec::<String>::new());
    management.delete_user(&user);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_takes_us_and_says_nothing_is_unreachable_and_costs_no_thread_for_good() {
    let vhost = RabbitVhost::create();
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = settings(&vhost);
    settings.pace.connect_timeout = Duration::from_millis(300);
    let silent = broker(mute.local_addr().unwrap());
    settings.brokers = vec![silent.clone()];
    let mut link = Link::start(settings.clone());
    for _ in 0..3 {
        let error = link.lost().await;
        let LinkError::Unreachable { broker, reason } = &error else {
            panic!("{error}");
        };
        assert_eq!(broker, &silent);
        assert_eq!(reason, "no answer within 0.3 s");
    }
    drop(link);
    until(async || (threads() == 0).then_some(())).await;
}

/// Those of the client library in this process. Tests run in a process each.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.trim() == "lapin-io-loop")
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_amqp_cannot_carry_are_an_error_and_no_panic() {
    let server = RabbitVhost::create();
    let long = "x".repeat(256);
    let mut by_queue = settings(&server);
    by_queue.queue.name.clone_from(&long);
    let mut by_vhost = settings(&server);
    by_vhost.vhost.clone_from(&long);
    let mut by_binding = settings(&server);
    by_binding.bindings[0].routing_key.clone_from(&long);
    server.management().declare_exchange("neutron");
    for settings in [by_queue, by_vhost, by_binding] {
        let error = Link::start(settings).lost().await.to_string();
        assert!(error.contains("255 bytes"), "{error}");
    }
}
