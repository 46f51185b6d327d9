//! The operator's own client against this server.

use std::num::NonZeroUsize;

use multinic_delivery::{AlwaysOpen, ManagementApi, ManagementApiSettings, NodeResult, Probe};
use multinic_model::{Earlier, NodeConfig};

use crate::support::{
    api::Api,
    configs::{cluster, name, node},
    on_both_databases,
};

fn client(api: &Api) -> ManagementApi {
    let mut settings = ManagementApiSettings::new(api.url("").parse().unwrap());
    settings.batch_size = NonZeroUsize::new(7).unwrap();
    ManagementApi::new(settings).unwrap()
}

async fn deliver(client: &ManagementApi, nodes: &[NodeConfig]) -> Vec<&'static str> {
    let nodes: Vec<_> = nodes.iter().collect();
    let delivery = client.deliver(&cluster(), &nodes, &AlwaysOpen).await;
    delivery.nodes.values().map(NodeResult::name).collect()
}

on_both_databases! {
    async fn what_the_operator_delivers_it_reads_back(database: TestDatabase) {
        let api = Api::start(&database).await;
        let client = client(&api);
        assert_eq!(client.probe(&cluster()).await.unwrap(), Probe::ReadBack);
        assert_eq!(client.read_back(&cluster()).await.unwrap(), Earlier::Known([].into()));
        let nodes: Vec<_> = (0..20).map(|number| node(number, 3)).collect();
        assert_eq!(deliver(&client, &nodes).await, ["created"; 20]);
        let Earlier::Known(known) = client.read_back(&cluster()).await.unwrap() else {
            panic!("the server reads back");
        };
        assert_eq!(known.len(), 20);
        assert_eq!(known[&name(7)].interfaces, nodes[7].interfaces);
        assert_eq!(deliver(&client, &nodes).await, ["unchanged"; 20]);
    }

    async fn a_node_that_is_refused_is_rejected_with_the_reason(database: TestDatabase) {
        let api = Api::start(&database).await;
        let client = client(&api);
        deliver(&client, &[node(1, 1)]).await;
        let thief = NodeConfig { interfaces: node(1, 1).interfaces, ..node(2, 0) };
        let delivery = client.deliver(&cluster(), &[&thief, &node(3, 1)], &AlwaysOpen).await;
        let NodeResult::Rejected { error } = &delivery.nodes[&name(2)] else {
            panic!("{delivery:?}");
        };
        assert!(error.contains("interface 1 of node worker-1"), "{error}");
        assert!(matches!(delivery.nodes[&name(3)], NodeResult::Created { revision: Some(1) }));
    }
}
