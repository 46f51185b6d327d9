//! 200 servers with 4 ports each: what it costs, and the page cut of Nova's `max_limit`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    Failure, openstack,
    product::Run,
    results::{Results, same},
    world::{Subnet, World},
};

const SERVERS: usize = 200;
const CLUSTER: &str = "e2e-scale";
const MOST_REQUESTS_COLD: usize = 12;
const MOST_MORE_REQUESTS: usize = 4;

/// See the module.
pub fn run(world: &World, results: &mut Results) {
    let count = SERVERS.to_string();
    if let Err(error) = openstack::script("seed.sh", &["--clone", &count], &[]) {
        results.record("200 more servers", Err(error));
        return;
    }
    checks(world, results);
    results.record(
        "200 servers removed again",
        openstack::script("seed.sh", &["--unclone"], &[]),
    );
}

fn checks(world: &World, results: &mut Results) {
    let names: Vec<String> = (1..=SERVERS).map(|number| format!("clone-{number:05}")).collect();
    let cold = plan(world, &names);
    let requests = world.requests().len();
    results.figure(
        "plan, 200 VMs x 4 ports, cold: requests to OpenStack and Contrabass",
        requests + 1,
    );
    if let Ok((took, _)) = &cold {
        results.figure(
            "plan, 200 VMs x 4 ports, cold: wall time",
            format!("{took} ms (unoptimised build)"),
        );
    }
    let cold = cold.map(|(_, plan)| plan);
    results.record(
        "200 VMs by name: every node exact",
        cold.as_ref().map_err(text).and_then(|plan| exact(plan)),
    );
    results.record(
        "200 VMs cost at most 12 requests cold",
        at_most("requests", requests + 1, MOST_REQUESTS_COLD),
    );
    results.record(
        "20 configs over one project cost at most 4 requests more",
        twenty_configs(world, &names, requests),
    );
    let Ok(by_name) = cold else { return };
    results.record("200 VMs by UUID: the same plan", by_uuid(world, &by_name));
    results.record(
        "with Nova's max_limit at 50 the listing is paged to its end: the same plan",
        page_cut(world, &names, &by_name),
    );
}

fn text(error: &Failure) -> Failure {
    error.to_string().into()
}

fn refs(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn run_plan(world: &World, configs: &[String]) -> Result<Run, Failure> {
    world.forget_requests();
    world.run(&["plan", "-o", "json"], &world.settings(), configs)
}

fn plan(world: &World, vms: &[String]) -> Result<(u128, Value), Failure> {
    let config = world.config(CLUSTER, Subnet::Key("biz-mgmt-v4"), &refs(vms))?;
    let run = run_plan(world, &[config])?;
    Ok((run.took.as_millis(), run.exits(0)?.json()?))
}

/// clone.py numbers its MACs and addresses through; the order of two ports made in one second is not fixed.
fn exact(plan: &Value) -> Result<(), Failure> {
    let nodes = plan[CLUSTER].as_array().ok_or("no nodes")?;
    same("nodes", &nodes.len(), &SERVERS)?;
    for (index, node) in nodes.iter().enumerate() {
        let serial = |kind: usize| (index + 1) * 4 + kind;
        same("nodeName", &node["nodeName"], &json!(format!("clone-{:05}", index + 1)))?;
        let mut found = BTreeMap::new();
        let mut ids = Vec::new();
        for interface in node["interfaces"].as_array().into_iter().flatten() {
            let mut rest = interface.clone();
            ids.push(rest["id"].take());
            found.insert(interface["macAddress"].to_string(), rest);
        }
        same("ids", &ids, &vec![json!(1), json!(2)])?;
        let expected: Vec<Value> = [serial(0), serial(2)].map(interface).to_vec();
        same("interfaces", &found.into_values().collect(), &expected)?;
    }
    Ok(())
}

fn interface(serial: usize) -> Value {
    let (high, low) = (serial >> 8, serial & 255);
    json!({
        "id": null, "macAddress": format!("fa:16:40:00:{high:02x}:{low:02x}"),
        "address": format!("10.10.{}.{low}", 128 + high), "cidr": "10.10.0.0/16", "mtu": 1450,
    })
}

fn at_most(what: &str, found: usize, most: usize) -> Result<(), Failure> {
    if found <= most {
        Ok(())
    } else {
        Err(format!("{what}: {found}, at most {most} allowed").into())
    }
}

fn twenty_configs(world: &World, names: &[String], one: usize) -> Result<(), Failure> {
    let configs: Vec<String> = names
        .chunks(SERVERS / 20)
        .enumerate()
        .map(|(index, vms)| {
            let config = world.config(CLUSTER, Subnet::Key("biz-mgmt-v4"), &refs(vms))?;
            Ok(config.replacen(&format!("name: {CLUSTER}"), &format!("name: {CLUSTER}-{index}"), 1))
        })
        .collect::<Result<_, Failure>>()?;
    exact(&run_plan(world, &configs)?.exits(0)?.json()?)?;
    at_most("requests", world.requests().len(), one + MOST_MORE_REQUESTS)
}

fn by_uuid(world: &World, by_name: &Value) -> Result<(), Failure> {
    let nodes = by_name[CLUSTER].as_array().ok_or("no nodes")?;
    let ids: Vec<String> = nodes
        .iter()
        .filter_map(|node| node["instanceId"].as_str())
        .map(str::to_owned)
        .collect();
    same("the plan", &plan(world, &ids)?.1, by_name)
}

fn page_cut(world: &World, names: &[String], by_name: &Value) -> Result<(), Failure> {
    openstack::script("up.sh", &["restart", "nova-api"], &[("LAB_NOVA_MAX_LIMIT", "50")])?;
    let outcome = plan(world, names);
    let pages = world
        .nova
        .requests()
        .iter()
        .filter(|request| request.contains("marker="))
        .count();
    openstack::script("up.sh", &["restart", "nova-api"], &[])?;
    same("the plan", &outcome?.1, by_name)?;
    same("further pages were asked for", &(pages >= SERVERS / 50), &true)
}
