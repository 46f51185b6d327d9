//! Watches, as the watchers of kube-rs use them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use futures::{Stream, StreamExt, pin_mut};
use kube::{
    api::{DynamicObject, WatchEvent, WatchParams},
    runtime::watcher::{self, Event},
};
use multinic_lab_kubernetes::{Fault, KubernetesLab, Matcher, Times};
use serde_json::json;
use support::{CONFIGS, NAMESPACE, client, config_json, configs, lab};

/// The next change of an object: `+name` or `-name`. Restarts and errors in between are passed over.
async fn next(stream: &mut (impl Stream<Item = watcher::Result<Event<DynamicObject>>> + Unpin)) -> String {
    let name = |object: DynamicObject| object.metadata.name.unwrap();
    loop {
        match stream.next().await.unwrap() {
            Ok(Event::Apply(object) | Event::InitApply(object)) => return format!("+{}", name(object)),
            Ok(Event::Delete(object)) => return format!("-{}", name(object)),
            Ok(Event::Init | Event::InitDone) | Err(_) => {}
        }
    }
}

fn watches(lab: &KubernetesLab) -> usize {
    lab.requests()
        .iter()
        .filter(|request| request.verb == "watch" && request.status == 200)
        .count()
}

#[tokio::test]
async fn a_watcher_lives_through_everything_that_happens_to_its_watch() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    for config in [watcher::Config::default(), watcher::Config::default().streaming_lists()] {
        let stream = watcher::watcher(configs.clone(), config);
        pin_mut!(stream);
        lab.apply(config_json("a")).unwrap();
        assert_eq!(next(&mut stream).await, "+a");

        lab.apply(config_json("b")).unwrap();
        assert_eq!(next(&mut stream).await, "+b");

        lab.drop_watches();
        lab.delete(CONFIGS, NAMESPACE, "b").unwrap();
        assert_eq!(next(&mut stream).await, "-b");

        // A watch that begins before what is known is told 410 and lists again.
        lab.drop_watches();
        lab.apply(config_json("c")).unwrap();
        lab.compact();
        assert_eq!(next(&mut stream).await, "+a");
        assert_eq!(next(&mut stream).await, "+c");

        lab.restart().await.unwrap();
        lab.delete(CONFIGS, NAMESPACE, "c").unwrap();
        assert_eq!(next(&mut stream).await, "-c");
        lab.delete(CONFIGS, NAMESPACE, "a").unwrap();
        assert_eq!(next(&mut stream).await, "-a");
    }
    assert!(watches(&lab) >= 6);
}

#[tokio::test]
async fn a_refused_watch_is_tried_again() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    lab.fail(Matcher::any().verb("watch"), Fault::Status(500), Times::N(1));
    let stream = watcher::watcher(configs, watcher::Config::default());
    pin_mut!(stream);
    lab.apply(config_json("a")).unwrap();
    assert_eq!(next(&mut stream).await, "+a");
    lab.apply(config_json("b")).unwrap();
    assert_eq!(next(&mut stream).await, "+b");
}

#[tokio::test]
async fn a_bookmark_names_the_revision_that_the_watch_has_reached() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    let stream = configs
        .watch(&WatchParams::default(), &lab.revision().to_string())
        .await
        .unwrap();
    pin_mut!(stream);
    lab.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}}))
        .unwrap();
    lab.send_bookmarks();
    match stream.next().await.unwrap().unwrap() {
        WatchEvent::Bookmark(bookmark) => assert_eq!(bookmark.metadata.resource_version, lab.revision().to_string()),
        other => panic!("no bookmark: {other:?}"),
    }
}

#[tokio::test]
async fn a_selection_sees_what_begins_and_ceases_to_belong_to_it() {
    let lab = lab().await;
    let configs = configs(&client(&lab).await);
    let mut object = config_json("a");
    lab.apply(object.clone()).unwrap();
    let selected = WatchParams::default().labels("tier=gold");
    let stream = configs.watch(&selected, &lab.revision().to_string()).await.unwrap();
    pin_mut!(stream);
    object["metadata"]["labels"] = json!({"tier": "gold"});
    lab.apply(object.clone()).unwrap();
    assert!(matches!(stream.next().await.unwrap().unwrap(), WatchEvent::Added(_)));
    object["metadata"]["labels"] = json!({"tier": "tin"});
    lab.apply(object).unwrap();
    assert!(matches!(stream.next().await.unwrap().unwrap(), WatchEvent::Deleted(_)));
}

#[tokio::test]
async fn a_short_history_forgets_its_oldest_events() {
    let lab = support::lab_of(KubernetesLab::builder().history(2)).await;
    let configs = configs(&client(&lab).await);
    let begin = lab.revision().to_string();
    for name in ["a", "b", "c"] {
        lab.apply(config_json(name)).unwrap();
    }
    let stream = configs.watch(&WatchParams::default(), &begin).await.unwrap();
    pin_mut!(stream);
    match stream.next().await.unwrap().unwrap() {
        WatchEvent::Error(status) => assert_eq!((status.code, status.reason.as_str()), (410, "Expired")),
        other => panic!("no error: {other:?}"),
    }
    assert!(stream.next().await.is_none());
}
