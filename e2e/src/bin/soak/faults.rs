//! What may go wrong on the way to every neighbour. Nothing here lies about the state of a cloud: an answer that is wrong
//! and looks right is believed, and should be.

use std::time::Duration;

use multinic_lab::{Cut, Fault, Service};
use multinic_lab_kubernetes::{Fault as KubernetesFault, Matcher, Times};
use rand::{RngExt, rngs::StdRng, seq::IndexedRandom};
use stage::Stage;

/// Scripts one fault somewhere.
pub fn inject(stage: &Stage, random: &mut StdRng) {
    match random.random_range(0..10) {
        0..5 => cloud(stage, random),
        5..7 => management_api(stage, random),
        7..9 => kubernetes(stage, random),
        _ => outage(stage, random),
    }
}

/// Ends all of them.
pub fn clear(stage: &Stage) {
    stage.lab.faults().clear();
    stage.receiver.faults().clear();
    stage.kubernetes.clear_faults();
    stage.lab.cloud().set_keystone_down(false);
}

/// Of any HTTP neighbour.
fn common(random: &mut StdRng) -> Fault {
    match random.random_range(0..11) {
        0 => Fault::status(500),
        1 => Fault::status(502),
        2 => Fault::status(503).retry_after("1"),
        3 => Fault::status(429).retry_after("1"),
        4 => Fault::Reset,
        5 => Fault::AnswerLost,
        6 => Fault::Close,
        7 => Fault::Truncate(Cut::Half),
        8 => Fault::ResetMidBody(Cut::LastByte),
        9 => Fault::Delay(Duration::from_millis(400)),
        _ => Fault::Hang,
    }
}

fn cloud(stage: &Stage, random: &mut StdRng) {
    let services = [Service::Contrabass, Service::Keystone, Service::Nova, Service::Neutron];
    let Some(service) = services.choose(random).copied() else {
        return;
    };
    let reads = matches!(service, Service::Nova | Service::Neutron);
    let fault = match random.random_range(0..16) {
        // Keystone's 401 is a wrong password, and that is not tried again.
        0 if reads => Fault::status(401),
        1 if reads => Fault::status(404),
        2 if reads => Fault::ExpireToken,
        3 if reads => Fault::MissingKey("id".to_owned()),
        4 if reads => Fault::LoopingPages,
        5 => Fault::status(403),
        6 => Fault::Garbage("<html>".to_owned()),
        _ => common(random),
    };
    let (nth, times) = (random.random_range(1..4), random.random_range(1..4));
    stage.lab.faults().at(service).nth(nth).times(times).inject(fault);
}

fn management_api(stage: &Stage, random: &mut StdRng) {
    let (nth, times) = (random.random_range(1..4), random.random_range(1..4));
    let fault = if random.random_range(0..6) == 0 {
        Fault::AnswerHeld
    } else {
        common(random)
    };
    stage.receiver.faults().anywhere().nth(nth).times(times).inject(fault);
}

fn kubernetes(stage: &Stage, random: &mut StdRng) {
    let matcher = match random.random_range(0..6) {
        0 => Matcher::any()
            .verb("patch")
            .resource("openstackconfigs")
            .subresource("status"),
        1 => Matcher::any()
            .verb("patch")
            .resource("openstackconfigs")
            .subresource(""),
        2 => Matcher::any().resource("leases"),
        3 => Matcher::any().verb("watch"),
        4 => Matcher::any().verb("list"),
        _ => Matcher::any(),
    };
    let fault = match random.random_range(0..9) {
        0 => KubernetesFault::Status(500),
        1 => KubernetesFault::Status(503),
        2 => KubernetesFault::Status(429),
        3 => KubernetesFault::Status(409),
        4 => KubernetesFault::Status(410),
        5 => KubernetesFault::Reset,
        6 => KubernetesFault::Hang,
        7 => KubernetesFault::AnswerHeld,
        _ => KubernetesFault::Delay(Duration::from_millis(400)),
    };
    stage
        .kubernetes
        .fail(matcher, fault, Times::N(random.random_range(1..4)));
}

/// A neighbour is away until the unrest ends.
fn outage(stage: &Stage, random: &mut StdRng) {
    match random.random_range(0..6) {
        0 => stage.lab.cloud().set_keystone_down(true),
        1 => stage.lab.cloud().set_keystone_down(false),
        2 => stage.lab.cloud().expire_tokens(),
        3 => stage.receiver.faults().anywhere().times(30).inject(Fault::status(503)),
        4 => stage
            .lab
            .faults()
            .at(Service::Contrabass)
            .times(20)
            .inject(Fault::status(500)),
        _ => stage.lab.faults().at(Service::Neutron).times(20).inject(Fault::Reset),
    }
}
