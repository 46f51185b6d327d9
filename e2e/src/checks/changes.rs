//! OpenStack changes between two passes: what goes, what stays, and which ids.

use serde_json::{Value, json};

use crate::{
    Failure,
    expected::{self, Nic, WORKER_3, node},
    results::{Results, contains, same},
    world::{Subnet, World},
};

/// See the module.
pub async fn run(world: &World, results: &mut Results) {
    results.record(
        "a detached port: kept and listed, pruned after a second reading, its id taken by the next",
        detached(world).await,
    );
    results.record(
        "a renamed VM: the old name withdrawn, the new one with the same ids",
        renamed(world).await,
    );
}

async fn detached(world: &World) -> Result<(), Failure> {
    let port = Nic::Data.port(WORKER_3);
    let mut story = Story::begin(world).await?;
    world.openstack.detach(WORKER_3.server, &port).await?;
    let outcome = story.while_detached();
    world.openstack.attach(WORKER_3.server, &port).await?;
    outcome?;
    story.attached_again()
}

/// One VM with three interfaces, of which the data port comes and goes.
struct Story<'a> {
    world: &'a World,
    nics: Vec<Nic>,
    interfaces: Vec<Value>,
    posts: usize,
}

const CLUSTER: &str = "e2e-detached";

impl<'a> Story<'a> {
    async fn begin(world: &'a World) -> Result<Self, Failure> {
        let nics = vec![Nic::Mgmt, Nic::Data, Nic::StorageA];
        let interfaces = expected::first_delivery(&world.openstack, WORKER_3, &nics).await?;
        let mut this = Self {
            world,
            nics,
            interfaces,
            posts: 0,
        };
        this.sync(&[])?;
        this.posted("the first sync")?;
        Ok(this)
    }

    fn sync(&self, flags: &[&str]) -> Result<String, Failure> {
        let config = |nic: &Nic| {
            self.world
                .config(CLUSTER, Subnet::Key(nic.subnet()), &[WORKER_3.server])
        };
        let configs: Vec<String> = self.nics.iter().map(config).collect::<Result<_, _>>()?;
        let run = self
            .world
            .run(&[&["sync"], flags].concat(), &self.world.settings(), &configs)?;
        Ok(run.exits(0)?.stderr.clone())
    }

    /// Exactly one more POST, with the expected interfaces.
    fn posted(&mut self, when: &str) -> Result<(), Failure> {
        self.interfaces.sort_by_key(|interface| interface["id"].as_u64());
        let id = self.world.openstack.server_id(WORKER_3.server)?;
        let body = json!([node(WORKER_3.server, id, &self.interfaces)]);
        same(
            when,
            &self.world.posts(CLUSTER).get(self.posts..).unwrap_or_default().to_vec(),
            &vec![body],
        )?;
        self.posts += 1;
        Ok(())
    }

    fn while_detached(&mut self) -> Result<(), Failure> {
        let mac = Nic::Data.interface(0, WORKER_3)["macAddress"].clone();
        let mac = mac.as_str().unwrap_or_default();
        contains("stderr of sync", &self.sync(&[])?, &["InterfaceKept", mac])?;
        same(
            "POSTs by a sync that keeps",
            &self.world.posts(CLUSTER).len(),
            &self.posts,
        )?;
        self.world.forget_requests();
        self.sync(&["--prune"])?;
        let readings = self
            .world
            .neutron
            .requests()
            .iter()
            .filter(|request| request.contains("/ports?"))
            .count();
        same(
            "readings of the ports by sync --prune, at least two",
            &(readings >= 2),
            &true,
        )?;
        let freed = self
            .interfaces
            .iter()
            .position(|interface| interface["macAddress"] == mac)
            .ok_or("no data interface")?;
        self.interfaces.remove(freed);
        self.posted("sync --prune: the others keep their ids")?;
        self.nics = vec![Nic::Mgmt, Nic::StorageA, Nic::StorageB];
        self.interfaces.push(Nic::StorageB.interface(freed + 1, WORKER_3));
        self.sync(&[])?;
        self.posted("the next port gets the freed id")
    }

    fn attached_again(&mut self) -> Result<(), Failure> {
        self.nics.push(Nic::Data);
        self.interfaces.push(Nic::Data.interface(4, WORKER_3));
        self.sync(&[])?;
        self.posted("the port that came back gets the smallest free id")
    }
}

async fn renamed(world: &World) -> Result<(), Failure> {
    let cluster = "e2e-renamed";
    let id = world.openstack.server_id(WORKER_3.server)?;
    let configs = [world.config(cluster, Subnet::Key("biz-mgmt-v4"), &[id])?];
    world.run(&["sync"], &world.settings(), &configs)?.exits(0)?;
    let renamed = format!("{}-renamed", WORKER_3.server);
    world.openstack.rename(WORKER_3.server, &renamed).await?;
    let outcome = world.run(&["sync"], &world.settings(), &configs);
    world.openstack.rename(WORKER_3.server, WORKER_3.server).await?;
    outcome?.exits(0)?;
    let mut nodes: Vec<Value> = world
        .posts(cluster)
        .iter()
        .skip(1)
        .flat_map(|body| body.as_array().cloned().unwrap_or_default())
        .collect();
    nodes.sort_by_key(|node| node["nodeName"].to_string());
    let interfaces = [Nic::Mgmt.interface(1, WORKER_3)];
    let expected = vec![node(WORKER_3.server, id, &[]), node(&renamed, id, &interfaces)];
    let by_name = |node: &Value| node["nodeName"].to_string();
    let mut expected = expected;
    expected.sort_by_key(by_name);
    same("the nodes POSTed after the rename", &nodes, &expected)
}
