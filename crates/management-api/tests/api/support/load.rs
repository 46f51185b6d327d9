//! Writers and readers that go on whatever happens, until they are stopped.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use multinic_testing::writers::{Followed, History, Refusal, Writer, Written};
use tokio::{sync::Notify, task::JoinSet};
use tokio_util::sync::CancellationToken;

const CLUSTER: &str = "biz-1";
const WRITERS: usize = 4;
const READERS: usize = 4;
const NODES: usize = 5;

/// Running until stopped.
#[derive(Debug)]
pub struct Load {
    api: SocketAddr,
    seen: Arc<Seen>,
    stop: CancellationToken,
    writers: JoinSet<Writer>,
    readers: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Seen {
    acknowledged: [AtomicUsize; WRITERS],
    reads: [AtomicUsize; READERS],
    refusals: Mutex<Vec<Refusal>>,
    news: Notify,
}

impl Load {
    pub fn start(api: SocketAddr) -> Self {
        let mut load = Self {
            api,
            seen: Arc::default(),
            stop: CancellationToken::new(),
            writers: JoinSet::new(),
            readers: JoinSet::new(),
        };
        for number in 0..WRITERS {
            let (seen, stop) = (Arc::clone(&load.seen), load.stop.clone());
            load.writers.spawn(write(number, api, seen, stop));
        }
        for number in 0..READERS {
            let (seen, stop) = (Arc::clone(&load.seen), load.stop.clone());
            load.readers.spawn(read(number, api, seen, stop));
        }
        load
    }

    /// Waits until every writer and every reader has had success again.
    pub async fn flows(&self) {
        let counts = || {
            let counters = self.seen.acknowledged.iter().chain(&self.seen.reads);
            counters
                .map(|counter| counter.load(Ordering::SeqCst))
                .collect::<Vec<_>>()
        };
        let begun = counts();
        self.until(|_| counts().iter().zip(&begun).all(|(now, begun)| *now > begun + 1))
            .await;
    }

    /// Waits until somebody was refused.
    pub async fn is_refused(&self) {
        let begun = self.seen.refusals.lock().unwrap().len();
        self.until(|refusals| refusals.len() > begun).await;
    }

    async fn until(&self, is_so: impl Fn(&[Refusal]) -> bool) {
        loop {
            let news = self.seen.news.notified();
            if is_so(&self.seen.refusals.lock().unwrap()) {
                return;
            }
            news.await;
        }
    }

    /// Stops everybody and holds what the server has against what it acknowledged; also how it refused.
    pub async fn end(mut self) -> (Followed, Vec<Refusal>) {
        self.stop.cancel();
        let mut writers = Vec::new();
        while let Some(writer) = self.writers.join_next().await {
            writers.push(writer.unwrap());
        }
        while let Some(reader) = self.readers.join_next().await {
            reader.unwrap();
        }
        let followed = History::new(CLUSTER).follow(self.api, &mut writers).await;
        let refusals = std::mem::take(&mut *self.seen.refusals.lock().unwrap());
        (followed, refusals)
    }
}

async fn write(number: usize, api: SocketAddr, seen: Arc<Seen>, stop: CancellationToken) -> Writer {
    let mut writer = Writer::new(CLUSTER, number, NODES);
    while !stop.is_cancelled() {
        match writer.write(api).await {
            Written::Acknowledged => seen.count(&seen.acknowledged[number]),
            Written::Refused(refusal) => seen.refused(refusal).await,
            Written::Unanswered => panic!("the server did not answer"),
        }
    }
    writer
}

async fn read(number: usize, api: SocketAddr, seen: Arc<Seen>, stop: CancellationToken) {
    let reader = Writer::new(CLUSTER, number, NODES);
    while !stop.is_cancelled() {
        match reader.read(api).await {
            Ok(_) => seen.count(&seen.reads[number]),
            Err(refusal) => seen.refused(refusal).await,
        }
        tokio::task::yield_now().await;
    }
}

impl Seen {
    fn count(&self, counter: &AtomicUsize) {
        counter.fetch_add(1, Ordering::SeqCst);
        self.news.notify_waiters();
    }

    async fn refused(&self, refusal: Refusal) {
        self.refusals.lock().unwrap().push(refusal);
        self.news.notify_waiters();
        // A client that waits as long as it is told to would make the test slow.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
