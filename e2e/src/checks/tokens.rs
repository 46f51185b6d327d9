//! A token that has really run out between two readings of one process, as the operator meets it every hour.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use multinic_cloud::{Clock, Cloud, CloudCredentials, CloudSettings, ReadRequest, SystemClock};
use multinic_model::{SubnetSelector, VmSelector};
use tokio::time::{Instant, sleep};

use crate::{
    Failure,
    expected::{Nic, WORKER_2},
    openstack,
    results::{Results, same},
    world::{PROVIDER, World},
};

/// Long enough for one reading.
const TOKEN_SECONDS: &str = "8";
const PATIENCE: Duration = Duration::from_mins(1);
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// See the module.
pub async fn run(world: &World, results: &mut Results) {
    if let Err(error) = openstack::script("up.sh", &["restart", "keystone"], &[("LAB_TOKEN_TTL", TOKEN_SECONDS)]) {
        results.record("Keystone with short-lived tokens", Err(error));
        return;
    }
    let outcome = expired(world, Arc::new(SystemClock), Asked::AsBefore).await;
    results.record("an expired token is renewed before it is used", outcome);
    let outcome = expired(world, Arc::new(Stopped(SystemClock.now())), Asked::More).await;
    results.record(
        "an expired token that only the servers' 401 showed: one login, the same reading",
        outcome,
    );
    results.record(
        "Keystone as it was",
        openstack::script("up.sh", &["restart", "keystone"], &[]),
    );
}

/// A clock that always shows the same time: its owner learns of the expiry from a 401 only.
#[derive(Debug)]
struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// How many requests the second reading makes, compared with the first.
#[derive(PartialEq, Eq, Debug)]
enum Asked {
    AsBefore,
    /// What was refused was asked again.
    More,
}

async fn expired(world: &World, clock: Arc<dyn Clock>, expected: Asked) -> Result<(), Failure> {
    let cloud = Cloud::with_clock(settings(world)?, clock);
    let (credentials, request) = (credentials(world)?, request(world)?);
    world.forget_requests();
    let first = cloud.read(&credentials, &request).await?;
    let asked_first = asked(world);
    let token = world.keystone.tokens().pop().ok_or("no token was seen")?;
    run_out(world, &token).await?;
    world.forget_requests();
    let second = cloud.read(&credentials, &request).await?;
    same("the inventory", &second, &first)?;
    let logins = world
        .keystone
        .requests()
        .iter()
        .filter(|request| request.starts_with("POST "))
        .count();
    same("logins by the second reading", &logins, &1)?;
    let found = if asked(world) > asked_first {
        Asked::More
    } else {
        Asked::AsBefore
    };
    same("requests by the second reading", &found, &expected)
}

fn asked(world: &World) -> usize {
    world.nova.requests().len() + world.neutron.requests().len()
}

async fn run_out(world: &World, token: &str) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    while world.openstack.token_is_alive(token).await? {
        if Instant::now() > deadline {
            return Err("the token never ran out".into());
        }
        sleep(BETWEEN_LOOKS).await;
    }
    Ok(())
}

fn settings(world: &World) -> Result<CloudSettings, Failure> {
    Ok(CloudSettings {
        compute_endpoint: Some(world.nova.url("/v2.1").parse()?),
        network_endpoint: Some(world.neutron.url("").parse()?),
        ..CloudSettings::default()
    })
}

fn credentials(world: &World) -> Result<CloudCredentials, Failure> {
    Ok(CloudCredentials {
        provider: PROVIDER.parse()?,
        project: world.openstack.project_id("biz")?.parse()?,
        auth_url: world.keystone.url("/v3").parse()?,
        username: "admin".to_owned(),
        password: world.password.clone().into(),
        domain: "default".to_owned(),
    })
}

fn request(world: &World) -> Result<ReadRequest, Failure> {
    let subnet = SubnetSelector::Id(world.openstack.subnet_id(Nic::Mgmt.subnet())?.parse()?);
    let vm = VmSelector::new(WORKER_2.server).ok_or("no VM")?;
    Ok(ReadRequest {
        subnets: [subnet].into(),
        vms: [vm].into(),
    })
}
