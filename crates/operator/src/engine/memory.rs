//! What the engine remembers between two passes. Losing it costs a read-back and a reading, nothing else.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use multinic_model::{Earlier, PortId};
use multinic_planner::RemovalLedger;
use multinic_sync::{
    Place,
    readings::{ReadingId, Since},
};
use tokio::time::Instant;

use crate::{pass::Next, queue::Demand};

/// What is remembered of one cluster.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// What readings have seen missing so far.
    pub ledger: RemovalLedger,
    /// What the management API has, as far as it has acknowledged it; `None`: it must be asked.
    pub earlier: Option<Arc<Earlier>>,
    /// The management API has no GET.
    pub no_read_back: bool,
    /// The last reading of each place that a plan was made from. No plan is made twice from one reading.
    pub planned_from: BTreeMap<Place, ReadingId>,
    /// The places that are to be read, each since when: a reading that began before that does not do. A place that is
    /// not among them is not asked again before something asks for it.
    pub wanted: BTreeMap<Place, Since>,
    /// Ports that are not wired, and how often in a row they were looked at early because of that.
    pub wiring: (BTreeSet<PortId>, u32),
    /// When a removal that was seen is looked at again, as a whole.
    pub confirm_at: Option<Instant>,
    /// When it is looked again whether ports are wired.
    pub wiring_at: Option<Instant>,
    /// When the next regular pass is, and what it is asked for.
    pub next: Option<Next>,
    /// By uid: the generation that was delivered in full.
    pub delivered: BTreeMap<String, i64>,
    /// By uid: since when a config has been leaving the cluster for another one.
    pub leaving: BTreeMap<String, Timestamp>,
    /// When the management API was last asked what it has.
    pub compared_at: Option<Instant>,
    /// Resyncs since everything was sent, where nothing can be read back.
    pub resyncs: u32,
}

impl Memory {
    /// After a change of the settings: connections and readings are others. What was seen missing stays.
    pub fn reconnect(&mut self) {
        self.earlier = None;
        self.no_read_back = false;
        self.planned_from.clear();
        self.wanted.clear();
    }
}

/// What is asked of the next pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wish {
    /// Only readings that began after this moment answer it.
    pub fresh_since: Option<Instant>,
    /// Which places are to be looked at.
    pub look: Look,
    /// What the management API has is to be compared.
    pub read_back: bool,
    /// It is the periodic one.
    pub resync: bool,
    /// Where the news come from is to be said anew.
    pub restate: bool,
}

/// Which places a pass looks at, besides those that wait for it anyway. A later one asks for more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Look {
    /// None.
    #[default]
    Nowhere,
    /// Those about which something was hinted at.
    Hinted,
    /// All, by whatever reading is recent.
    Everywhere,
}

impl Wish {
    /// Only a look at what was hinted at.
    pub fn of_hints() -> Self {
        Self {
            look: Look::Hinted,
            ..Self::default()
        }
    }

    /// Only a word about where the news come from.
    pub fn of_event_source() -> Self {
        Self {
            restate: true,
            ..Self::default()
        }
    }
}

impl Demand for Wish {
    fn merge(&mut self, other: Self) {
        self.fresh_since = self.fresh_since.max(other.fresh_since);
        self.look = self.look.max(other.look);
        self.read_back |= other.read_back;
        self.resync |= other.resync;
        self.restate |= other.restate;
    }
}
