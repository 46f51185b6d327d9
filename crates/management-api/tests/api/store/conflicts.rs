//! One MAC, one address, one place.

use multinic_management_api::store::{
    nodes::Filter,
    upsert::{Outcome, Rejection},
};
use multinic_model::NodeConfig;

use crate::support::{
    configs::{cluster, name, node, put},
    on_both_databases,
};

/// Node `number` with the interfaces of node `other`.
fn with_interfaces_of(number: usize, other: usize) -> NodeConfig {
    NodeConfig {
        interfaces: node(other, 1).interfaces,
        ..node(number, 0)
    }
}

on_both_databases! {
    async fn a_mac_that_another_node_has_is_refused_and_both_places_are_named(database: TestDatabase) {
        let store = database.store().await;
        put(&store, [node(1, 1)]).await;
        let outcomes = put(&store, [with_interfaces_of(2, 1), node(3, 1)]).await;
        let Outcome::Rejected(Rejection::MacTaken { interface, mac, holder }) = &outcomes[0] else {
            panic!("{outcomes:?}");
        };
        assert_eq!((interface.get(), *mac), (1, node(1, 1).interfaces[0].mac_address));
        assert_eq!((&holder.node, holder.interface.get()), (&name(1), 1));
        assert_eq!(outcomes[1], Outcome::Created { revision: 1 });
        assert_eq!(store.node(&cluster(), &name(2)).await.unwrap(), None);
    }

    async fn two_nodes_swap_their_interfaces_in_one_batch(database: TestDatabase) {
        let store = database.store().await;
        put(&store, [node(1, 1), node(2, 1)]).await;
        let outcomes = put(&store, [with_interfaces_of(1, 2), with_interfaces_of(2, 1)]).await;
        assert_eq!(outcomes, [Outcome::Updated { revision: 2 }, Outcome::Updated { revision: 2 }]);
    }

    async fn an_address_of_another_cluster_is_no_matter(database: TestDatabase) {
        let store = database.store().await;
        put(&store, [node(1, 1)]).await;
        let filter = Filter { mac_address: Some(node(1, 1).interfaces[0].mac_address), ..Filter::default() };
        assert_eq!(store.nodes(&cluster(), &filter, None, 10).await.unwrap().len(), 1);
        assert_eq!(store.nodes(&"biz-2".parse().unwrap(), &filter, None, 10).await.unwrap(), []);
    }

    async fn each_filter_finds_its_nodes(database: TestDatabase) {
        let store = database.store().await;
        put(&store, [node(1, 1), node(2, 1)]).await;
        put(&store, [node(2, 2), node(3, 1)]).await;
        let third = store.node(&cluster(), &name(3)).await.unwrap().unwrap();
        let filters = [
            (Filter { node_name: Some(name(1)), ..Filter::default() }, vec![name(1)]),
            (Filter { instance_id: Some(node(2, 0).instance_id), ..Filter::default() }, vec![name(2)]),
            (Filter { address: Some(node(2, 2).interfaces[1].address.address()), ..Filter::default() }, vec![name(2)]),
            (Filter { updated_since: Some(third.updated_at), ..Filter::default() }, vec![name(2), name(3)]),
            (Filter { node_name: Some(name(1)), instance_id: Some(node(2, 0).instance_id), ..Filter::default() }, vec![]),
        ];
        for (filter, expected) in filters {
            let found = store.nodes(&cluster(), &filter, None, 10).await.unwrap();
            let found: Vec<_> = found.into_iter().map(|node| node.config.node_name).collect();
            assert_eq!(found, expected, "{filter:?}");
        }
    }
}
