//! The one task that owns the engine's state.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::{Semaphore, mpsc, watch},
    time::{Instant, sleep_until},
};
use tokio_util::sync::CancellationToken;

use super::{
    EngineContext, Look, Memory, Wish,
    workers::{Awaited, Ended, Passes},
};
use crate::{
    departures::{Removals, RemovalsError},
    hints::{Links, LinksPace, Tidings},
    index::{Index, Record, Unit},
    observe::Heartbeat,
    pass::{Finished, Order, Rhythm, Tools, Writer},
    queue::Queue,
    settings::SettingsState,
    status,
    watch::Caches,
};

/// At least this often something is done, if only to show that we are alive.
const BEAT: Duration = Duration::from_secs(5);

/// The state.
pub(super) struct Conductor {
    caches: Caches,
    settings: watch::Receiver<SettingsState>,
    heartbeat: Heartbeat,
    shutdown: CancellationToken,
    tools: Tools,
    written: mpsc::UnboundedReceiver<Arc<Record>>,
    index: Index,
    queue: Queue<Unit, Wish>,
    memories: BTreeMap<Unit, Memory>,
    passes: Passes,
    awaited: Awaited,
    links: Links,
    /// The settings that the passes are made with.
    state: SettingsState,
}

impl Conductor {
    /// Learns what earlier deletions have left behind; everything else comes as an event.
    pub async fn begin(context: EngineContext) -> Result<Self, RemovalsError> {
        let EngineContext {
            client,
            fence,
            settings,
            configs,
            metrics,
            heartbeat,
            announcer,
            pace,
            namespace,
            shutdown,
        } = context;
        heartbeat.beat();
        let removals = Removals::load(client.clone(), &namespace).await?;
        let (sender, written) = mpsc::unbounded_channel();
        let links_pace = LinksPace {
            random: pace.random,
            now: pace.now,
            ..LinksPace::default()
        };
        let links = Links::new(metrics.clone(), links_pace);
        let tools = Tools {
            writer: Writer::new(client, pace.writes, sender),
            removals,
            fence,
            announcer,
            metrics,
            standings: links.standings(),
            rhythm: Rhythm::begin(),
            pace,
            slots: Arc::new(Semaphore::new(pace.passes)),
            read_backs: Arc::new(Semaphore::new(pace.read_backs)),
            shutdown: shutdown.clone(),
        };
        configs.begin();
        Ok(Self {
            caches: configs,
            settings,
            heartbeat,
            shutdown,
            tools,
            written,
            index: Index::default(),
            queue: Queue::new(pace.backoff),
            memories: BTreeMap::new(),
            passes: Passes::default(),
            awaited: Awaited::default(),
            links,
            state: SettingsState::default(),
        })
    }

    /// Until the shutdown.
    pub async fn run(&mut self) {
        self.take_settings();
        self.see();
        for cluster in self.tools.removals.clusters().await {
            self.due([Unit::Cluster(cluster)]);
        }
        while !self.shutdown.is_cancelled() {
            self.heartbeat.beat();
            self.start_due();
            self.step().await;
        }
        self.passes.all_ended().await;
    }

