//! The doctor: what it finds at each hop, and that it stops at the first broken one.

use multinic_lab::{CloudBuilder, Fault, Service};

use crate::world::{Ran, SEED, World};

const HOPS: [&str; 8] = [
    "Contrabass",
    "password",
    "Keystone",
    "catalog",
    "subnet",
    "VMs",
    "ports",
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
