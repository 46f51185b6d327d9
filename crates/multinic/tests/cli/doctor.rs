//! The doctor: what it finds at each hop, and that it stops at the first broken one.

use multinic_lab::{CloudBuilder, Fault, Service};

use multinic_testing::rabbitmq::RabbitVhost;

use crate::world::{Ran, SEED, World};

const HOPS: [&str; 9] = [
    "Contrabass",
    "password",
    "Keystone",
    "catalog",
    "subnet",
    "VMs",
    "ports",
    "RabbitMQ",
    "management API",
];

/// `(verdict, hop)` of each line.
fn walk(ran: &Ran) -> Vec<(String, String)> {
    ran.out
        .lines()
        .map(|line| {
            let (verdict, rest) = line.split_at(8);
            (verdict.trim().to_owned(), rest[..15].trim().to_owned())
        })
        .collect()
}

/// The walk is fine up to `hop`, which is broken, and ends there.
fn breaks_at(world: &World, hop: &str, cause: &str) {
    let ran = world.run(&["doctor", "-f", "cr.yaml"]);
    let walked = walk(&ran);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let last = HOPS.iter().position(|name| *name == hop).unwrap();
    let hops: Vec<_> = walked.iter().map(|(_, hop)| hop.as_str()).collect();
    assert_eq!(hops, HOPS[..=last], "{}", ran.out);
    assert!(walked[..last].iter().all(|(verdict, _)| verdict == "ok"), "{}", ran.out);
    assert_eq!(walked[last].0, "FAILED", "{}", ran.out);
    assert!(ran.out.lines().last().unwrap().contains(cause), "{}", ran.out);
    assert!(ran.err.contains("what to do: "), "{}", ran.err);
}

