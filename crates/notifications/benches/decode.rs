//! Bodies decoded on one core: what is of interest, and what is not.

use divan::{Bencher, counter::ItemsCount};
use multinic_notifications::decode;

const OF_INTEREST: [&str; 3] = [
    include_str!("../fixtures/neutron.unversioned.port.update.end.bound-active.json"),
    include_str!("../fixtures/nova.versioned.instance.interface_attach.end.json"),
    include_str!("../fixtures/nova.unversioned.compute.instance.update.json"),
];

const OF_NONE: [&str; 3] = [
    include_str!("../fixtures/neutron.unversioned.port.update.start.json"),
    include_str!("../fixtures/nova.versioned.instance.power_on.end.json"),
    include_str!("../fixtures/nova.unversioned.scheduler.select_destinations.end.json"),
];

fn main() {
    divan::main();
}

#[divan::bench]
fn of_interest(bencher: Bencher<'_, '_>) {
    run(bencher, OF_INTEREST);
}

#[divan::bench]
fn of_no_interest(bencher: Bencher<'_, '_>) {
    run(bencher, OF_NONE);
}

fn run(bencher: Bencher<'_, '_>, recorded: [&str; 3]) {
    let bodies = recorded.map(|text| {
        let recorded: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        recorded["raw_body"].as_str().unwrap_or_default().as_bytes().to_vec()
    });
    let count = ItemsCount::new(bodies.len());
    bencher
        .counter(count)
        .bench_local(|| bodies.iter().map(|body| decode(body).hints.len()).sum::<usize>());
}
