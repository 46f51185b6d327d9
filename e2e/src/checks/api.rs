//! From the real OpenStack to the object in a workload cluster: operator, management API on PostgreSQL, delivery.

use serde_json::{Value, json};

use crate::{
    Failure,
    api::Api,
    expected::{Nic, WORKER_3},
    operator::Operator,
    results::{Results, same},
    world::{Subnet, World},
};

const CLUSTER: &str = "e2e-api";
const NODE: &str = WORKER_3.server;
/// A server that lives for this check only.
const SHORT_LIVED: &str = "e2e-short-lived";

/// See the module.
pub async fn run(world: &World, results: &mut Results) {
    let outcome = story(world, results).await;
    results.record(
        "OpenStack to cluster object: a port goes and comes, across a restart of the API; a VM is deleted; read-back",
        outcome,
    );
}

async fn story(world: &World, results: &mut Results) -> Result<(), Failure> {
    let mut api = Api::start(world, CLUSTER).await?;
    let settings = world.settings().with_management_api(&api.url());
    let operator = Operator::start_with(world, &settings).await?;
    let mut configs = Vec::new();
    let mut names = Vec::new();
    let mut interfaces = Vec::new();
    for (index, nic) in [Nic::Mgmt, Nic::Data].into_iter().enumerate() {
        let config = world.config(CLUSTER, Subnet::Key(nic.subnet()), &[NODE])?;
        names.push(operator.ready(&config).await?);
        interfaces.push(nic.interface(index + 1, WORKER_3));
        api.arrives(NODE, &interfaces).await?;
        configs.push(config);
    }
    labels(world, &api)?;
    port_goes_and_comes(world, &mut api, results, &interfaces).await?;
    read_back(world, &api, &settings, &configs)?;
    vm_is_deleted(world, &api, &operator, results).await?;
    for name in names {
        operator.delete(&name).await?;
    }
    api.arrives(NODE, &[]).await?;
    operator.stop().await?;
    api.stop()
}

fn labels(world: &World, api: &Api<'_>) -> Result<(), Failure> {
    let object = api.object(NODE)?;
    let expected = json!({
        "multinic.io/node-name": NODE,
        "multinic.io/instance-id": world.openstack.server_id(NODE)?,
        "multinic.io/provider-id": CLUSTER,
    });
    same("the object's labels", &object["metadata"]["labels"], &expected)?;
    same("the object has no status", &object.get("status"), &None)
}

/// It goes while the API runs, and comes back while it does not.
async fn port_goes_and_comes(
    world: &World,
    api: &mut Api<'_>,
    results: &mut Results,
    interfaces: &[Value],
) -> Result<(), Failure> {
    let port = Nic::Data.port(WORKER_3);
    let (detached, gone) = tokio::join!(world.openstack.detach(NODE, &port), api.arrives(NODE, &interfaces[..1]));
    let stopped = api.stop();
    let attached = world.openstack.attach(NODE, &port).await;
    api.resume()?;
    detached.and(stopped).and(attached)?;
    results.figure(
        "operator, interval 1 s: `remove port` sent, to the object in the cluster (after two readings)",
        format!("{} ms", gone?.as_millis()),
    );
    api.arrives(NODE, interfaces).await?;
    let history = api.get(&["revisions", NODE])?;
    let history = history.as_array().cloned().unwrap_or_default();
    let counts: Vec<usize> = history
        .iter()
        .map(|change| change["interfaces"].as_array().map_or(0, Vec::len))
        .collect();
    same("interfaces by revision, the newest first", &counts, &vec![2, 1, 2, 1])
}

/// What the operator has delivered is all right for the command line, too.
fn read_back(
    world: &World,
    api: &Api<'_>,
    settings: &crate::world::Settings,
    configs: &[String],
) -> Result<(), Failure> {
    let before = api.get(&["nodes"])?;
    for command in ["plan", "sync"] {
        let run = world.run(&[command, "-o", "json"], settings, configs)?;
        same(command, &run.exits(0)?.json()?, &json!({ CLUSTER: [] }))?;
    }
    same(
        "the nodes after a sync that had nothing to do",
        &api.get(&["nodes"])?,
        &before,
    )
}

async fn vm_is_deleted(
    world: &World,
    api: &Api<'_>,
    operator: &Operator<'_>,
    results: &mut Results,
) -> Result<(), Failure> {
    let made = world
        .openstack
        .create_like(NODE, SHORT_LIVED, &Nic::Data.port(WORKER_3))
        .await?;
    let outcome = deletion(world, api, operator, results, &made).await;
    world.openstack.forget(&made).await?;
    outcome
}

async fn deletion(
    world: &World,
    api: &Api<'_>,
    operator: &Operator<'_>,
    results: &mut Results,
    made: &crate::openstack::Made,
) -> Result<(), Failure> {
    let config = world.config(CLUSTER, Subnet::Key(Nic::Data.subnet()), &[NODE, &made.server])?;
    operator.ready(&config).await?;
    let mut interface = Nic::Data.interface(1, WORKER_3);
    interface["macAddress"] = made.mac.clone();
    interface["address"] = made.address.clone();
    api.arrives(SHORT_LIVED, &[interface]).await?;
    let (deleted, gone) = tokio::join!(
        world.openstack.delete_server(&made.server),
        api.arrives(SHORT_LIVED, &[])
    );
    deleted?;
    results.figure(
        "operator, interval 1 s: `server delete` sent, to the empty object in the cluster (after two readings)",
        format!("{} ms", gone?.as_millis()),
    );
    Ok(())
}
