//! Contrabass and the management API, from the lab crate. Both want a bearer token.

use multinic_lab::{CloudBuilder, Lab, Receiver};
use serde_json::Value;

use crate::Failure;

/// Both, listening on the loopback until dropped.
pub struct StandIns {
    contrabass: Lab,
    management_api: Receiver,
}

impl StandIns {
    /// Contrabass knows each provider by id with its envelope; all of them live behind one Keystone. Of the last one it
    /// also names the broker: the user, the envelope of its password, the address.
    pub fn start(
        keystone: &str,
        envelopes: &[(&str, String)],
        (user, password, broker): (&str, &str, &str),
        bearer: &str,
    ) -> Result<Self, Failure> {
        let cloud = envelopes.iter().fold(
            CloudBuilder::new().contrabass_token(bearer),
            |cloud, (provider, envelope)| cloud.provider(provider).envelope(envelope).keystone_url(keystone),
        );
        let cloud = cloud.rabbitmq(user, password, &[broker]);
        let management_api = Receiver::start()?;
        management_api.require_token(bearer);
        Ok(Self {
            contrabass: Lab::start(cloud)?,
            management_api,
        })
    }

    /// Without a path.
    pub fn contrabass_url(&self) -> String {
        self.contrabass.contrabass_url()
    }

    /// Without a path.
    pub fn management_api_url(&self) -> String {
        self.management_api.url()
    }

    /// Every body that was POSTed for a cluster, in order.
    pub fn posts(&self, cluster: &str) -> Vec<Value> {
        let posts = self.management_api.posts();
        posts
            .iter()
            .filter(|post| post.cluster == cluster)
            .map(multinic_lab::Post::json)
            .collect()
    }

    /// What the management API holds for a cluster, by node name.
    pub fn node_configs(&self, cluster: &str) -> Value {
        self.management_api.node_configs(cluster)
    }

    /// Waits until the management API holds exactly this for a cluster; how long is the caller's business.
    pub async fn until_holds(&self, cluster: &str, nodes: &Value) {
        self.management_api
            .until(|_| self.management_api.node_configs(cluster) == *nodes)
            .await;
    }
}
