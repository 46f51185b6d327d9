//! The cloud at the beginning, and what it says of itself: Nova's and Neutron's own answers, asked for directly.

use multinic_lab::{CloudBuilder, DEMO_ADMIN_PASSWORD};
use serde_json::{Value, json};
use stage::{Failure, Stage};

/// The projects, all of one provider.
pub const PROJECTS: [&str; 2] = ["df64928216f740d3a6b84a66fa30b649", "00000000000000000000000000000002"];
/// The provider.
pub const PROVIDER: &str = "a919ea1c-9a09-4a9f-9021-ec68c1de2159";
/// The subnets of each project, by its index, two each.
pub const SUBNETS: [[&str; 2]; 2] = [["red", "blue"], ["green", "grey"]];

/// Two projects with two subnets and eight VMs each, `n-0` to `n-15`; each VM has a port on both subnets.
pub fn cloud() -> CloudBuilder {
    let cloud = CloudBuilder::new().provider(PROVIDER);
    (0..PROJECTS.len()).fold(cloud, |cloud, project| {
        let cloud = cloud.project(PROJECTS[project], &format!("project-{project}"));
        let cloud = (0..2).fold(cloud, |cloud, n| {
            let subnet = SUBNETS[project][n];
            let cidr = format!("10.{}.0.0/16", 10 * project + n + 1);
            cloud
                .network(&format!("net-{subnet}"))
                .mtu(1450)
                .subnet(subnet, &cidr)
                .id(subnet)
        });
        (0..8).fold(cloud, |cloud, vm| {
            let cloud = cloud.vm(&format!("n-{}", 8 * project + vm));
            SUBNETS[project].iter().fold(cloud, |cloud, subnet| cloud.port(subnet))
        })
    })
}

/// Everything that Nova and Neutron have.
pub struct Truth {
    /// `/servers/detail`, of all projects.
    pub servers: Vec<Value>,
    /// `/ports`.
    pub ports: Vec<Value>,
    /// `/subnets`.
    pub subnets: Vec<Value>,
    /// `/networks`.
    pub networks: Vec<Value>,
}

impl Truth {
    /// Asks.
    pub async fn ask(stage: &Stage) -> Result<Self, Failure> {
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).build()?;
        let token = log_in(stage, &client).await?;
        let list = async |url: String, key: &str| -> Result<Vec<Value>, Failure> {
            let answer = client
                .get(url)
                .header("X-Auth-Token", &token)
                .send()
                .await?
                .error_for_status()?;
            let body: Value = serde_json::from_str(&answer.text().await?)?;
            Ok(body[key].as_array().ok_or("no list")?.clone())
        };
        let (nova, neutron) = (stage.lab.nova_url(), stage.lab.neutron_url());
        Ok(Self {
            servers: list(format!("{nova}/servers/detail?all_tenants=1"), "servers").await?,
            ports: list(format!("{neutron}/v2.0/ports"), "ports").await?,
            subnets: list(format!("{neutron}/v2.0/subnets"), "subnets").await?,
            networks: list(format!("{neutron}/v2.0/networks"), "networks").await?,
        })
    }
}

async fn log_in(stage: &Stage, client: &reqwest::Client) -> Result<String, Failure> {
    let user = json!({"name": "admin", "domain": {"id": "default"}, "password": DEMO_ADMIN_PASSWORD});
    let body = json!({"auth": {
        "identity": {"methods": ["password"], "password": {"user": user}},
        "scope": {"project": {"id": PROJECTS[0]}},
    }});
    let request = client
        .post(format!("{}/auth/tokens", stage.lab.keystone_url()))
        .json(&body);
    let answer = request.send().await?.error_for_status()?;
    let token = answer.headers().get("x-subject-token").ok_or("no token")?;
    Ok(token.to_str()?.to_owned())
}
