//! The operator against the real OpenStack: OpenstackConfigs come, ports change, OpenstackConfigs go.

use serde_json::{Value, json};

use crate::{
    Failure,
    expected::{Nic, WORKER_3, node},
    operator::Operator,
    results::Results,
    world::{Subnet, World},
};

const CLUSTER: &str = "e2e-operator";

/// See the module.
pub async fn run(world: &World, results: &mut Results) {
    let outcome = story(world, results).await;
    results.record(
        "the operator: configs come, a port goes and comes, configs go, SIGTERM",
        outcome,
    );
}

async fn story(world: &World, results: &mut Results) -> Result<(), Failure> {
    let operator = Operator::start(world).await?;
    let mut names = Vec::new();
    let mut interfaces = Vec::new();
    for (index, nic) in [Nic::Mgmt, Nic::Data, Nic::StorageA].into_iter().enumerate() {
        let config = world.config(CLUSTER, Subnet::Key(nic.subnet()), &[WORKER_3.server])?;
        names.push(operator.ready(&config).await?);
        interfaces.push(nic.interface(index + 1, WORKER_3));
        operator.delivers(CLUSTER, &held(world, &interfaces)?).await?;
    }
    port_goes_and_comes(world, &operator, results, &interfaces).await?;
    for name in names {
        operator.delete(&name).await?;
    }
    operator.delivers(CLUSTER, &held(world, &[])?).await?;
    operator.stop().await
}

async fn port_goes_and_comes(
    world: &World,
    operator: &Operator<'_>,
    results: &mut Results,
    interfaces: &[Value],
) -> Result<(), Failure> {
    let port = Nic::Data.port(WORKER_3);
    let without = held(world, &[interfaces[0].clone(), interfaces[2].clone()])?;
    let with = held(world, interfaces)?;
    let (detached, gone) = tokio::join!(
        world.openstack.detach(WORKER_3.server, &port),
        operator.delivers(CLUSTER, &without)
    );
    let (attached, back) = tokio::join!(
        world.openstack.attach(WORKER_3.server, &port),
        operator.delivers(CLUSTER, &with)
    );
    detached.and(attached)?;
    results.figure(
        "operator, interval 1 s: `remove port` sent, to POST (after two readings)",
        format!("{} ms", gone?.as_millis()),
    );
    results.figure(
        "operator, interval 1 s: `add port` sent, to POST",
        format!("{} ms", back?.as_millis()),
    );
    Ok(())
}

/// What the management API holds then.
fn held(world: &World, interfaces: &[Value]) -> Result<Value, Failure> {
    let id = world.openstack.server_id(WORKER_3.server)?;
    Ok(json!({ WORKER_3.server: node(WORKER_3.server, id, interfaces) }))
}
