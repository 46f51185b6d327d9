//! The links of several providers, with a scripted source.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::{FutureExt, future::BoxFuture};
use jiff::Timestamp;
use multinic_model::ProviderId;
use multinic_notifications::{
    EventKind, Hint, LinkError, LinkPace, LinkSettings, LinkState, Message, MessageOutcome, NetworkHint, QueueKind,
    QueueSettings, ServerHint, Sink,
};
use multinic_transport::Tls;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::{Instant, timeout},
};

use super::{EventSource, Links, LinksPace, Source, Tidings};
use crate::{
    observe::Metrics,
    status::{reason::Word, trouble::Trouble},
};

/// A link of one virtual host.
pub fn settings(vhost: &str) -> LinkSettings {
    LinkSettings {
        brokers: vec!["b:5672".parse().unwrap(), "a:5672".parse().unwrap()],
        vhost: vhost.to_owned(),
        user: "openstack".to_owned(),
        password: "secret".into(),
        tls: Tls::default(),
        connection_name: "multinic".to_owned(),
        heartbeat: Duration::from_secs(10),
        queue: QueueSettings {
            name: "multinic.uid.p".to_owned(),
            kind: QueueKind::Classic,
            max_length: 1,
            message_ttl: Duration::from_secs(1),
            expires: Duration::from_secs(1),
        },
        bindings: Vec::new(),
        prefetch: 1,
        pace: LinkPace::default(),
    }
}

fn with_password(password: &str) -> LinkSettings {
    LinkSettings {
        password: password.into(),
        ..settings("/")
    }
}

type Answer = Result<Vec<LinkSettings>, Trouble>;

/// Answers with the last answer it was given, and hands out the sinks of the links that begin.
struct Script {
    answer: Mutex<Answer>,
    questions: UnboundedSender<Instant>,
    begun: UnboundedSender<(LinkSettings, Arc<dyn Sink>)>,
}

impl Source for Script {
    fn links<'a>(&'a self, _: &'a ProviderId) -> BoxFuture<'a, Answer> {
        async {
            self.questions.send(Instant::now()).unwrap();
            self.answer.lock().unwrap().clone()
        }
        .boxed()
    }

    fn listen(&self, link: LinkSettings, sink: Arc<dyn Sink>) -> BoxFuture<'static, ()> {
        let begun = self.begun.clone();
        async move {
            let ended = Arc::clone(&sink);
            begun.send((link, sink)).unwrap();
            std::future::pending::<()>().await;
            drop(ended);
        }
        .boxed()
    }
}

struct World {
    links: Links,
    metrics: Metrics,
    script: Arc<Script>,
    questions: UnboundedReceiver<Instant>,
    begun: UnboundedReceiver<(LinkSettings, Arc<dyn Sink>)>,
}

const NOW: i64 = 1_000_000;

impl World {
    fn new(answer: Answer) -> Self {
        let (metrics, (asks, questions), (begins, begun)) =
            (Metrics::default(), unbounded_channel(), unbounded_channel());
        let pace = LinksPace {
            random: || 0.0,
            now: || Timestamp::from_second(NOW).unwrap(),
            ..LinksPace::default()
        };
        Self {
            links: Links::new(metrics.clone(), pace),
            metrics,
            script: Arc::new(Script {
                answer: Mutex::new(answer),
                questions: asks,
                begun: begins,
            }),
            questions,
            begun,
        }
    }

    fn serve(&mut self, generation: u64, providers: &[&str]) {
        let providers: BTreeSet<ProviderId> = providers.iter().map(|id| id.parse().unwrap()).collect();
        let source: Arc<dyn Source> = Arc::<Script>::clone(&self.script);
        self.links.serve(&providers, Some((generation, source)));
    }

    fn answer(&self, answer: Answer) {
        *self.script.answer.lock().unwrap() = answer;
    }

    async fn begins(&mut self) -> (LinkSettings, Arc<dyn Sink>) {
        self.begun.recv().await.unwrap()
    }

