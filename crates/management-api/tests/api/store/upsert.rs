//! Taking node configs in.

use multinic_management_api::store::{
    Registration, StoreError,
    idempotency::{Answer, IdempotencyKey},
    nodes::Filter,
    providers::ProviderSettings,
    upsert::{Outcome, Rejection, Upsert},
};
use multinic_model::NodeConfig;

use crate::support::{
    configs::{candidate, cluster, name, node, put, put_candidates},
    on_both_databases,
};

on_both_databases! {
    async fn what_was_put_is_read_back(database: TestDatabase) {
        let store = database.store().await;
        let configs = [node(1, 2), node(2, 0), node(3, 1)];
        let created = Outcome::Created { revision: 1 };
        assert_eq!(put(&store, configs.clone()).await, [created.clone(), created.clone(), created]);
        let read = store.nodes(&cluster(), &Filter::default(), None, 10).await.unwrap();
        assert_eq!(read.iter().map(|node| node.config.clone()).collect::<Vec<_>>(), configs);
        let second = store.nodes(&cluster(), &Filter::default(), Some(&name(1)), 1).await.unwrap();
        assert_eq!(second[0].config, configs[1]);
    }

    async fn a_change_raises_the_revision_and_identical_content_does_not(database: TestDatabase) {
        let store = database.store().await;
        put(&store, [node(1, 2)]).await;
        assert_eq!(put(&store, [node(1, 1)]).await, [Outcome::Updated { revision: 2 }]);
        let before = store.node(&cluster(), &name(1)).await.unwrap().unwrap();
        let mut shuffled = node(1, 1);
        shuffled.interfaces.reverse();
        assert_eq!(put(&store, [shuffled]).await, [Outcome::Unchanged { revision: 2 }]);
        assert_eq!(store.node(&cluster(), &name(1)).await.unwrap().unwrap(), before);
        assert_eq!(store.position(&cluster()).await.unwrap().sequence, 2);
    }

    async fn a_batch_of_a_thousand_nodes_arrives_whole(database: TestDatabase) {
        let store = database.store().await;
        let configs: Vec<NodeConfig> = (0..1_000).map(|number| node(number, 4)).collect();
        let outcomes = put(&store, configs.clone()).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Created { revision: 1 }));
        let provider = store.provider(&cluster()).await.unwrap().unwrap();
        assert_eq!((provider.nodes, provider.interfaces, provider.sequence), (1_000, 4_000, 1_000));
        let outcomes = put(&store, configs).await;
        assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Unchanged { revision: 1 }));
        assert_eq!(store.provider(&cluster()).await.unwrap().unwrap(), provider);
    }

    async fn what_is_there_already_writes_no_row(database: TestDatabase) {
        let store = database.store().await;
        let configs: Vec<NodeConfig> = (0..50).map(|number| node(number, 4)).collect();
        put(&store, configs.clone()).await;
        let mut writes = database.writes().await;
        let before = writes.last().await;
        put(&store, configs.clone()).await;
        assert_eq!(writes.last().await, before);
        put(&store, configs.into_iter().take(1).map(|config| NodeConfig { interfaces: Vec::new(), ..config })).await;
        assert_ne!(writes.last().await, before);
    }

    async fn a_node_that_was_deleted_goes_on_counting(database: TestDatabase) {
        let store = database.store().await;
        put(&store, [node(1, 1)]).await;
        assert_eq!(store.remove(&cluster(), &name(1), "operator").await.unwrap(), 2);
        assert_eq!(store.node(&cluster(), &name(1)).await.unwrap(), None);
        assert_eq!(put(&store, [node(1, 1)]).await, [Outcome::Created { revision: 3 }]);
        let gone = store.remove(&cluster(), &name(2), "operator").await;
        assert!(matches!(gone, Err(StoreError::UnknownNode { .. })), "{gone:?}");
    }

    async fn what_was_made_from_an_older_revision_is_refused(database: TestDatabase) {
        let store = database.store().await;
        put(&store, [node(1, 1)]).await;
        put(&store, [node(1, 2)]).await;
        let outcomes = put_candidates(&store, &[candidate(node(1, 3), Some(1))]).await.unwrap();
        assert_eq!(outcomes, [Outcome::Rejected(Rejection::Stale { made_from: 1, current: 2 })]);
        let outcomes = put_candidates(&store, &[candidate(node(1, 3), Some(2))]).await.unwrap();
        assert_eq!(outcomes, [Outcome::Updated { revision: 3 }]);
        // The answer was lost and the same is sent again.
        let outcomes = put_candidates(&store, &[candidate(node(1, 3), Some(2))]).await.unwrap();
        assert_eq!(outcomes, [Outcome::Unchanged { revision: 3 }]);
        let outcomes = put_candidates(&store, &[candidate(node(1, 4), Some(0))]).await.unwrap();
        assert_eq!(outcomes, [Outcome::Rejected(Rejection::Stale { made_from: 0, current: 3 })]);
    }

    async fn two_who_post_at_once_lose_nothing(database: TestDatabase) {
        let store = database.store().await;
        let other = database.store().await;
        put(&store, [node(1, 0)]).await;
        let mut taken = 0;
        for round in 0..10 {
            let revision = store.node(&cluster(), &name(1)).await.unwrap().unwrap().revision;
            let ours = [candidate(node(1, 1 + round % 2), Some(revision))];
            let theirs = [candidate(node(1, 3 + round % 2), Some(revision))];
            let (ours, theirs) = tokio::join!(put_candidates(&store, &ours), put_candidates(&other, &theirs));
            let outcomes = [ours.unwrap(), theirs.unwrap()].concat();
            let won = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Updated { .. })).count();
            let stale = Rejection::Stale { made_from: revision, current: revision + 1 };
            assert!(won == 1 && outcomes.contains(&Outcome::Rejected(stale)), "{outcomes:?}");
            taken += won as u64;
        }
        assert_eq!(store.node(&cluster(), &name(1)).await.unwrap().unwrap().revision, 1 + taken);
        let history = store.revisions(&cluster(), &name(1), None, 100).await.unwrap();
        assert_eq!(history.len() as u64, 1 + taken);
    }

    async fn a_key_is_answered_as_before_even_if_the_node_changed_since(database: TestDatabase) {
        let store = database.store().await;
        let key = IdempotencyKey { key_digest: "k".into(), request_digest: "r".into() };
        let candidates = [candidate(node(1, 1), None)];
        let cluster = cluster();
        let upsert = |key| Upsert { cluster: &cluster, candidates: &candidates, caller: "operator", key: Some(key) };
        let answer = |outcomes: &[Outcome]| Answer { status: 200, body: format!("{outcomes:?}") };
        let first = store.upsert(upsert(&key), answer).await.unwrap();
        put(&store, [node(1, 2)]).await;
        let again = store.upsert(upsert(&key), answer).await.unwrap();
        assert!(again.replayed && again.answer == first.answer && again.changed == 0);
        assert_eq!(store.node(&cluster, &name(1)).await.unwrap().unwrap().config, node(1, 2));
        let other = IdempotencyKey { key_digest: "k".into(), request_digest: "other".into() };
        assert!(matches!(store.upsert(upsert(&other), answer).await, Err(StoreError::KeyReused)));
    }

    async fn a_strict_server_takes_only_registered_clusters(database: TestDatabase) {
        let store = database.store_with(Registration::Strict).await;
        let refused = put_candidates(&store, &[candidate(node(1, 1), None)]).await;
        assert!(matches!(refused, Err(StoreError::UnknownProvider(_))), "{refused:?}");
        assert!(store.set_provider(&cluster(), &ProviderSettings::default()).await.unwrap());
        assert_eq!(put(&store, [node(1, 1)]).await, [Outcome::Created { revision: 1 }]);
        let in_use = store.delete_provider(&cluster()).await;
        assert!(matches!(in_use, Err(StoreError::ProviderInUse { nodes: 1, .. })), "{in_use:?}");
        store.remove(&cluster(), &name(1), "operator").await.unwrap();
        assert!(store.delete_provider(&cluster()).await.unwrap());
        assert!(!store.delete_provider(&cluster()).await.unwrap());
    }
}