    /// Waits for one event and takes it in.
    async fn step(&mut self) {
        let beat = Instant::now() + BEAT;
        let wake = self
            .queue
            .next_due()
            .filter(|_| self.is_ready())
            .map_or(beat, |due| due.min(beat));
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = self.caches.changed() => self.see(),
            Some(record) = self.written.recv() => self.learn(record),
            Ok(()) = self.settings.changed() => self.take_settings(),
            ended = self.passes.ended() => self.end(ended).await,
            tidings = self.links.next() => self.hear(&tidings),
            cluster = self.awaited.arrived() => self.queue.add(Unit::Cluster(cluster), Instant::now(), Wish::default()),
            () = sleep_until(wake) => {}
        }
    }

    /// Nothing is done before both the configs and the settings are known: half of either looks like a removal.
    fn is_ready(&self) -> bool {
        self.caches.is_current() && (self.state.current.is_some() || self.state.rejected.is_some())
    }

    fn see(&mut self) {
        for (key, record) in self.caches.unseen() {
            let due = self.index.see(&key, record);
            self.due(due);
        }
        self.listen();
        self.count_configs();
    }

    fn learn(&mut self, record: Arc<Record>) {
        let due = self.index.wrote(record);
        self.due(due);
        self.count_configs();
    }

    /// Something new concerns these: only a reading that begins from now on answers it.
    fn due(&mut self, units: impl IntoIterator<Item = Unit>) {
        let now = Instant::now();
        for unit in units {
            let wish = Wish {
                fresh_since: Some(now),
                ..Wish::default()
            };
            self.queue.add_afresh(&unit, now, wish);
        }
    }

    /// To the providers that configs name now.
    fn listen(&mut self) {
        self.links.want(&self.index.providers(), self.state.current.as_ref());
    }

    /// Something may have changed at a provider: what was hinted at, or, after a gap, everything; or where we hear of it.
    fn hear(&mut self, tidings: &Tidings) {
        let Some(current) = self.state.current.clone() else {
            return;
        };
        let Tidings {
            provider,
            gap,
            moved,
            hints,
        } = tidings;
        if *gap {
            current.readings.announces(provider);
            let due = self.index.of_provider(provider);
            self.due(due);
        } else if *moved {
            let at = Instant::now() + self.tools.pace.restate_pause;
            for unit in self.index.of_provider(provider) {
                self.queue.add(unit, at, Wish::of_event_source());
            }
        }
        let audience = current.readings.hint(provider, hints);
        let nobody = hints.len() - audience.concerning;
        self.tools
            .metrics
            .notifications()
            .concerned(audience.concerning, nobody);
        for (cluster, at) in audience.due {
            self.queue.add(Unit::Cluster(cluster), at, Wish::of_hints());
        }
    }

    fn count_configs(&self) {
        let (mut ready, mut total) = (0, 0);
        for record in self.index.records() {
            total += 1;
            ready += usize::from(status::is_ready(&record.status));
        }
        self.tools.metrics.configs(ready, total);
    }

    fn take_settings(&mut self) {
        let state = self.settings.borrow_and_update().clone();
        let before = self.generation();
        self.state = state;
        if self.generation() != before {
            self.memories.values_mut().for_each(Memory::reconnect);
            self.awaited.clear();
            self.listen();
        }
        let now = Instant::now();
        let units: Vec<_> = self.index.units().cloned().collect();
        for unit in units {
            let wish = Wish {
                look: Look::Everywhere,
                read_back: true,
                ..Wish::default()
            };
            self.queue.add_afresh(&unit, now, wish);
        }
    }

    fn generation(&self) -> Option<u64> {
        self.state.current.as_ref().map(|current| current.generation)
    }

    fn start_due(&mut self) {
        if !self.is_ready() {
            return;
        }
        let now = Instant::now();
        self.tools.metrics.queue_depth(self.queue.depth(now));
        let mut orders = Vec::new();
        while let Some((unit, wish)) = self.queue.pop(now) {
            orders.push(Order {
                records: self.index.of(&unit),
                memory: self.memories.get(&unit).cloned().unwrap_or_default(),
                settings: self.state.clone(),
                wish,
                unit,
            });
        }
        orders.iter().for_each(Order::announce_wishes);
        for order in orders {
            self.passes.start(order, self.tools.clone());
        }
    }

    async fn end(&mut self, ended: Ended) {
        // What a pass has written is known before it is made again.
        while let Ok(record) = self.written.try_recv() {
            self.learn(record);
        }
        let Ended { unit, finished } = ended;
        if let Some(finished) = finished {
            self.take_back(&unit, finished);
        } else {
            // What was asked of it is not known any more: everything is.
            self.tools.metrics.failure("panic");
            self.again(&unit, Some(Instant::now()), None);
        }
        self.tools.metrics.pending_removals(self.tools.removals.count().await);
        self.forget_unneeded(&unit).await;
    }

    fn take_back(&mut self, unit: &Unit, finished: Finished) {
        let Finished {
            generation,
            mut memory,
            outcome: _,
            again,
            next,
            slow,
        } = finished;
        if generation != self.generation() {
            memory.reconnect();
        } else if let (Some(cluster), Some(current)) = (unit.cluster(), &self.state.current) {
            self.awaited.wait_for(cluster, slow, current);
        }
        self.memories.insert(unit.clone(), memory);
        let next = next.map(|next| (next.at, next.wish));
        if again {
            self.again(unit, None, next);
        } else {
            self.queue.succeeded(unit, next);
        }
    }

    fn again(&mut self, unit: &Unit, fresh_since: Option<Instant>, next: Option<(Instant, Wish)>) {
        let wish = Wish {
            fresh_since,
            look: Look::Everywhere,
            read_back: true,
            ..Wish::default()
        };
        let jitter = (self.tools.pace.random)();
        let pause = self.queue.failed(unit, Instant::now(), jitter, wish, next);
        tracing::debug!(cluster = %unit, ?pause, "the pass is made again");
    }

    /// Of a cluster that no config names any more, nothing stays.
    async fn forget_unneeded(&mut self, unit: &Unit) {
        if self.index.has(unit) {
            return;
        }
        if let Some(cluster) = unit.cluster() {
            if !self.tools.removals.of(cluster).await.is_empty() {
                return;
            }
            self.tools.metrics.forget_cluster(cluster);
            if let Some(current) = &self.state.current {
                current.readings.forget(cluster);
            }
        }
        self.memories.remove(unit);
        self.queue.forget(unit);
    }
}
