//! One pass over one cluster: gather → mark → read → plan → record → deliver → report → let go.
//!
//! Nothing is delivered for a config that does not bear our finalizer, and no node that its status does not name: should
//! the operator die between any two steps, what was delivered is known.

mod announce;
mod cast;
mod deliver;
mod depart;
mod gather;
mod next;
mod nowhere;
mod plan;
mod report;
mod rhythm;
mod writes;

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use jiff::Timestamp;
use multinic_model::{ClusterId, ProviderId};
use multinic_sync::{
    Place,
    readings::{Freshness, wishes},
};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    announce::Announcer,
    departures::{Queued, Removals},
    engine::{Memory, Pace, Wish},
    hints::{EventSource, Standings},
    index::{Record, Unit},
    leader::Fence,
    observe::{Metrics, PassOutcome},
    settings::{Current, SettingsState},
    status::trouble::Trouble,
};
use cast::Cast;
pub use next::Next;
pub use rhythm::Rhythm;
pub use writes::{WriteError, Writer};

/// What every pass works with.
#[derive(Clone)]
pub struct Tools {
    /// Writes OpenstackConfigs.
    pub writer: Writer,
    /// The durable list of removals.
    pub removals: Removals,
    /// Whether we may write.
    pub fence: Fence,
    /// Events.
    pub announcer: Announcer,
    /// Numbers.
    pub metrics: Metrics,
    /// Where the news about each provider come from.
    pub standings: Standings,
    /// When periodic passes come.
    pub rhythm: Rhythm,
    /// How fast, how much, how patient.
    pub pace: Pace,
    /// Passes that plan and deliver at the same time.
    pub slots: Arc<Semaphore>,
    /// Read-backs at the same time.
    pub read_backs: Arc<Semaphore>,
    /// No further step after this.
    pub shutdown: CancellationToken,
}

/// What a pass is about.
#[derive(Clone, Debug)]
pub struct Order {
    /// The cluster.
    pub unit: Unit,
    /// Its configs.
    pub records: Vec<Arc<Record>>,
    /// What is remembered of it.
    pub memory: Memory,
    /// What is asked for.
    pub wish: Wish,
    /// The settings.
    pub settings: SettingsState,
}

impl Order {
    /// Says what will be wanted of which projects, so that the first reading serves every pass that begins now.
    pub fn announce_wishes(&self) {
        if let (Some(current), Some(cluster)) = (&self.settings.current, self.unit.cluster()) {
            let cast = Cast::new(self.records.clone(), Vec::new(), &self.memory);
            current.readings.want(cluster, wishes(&cast.configs(cluster)));
        }
    }
}

/// What came of a pass.
#[derive(Debug)]
pub struct Finished {
    /// Of the settings that it was made with.
    pub generation: Option<u64>,
    /// To hand to the next pass.
    pub memory: Memory,
    /// How it ended.
    pub outcome: PassOutcome,
    /// It is to be tried again after a back-off.
    pub again: bool,
    /// When else it is due.
    pub next: Option<Next>,
    /// What was not waited for.
    pub slow: Vec<(Place, Freshness)>,
}

/// One pass while it runs.
pub(crate) struct Pass<'a> {
    tools: &'a Tools,
    cluster: &'a ClusterId,
    generation: Option<u64>,
    memory: Memory,
    wish: Wish,
    began: Instant,
    now: Timestamp,
    /// Something failed that a further pass may repair.
    again: bool,
    /// Another replica has recorded something that this pass does not know of.
    overtaken: bool,
    /// Why the newest settings are not in force.
    rejected: Option<Trouble>,
    /// Where the news about the providers of its configs come from.
    events: BTreeMap<ProviderId, EventSource>,
}

