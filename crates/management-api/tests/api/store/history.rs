//! What happened, in order, and what is forgotten of it.

use jiff::SignedDuration;
use multinic_management_api::store::changes::ChangeKind;

use crate::support::{
    configs::{cluster, name, node, put},
    on_both_databases,
};

on_both_databases! {
    async fn changes_are_numbered_without_gaps_in_the_order_of_commits(database: TestDatabase) {
        let store = database.store().await;
        let other = database.store().await;
        for round in 1..=5 {
            tokio::join!(put(&store, [node(1, round)]), put(&other, [node(2, round)]));
        }
        store.remove(&cluster(), &name(1), "operator").await.unwrap();
        let changes = store.changes(&cluster(), 0, 100).await.unwrap();
        let numbers: Vec<_> = changes.iter().map(|change| change.sequence).collect();
        assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
        assert_eq!(changes[10].kind, ChangeKind::Deleted);
        assert_eq!(changes[10].config, node(1, 5));
        assert_eq!(store.changes(&cluster(), 9, 1).await.unwrap(), changes[9..10]);
    }

    async fn revisions_come_newest_first(database: TestDatabase) {
        let store = database.store().await;
        for round in 1..=4 {
            put(&store, [node(1, round)]).await;
        }
        let newest = store.revisions(&cluster(), &name(1), None, 2).await.unwrap();
        assert_eq!(newest.iter().map(|change| change.revision).collect::<Vec<_>>(), [4, 3]);
        assert_eq!(newest[0].changed_by, "operator");
        let older = store.revisions(&cluster(), &name(1), Some(3), 10).await.unwrap();
        assert_eq!(older.iter().map(|change| change.revision).collect::<Vec<_>>(), [2, 1]);
    }

    async fn old_history_is_forgotten_but_never_what_is_in_force(database: TestDatabase) {
        let store = database.store().await;
        put(&store, [node(1, 1), node(2, 1)]).await;
        put(&store, [node(1, 2)]).await;
        database.pass(100);
        put(&store, [node(2, 2)]).await;
        assert_eq!(store.prune(SignedDuration::from_hours(24 * 90)).await.unwrap(), 2);
        assert_eq!(store.node(&cluster(), &name(1)).await.unwrap().unwrap().config, node(1, 2));
        assert_eq!(store.revisions(&cluster(), &name(1), None, 10).await.unwrap().len(), 1);
        let position = store.position(&cluster()).await.unwrap();
        assert_eq!((position.sequence, position.pruned_through), (4, 2));
        assert_eq!(store.prune(SignedDuration::from_hours(24 * 90)).await.unwrap(), 0);
    }
}