#[test]
fn a_sound_chain_is_fine_at_every_hop() {
    let world = World::seed();
    let ran = world.run(&["doctor", "-f", "cr.yaml"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(walk(&ran), HOPS.map(|hop| ("ok".to_owned(), hop.to_owned())));
    assert!(world.receiver.posts().is_empty());
}

#[test]
fn contrabass_that_does_not_know_the_provider() {
    let world = World::seed();
    world.write(
        "cr.yaml",
        &SEED.replace("a919ea1c-9a09-4a9f-9021-ec68c1de2159", "unknown-provider"),
    );
    breaks_at(&world, "Contrabass", "404");
}

#[test]
fn a_key_that_does_not_fit() {
    let world = World::seed();
    world.write("contrabass.key", "not-the-key");
    breaks_at(&world, "password", "failed to open the encrypted password");
}

#[test]
fn a_password_that_keystone_rejects() {
    let world = World::seed();
    world.lab.cloud().set_password("admin", "another").unwrap();
    breaks_at(&world, "Keystone", "failed to log in");
}

#[test]
fn several_regions_and_none_chosen() {
    let world = World::new(CloudBuilder::seed().region("RegionTwo"));
    breaks_at(&world, "catalog", "RegionOne, RegionTwo");
}

#[test]
fn neutron_that_refuses() {
    let world = World::seed();
    world
        .lab
        .faults()
        .at(Service::Neutron)
        .get("/v2.0/")
        .always()
        .inject(Fault::status(403));
    breaks_at(&world, "subnet", "403");
}

#[test]
fn a_management_api_that_wants_another_token() {
    let world = World::seed();
    world.write("token", "another");
    breaks_at(&world, "management API", "401");
}

#[test]
fn findings_are_shown_at_their_hop_and_end_in_three() {
    let world = World::seed();
    world.write("cr.yaml", &SEED.replace("measure-biz-worker-3", "nobody"));
    let ran = world.run(&["doctor", "-f", "cr.yaml"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let look: Vec<_> = walk(&ran)
        .into_iter()
        .filter(|(verdict, _)| verdict == "look")
        .collect();
    assert_eq!(look, [("look".to_owned(), "VMs".to_owned())], "{}", ran.out);
    assert!(ran.out.contains("VMNotFound: nobody"), "{}", ran.out);
}

/// The line of the broker's hop, after `look` or `ok`.
fn broker_line(world: &World, rabbitmq: &str) -> (Ran, String) {
    world.write("multinic.yaml", &format!("{}rabbitmq: {rabbitmq}\n", world.settings()));
    let ran = world.run(&["doctor", "-f", "cr.yaml"]);
    let line = ran.out.lines().find(|line| line[8..].starts_with("RabbitMQ")).unwrap();
    let line = line.to_owned();
    (ran, line)
}

const PROVIDER: &str = "provider a919ea1c-9a09-4a9f-9021-ec68c1de2159";

#[test]
fn without_a_broker_it_is_said_that_there_is_polling_only() {
    let world = World::seed();
    for rabbitmq in ["{}", "{enabled: false}"] {
        let (ran, line) = broker_line(&world, rabbitmq);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert_eq!(
            line,
            format!("ok      RabbitMQ        {PROVIDER}: not used: polling only")
        );
    }
}

#[test]
fn a_broker_that_is_asked_for_and_known_to_nobody_is_something_to_look_at() {
    let (ran, line) = broker_line(&World::seed(), "{enabled: true}");
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(
        line.starts_with("look ") && line.ends_with("neither the settings nor Contrabass name one"),
        "{line}"
    );
    assert!(ran.err.contains("what to do: set rabbitmq.brokers"), "{}", ran.err);
}

#[test]
fn a_broker_is_asked_for_its_exchanges_and_nothing_is_left_there() {
    let (world, vhost) = (World::seed(), RabbitVhost::create());
    world.write("rabbit.password", vhost.password());
    let (name, address) = (vhost.name(), vhost.address());
    let rabbitmq = |vhost: &str| {
        let password = world.path("rabbit.password");
        let password = password.display();
        format!("{{brokers: ['{address}'], user: {name}, password: {{file: {password}}}, vhost: {vhost}}}")
    };
    vhost.management().declare_exchange("nova");
    let place = format!("RabbitMQ        {PROVIDER}: {address} as {name:?}, virtual host {name:?}; exchanges: nova");
    let (ran, line) = broker_line(&world, &rabbitmq(name));
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(
        line.starts_with(&format!("look    {place}; absent: neutron: ")),
        "{line}"
    );

    vhost
        .management()
        .call("DELETE", &format!("exchanges/{name}/nova"), None);
    for exchange in ["neutron", "nova"] {
        vhost.management().declare_exchange(exchange);
    }
    let (ran, line) = broker_line(&world, &rabbitmq(name));
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(line, format!("ok      {}", place.replace("nova", "neutron, nova")));
    assert!(vhost.management().queues().is_empty());

    let (ran, line) = broker_line(&world, &rabbitmq("another"));
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(line.contains("failed to use the virtual host another"), "{line}");
    assert!(ran.err.contains("what to do: correct rabbitmq.vhost"), "{}", ran.err);

    world.write("rabbit.password", "hidden-and-wrong");
    let (ran, line) = broker_line(&world, &rabbitmq(name));
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(line.contains("the broker refuses user or password"), "{line}");
    assert!(ran.err.contains("what to do: correct rabbitMQId"), "{}", ran.err);
    assert!(!ran.out.contains("hidden") && !ran.err.contains("hidden"));
    assert!(
        ran.out.lines().last().unwrap().starts_with("ok      management API"),
        "{}",
        ran.out
    );
}

#[test]
fn a_broker_that_is_not_there_does_not_break_the_walk() {
    let world = World::seed();
    world.write("rabbit.password", "x");
    let password = world.path("rabbit.password").display().to_string();
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let rabbitmq = format!("{{brokers: ['{free}'], user: u, password: {{file: {password}}}}}");
    let (ran, line) = broker_line(&world, &rabbitmq);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(line.contains(&format!("failed to reach the broker {free}")), "{line}");
    assert_eq!(
        walk(&ran).last().unwrap(),
        &("ok".to_owned(), "management API".to_owned())
    );
}