    async fn asked(&mut self) -> Instant {
        self.questions.recv().await.unwrap()
    }

    async fn quiet(&mut self) -> bool {
        timeout(Duration::from_secs(1), self.links.next()).await.is_err()
    }

    fn state(&self, provider: &str) -> EventSource {
        self.links.standings().of(&provider.parse().unwrap())
    }

    fn shows(&self, line: &str) -> bool {
        self.metrics.text().unwrap().lines().any(|found| found == line)
    }
}

fn listening() -> LinkState {
    LinkState::Listening {
        broker: "a:5672".parse().unwrap(),
        absent: Vec::new(),
    }
}

fn refused() -> LinkState {
    LinkState::Lost {
        error: LinkError::LoginRefused {
            broker: "a:5672".parse().unwrap(),
            user: "openstack".to_owned(),
        },
        retry_in: Duration::from_mins(1),
    }
}

fn network(n: u8) -> Hint {
    Hint::Network(NetworkHint {
        network: format!("00000000-0000-4000-8000-0000000000{n:02x}").parse().unwrap(),
    })
}

fn message(sent_at: i64, hints: Vec<Hint>) -> Message {
    Message {
        kind: EventKind::Network,
        outcome: MessageOutcome::Hint,
        sent_at: Some(Timestamp::from_second(sent_at).unwrap()),
        hints,
    }
}

fn tidings(provider: &str, gap: bool, hints: Vec<Hint>) -> Tidings {
    Tidings {
        provider: provider.parse().unwrap(),
        gap,
        moved: gap,
        hints,
    }
}

/// Where the news come from has changed, and nothing else.
fn moved(provider: &str) -> Tidings {
    Tidings {
        moved: true,
        ..tidings(provider, false, vec![])
    }
}

#[tokio::test(start_paused = true)]
async fn each_time_that_a_link_comes_up_there_may_be_something_that_was_missed() {
    let mut world = World::new(Ok(vec![settings("/")]));
    world.serve(1, &["p"]);
    let (_, sink) = world.begins().await;
    sink.state(LinkState::Connecting);
    assert!(world.quiet().await, "nobody listens yet");
    assert_eq!(world.state("p"), EventSource::Unknown);
    for _ in 0..2 {
        sink.state(listening());
        assert_eq!(world.links.next().await, tidings("p", true, vec![]));
        assert_eq!(world.state("p"), EventSource::Listening);
        sink.state(refused());
        assert_eq!(
            world.links.next().await,
            moved("p"),
            "a link that is gone tells nothing else"
        );
        sink.state(LinkState::Connecting);
        sink.state(refused());
        assert!(world.quiet().await, "it is as it was");
    }
    assert!(world.shows("multinic_rabbitmq_connections_total{outcome=\"connected\"} 2"));
    assert!(world.shows("multinic_rabbitmq_connections_total{outcome=\"login-refused\"} 4"));
}

#[tokio::test(start_paused = true)]
async fn hints_are_taken_out_together_and_providers_take_turns() {
    let mut world = World::new(Ok(vec![settings("/")]));
    world.serve(1, &["a", "b"]);
    let mut sinks = Vec::new();
    for _ in 0..2 {
        let (_, sink) = world.begins().await;
        sink.message(message(NOW, vec![network(2), network(1)]));
        sink.message(message(NOW, vec![network(2)]));
        sinks.push(sink);
    }
    assert_eq!(
        world.links.next().await,
        tidings("a", false, vec![network(1), network(2)])
    );
    for sink in &sinks {
        sink.message(message(NOW, vec![network(3)]));
    }
    let b = world.links.next().await;
    assert_eq!(b, tidings("b", false, vec![network(1), network(2), network(3)]));
    assert_eq!(world.links.next().await, tidings("a", false, vec![network(3)]));
    assert!(world.quiet().await);
    assert!(world.shows("multinic_hints_total 8"));
    assert!(world.shows("multinic_hints_coalesced_total 2"));
}