/// Makes one pass. A span for it and for each step is what traces are made of.
#[tracing::instrument(name = "pass", skip_all, fields(cluster = %order.unit, outcome))]
pub async fn run(order: Order, tools: &Tools) -> Finished {
    let began = Instant::now();
    let Order {
        unit,
        records,
        memory,
        wish,
        settings,
    } = order;
    let rejected = settings.rejected.as_ref().map(Trouble::of_settings);
    let generation = settings.current.as_ref().map(|current| current.generation);
    let Unit::Cluster(cluster) = &unit else {
        return nowhere::run(&records, tools, rejected.as_ref()).await;
    };
    let queued = tools.removals.of(cluster).await;
    let pass = Pass {
        tools,
        cluster,
        generation,
        wish: Wish {
            read_back: wish.read_back || memory.earlier.is_none(),
            ..wish
        },
        began,
        now: (tools.pace.now)(),
        again: false,
        overtaken: false,
        rejected,
        events: BTreeMap::new(),
        memory,
    };
    let cast = Cast::new(records, queued, &pass.memory);
    let finished = match settings.current {
        Some(current) => pass.run(&current, cast).await,
        None => pass.without_settings(cast).await,
    };
    tools.metrics.pass_finished(finished.outcome, began.elapsed());
    let outcome: &str = finished.outcome.into();
    tracing::Span::current().record("outcome", outcome);
    tracing::debug!(outcome, again = finished.again, "a pass ended");
    if finished.outcome == PassOutcome::Complete {
        tools.metrics.synced(cluster, SystemTime::now());
    }
    finished
}

impl Pass<'_> {
    async fn run(mut self, current: &Current, mut cast: Cast) -> Finished {
        self.mark(&mut cast).await;
        if self.overtaken {
            return self.abandoned();
        }
        let wishes = wishes(&cast.configs(self.cluster));
        self.want(current, &wishes);
        if self.has_nothing_to_look_at() {
            return self.restated(&cast).await;
        }
        if self.looks_at_hints() {
            self.tools.metrics.notifications().pass();
        }
        let gathered = tokio::select! {
            gathered = self.gather(current, wishes) => gathered,
            () = self.tools.shutdown.cancelled() => return self.abandoned(),
        };
        self.see_event_sources(&cast);
        // Waiting for readings takes no slot; the semaphore is never closed.
        let slot = self.tools.slots.acquire().await;
        let finished = self.work(current, cast, gathered).await;
        drop(slot);
        finished
    }

    /// As late as may be: a link that begins together with the first pass may stand by now.
    fn see_event_sources(&mut self, cast: &Cast) {
        let records = cast.parts.values().map(|part| &part.record);
        let selections = records.filter_map(|record| record.spec.as_ref().ok());
        let sources = selections.map(|selection| {
            let provider = &selection.provider;
            (provider.clone(), self.tools.standings.of(provider))
        });
        self.events = sources.collect();
    }

    /// Hints brought this pass about, and nothing else that is to be looked at.
    fn looks_at_hints(&self) -> bool {
        let wish = Wish {
            restate: false,
            ..self.wish
        };
        wish == Wish::of_hints()
    }

    /// Another pass has looked into the hints already, if there were any, and everything is planned from it.
    fn has_nothing_to_look_at(&self) -> bool {
        let looks = self.looks_at_hints() || self.wish == Wish::of_event_source();
        looks && self.memory.wanted.is_empty()
    }

    fn unmoved(self) -> Finished {
        Finished {
            generation: self.generation,
            next: self.memory.next,
            memory: self.memory,
            outcome: PassOutcome::Complete,
            again: false,
            slow: Vec::new(),
        }
    }

    fn abandoned(self) -> Finished {
        Finished {
            generation: self.generation,
            memory: self.memory,
            outcome: PassOutcome::Abandoned,
            again: true,
            next: None,
            slow: Vec::new(),
        }
    }

    /// Something failed; it is counted, and the pass is made again.
    fn fail(&mut self, category: &'static str) {
        self.again = true;
        self.tools.metrics.failure(category);
    }

    fn stops(&self) -> bool {
        self.tools.shutdown.is_cancelled() || !self.tools.fence.is_open()
    }
}

/// How a removal that outlives its config is called in the log and in Events.
fn names(queued: &Queued) -> String {
    let names: Vec<_> = queued
        .claims
        .iter()
        .take(10)
        .map(|claim| claim.node_name.to_string())
        .collect();
    match queued.claims.len().saturating_sub(names.len()) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