#[tokio::test(start_paused = true)]
async fn old_news_that_some_port_was_taken_out_are_only_something_to_look_at() {
    let mut world = World::new(Ok(vec![settings("/")]));
    world.serve(1, &["p"]);
    let (_, sink) = world.begins().await;
    for (sent_at, counts) in [(NOW - 300, false), (NOW - 1, true)] {
        let hint = Hint::Server(ServerHint {
            instance: "i-1".parse().unwrap(),
            project: None,
            name: None,
            server: false,
            ports: true,
            gone: false,
            detached: true,
        });
        sink.message(message(sent_at, vec![hint]));
        let Tidings { hints, .. } = world.links.next().await;
        let [Hint::Server(hint)] = &hints[..] else {
            panic!("{hints:?}")
        };
        assert_eq!((hint.detached, hint.ports), (counts, true), "{sent_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_nobody_names_any_more_is_not_listened_to() {
    let mut world = World::new(Ok(vec![settings("/")]));
    world.serve(1, &["p", "q"]);
    let (p, q) = (world.begins().await.1, world.begins().await.1);
    p.state(listening());
    q.state(listening());
    world.serve(1, &["q"]);
    assert_eq!(world.links.next().await, tidings("q", true, vec![]));
    p.message(message(NOW, vec![network(1)]));
    p.state(refused());
    assert!(world.quiet().await);
    assert_eq!(Arc::strong_count(&p), 1, "its task has ended");
    assert_eq!(world.state("p"), EventSource::Unknown);
    assert!(world.shows("multinic_rabbitmq_connected{provider=\"q\"} 1"));
    assert!(!world.shows("multinic_rabbitmq_connected{provider=\"p\"} 1"));
    drop(world.links);
    tokio::task::yield_now().await;
    assert_eq!(Arc::strong_count(&q), 1, "the term is over");
    assert!(!world.metrics.text().unwrap().contains("provider=\"q\""));
}

#[tokio::test(start_paused = true)]
async fn other_settings_begin_every_link_anew_and_the_same_ones_none() {
    let mut world = World::new(Ok(vec![settings("/")]));
    world.serve(1, &["p"]);
    let (_, first) = world.begins().await;
    world.serve(1, &["p"]);
    first.state(listening());
    world.links.next().await;
    world.serve(2, &["p"]);
    let (_, second) = world.begins().await;
    assert_eq!(world.state("p"), EventSource::Unknown);
    first.state(refused());
    second.state(listening());
    assert_eq!(world.links.next().await, tidings("p", true, vec![]));
    assert_eq!(world.state("p"), EventSource::Listening);
    assert!(world.begun.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn contrabass_is_asked_again_after_ever_longer_pauses_while_it_fails() {
    let trouble = Trouble::new(Word::ContrabassUnavailable, "it is down");
    let mut world = World::new(Err(trouble.clone()));
    world.serve(1, &["p"]);
    let mut asked = Vec::new();
    for _ in 0..5 {
        asked.push(world.asked().await);
    }
    let pauses: Vec<u64> = asked.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    assert_eq!(pauses, [1, 2, 4, 8]);
    assert_eq!(world.links.next().await, moved("p"), "once for all of them");
    assert_eq!(world.state("p"), EventSource::Impaired(trouble));
    world.answer(Ok(vec![]));
    world.asked().await;
    assert_eq!(world.links.next().await, moved("p"));
    assert_eq!(world.state("p"), EventSource::NotConfigured);
}

#[tokio::test(start_paused = true)]
async fn a_refused_login_is_followed_by_a_question_and_a_new_password_by_a_new_link() {
    let mut world = World::new(Ok(vec![with_password("old")]));
    world.serve(1, &["p"]);
    let begin = world.asked().await;
    let (_, sink) = world.begins().await;
    sink.state(refused());
    assert_eq!(world.asked().await, begin, "at once");
    assert_eq!(world.links.next().await, moved("p"));
    assert!(world.quiet().await);
    assert!(
        world.begun.try_recv().is_err(),
        "the same password is not tried again by a new link"
    );
    world.answer(Ok(vec![with_password("new")]));
    sink.state(refused());
    let (link, second) = world.begins().await;
    assert_eq!(secrecy::ExposeSecret::expose_secret(&link.password), "new");
    second.state(listening());
    assert_eq!(world.state("p"), EventSource::Listening);
}

#[tokio::test(start_paused = true)]
async fn a_change_in_contrabass_touches_only_the_links_that_it_is_about() {
    let mut world = World::new(Ok(vec![settings("/nova"), settings("/neutron")]));
    world.serve(1, &["p"]);
    let begin = world.asked().await;
    let (nova, neutron) = (world.begins().await.1, world.begins().await.1);
    nova.state(listening());
    neutron.state(listening());
    world.links.next().await;
    world.answer(Ok(vec![settings("/cinder"), settings("/nova")]));
    let (link, cinder) = world.begins().await;
    assert_eq!(world.asked().await - begin, LinksPace::default().ask_again);
    assert_eq!(link.vhost, "/cinder");
    assert_eq!(world.state("p"), EventSource::Unknown, "not all are up");
    cinder.state(listening());
    assert_eq!(world.state("p"), EventSource::Listening);
    neutron.state(refused());
    assert_eq!(world.state("p"), EventSource::Listening, "it is none of them any more");
    assert!(world.begun.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn while_contrabass_is_down_a_link_that_stands_goes_on() {
    let mut world = World::new(Ok(vec![settings("/")]));
    world.serve(1, &["p"]);
    world.asked().await;
    let (_, sink) = world.begins().await;
    sink.state(listening());
    world.answer(Err(Trouble::new(Word::ContrabassUnavailable, "it is down")));
    world.asked().await;
    tokio::task::yield_now().await;
    assert_eq!(world.state("p"), EventSource::Listening);
    world.links.next().await;
    sink.message(message(NOW, vec![network(1)]));
    assert_eq!(world.links.next().await, tidings("p", false, vec![network(1)]));
}

#[tokio::test(start_paused = true)]
async fn a_link_that_ends_by_itself_is_made_again() {
    struct Fragile(Arc<Script>, Mutex<u32>);
    impl Source for Fragile {
        fn links<'a>(&'a self, provider: &'a ProviderId) -> BoxFuture<'a, Answer> {
            self.0.links(provider)
        }

        fn listen(&self, link: LinkSettings, sink: Arc<dyn Sink>) -> BoxFuture<'static, ()> {
            let mut begun = self.1.lock().unwrap();
            *begun += 1;
            if *begun > 1 {
                return self.0.listen(link, sink);
            }
            async move {
                sink.state(listening());
                panic!("on purpose")
            }
            .boxed()
        }
    }
    let mut world = World::new(Ok(vec![settings("/")]));
    let source: Arc<dyn Source> = Arc::new(Fragile(Arc::clone(&world.script), Mutex::default()));
    world.links.serve(&["p".parse().unwrap()].into(), Some((1, source)));
    let (_, sink) = world.begins().await;
    assert!(!world.shows("multinic_rabbitmq_connected{provider=\"p\"} 1"));
    sink.state(listening());
    assert!(world.shows("multinic_rabbitmq_connected{provider=\"p\"} 1"));
    assert!(world.shows("multinic_failures_total{reason=\"panic\"} 1"));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_shows() {
    let mut world = World::new(Ok(vec![settings("/")]));
    world.serve(1, &["p"]);
    let (_, sink) = world.begins().await;
    sink.state(LinkState::Listening {
        broker: "a:5672".parse().unwrap(),
        absent: vec!["nova".to_owned()],
    });
    assert!(world.shows("multinic_rabbitmq_absent_exchanges{provider=\"p\"} 1"));
}
