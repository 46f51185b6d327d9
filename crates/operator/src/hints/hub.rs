//! Where links and engine meet: the links put in, the engine takes out, and neither waits for the other.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use multinic_model::ProviderId;
use multinic_notifications::{Hint, LinkSettings, LinkState};
use tokio::sync::Notify;

use super::{
    inbox::{Inbox, Put},
    standing::{EventSource, Standing},
};
use crate::{
    observe::{LinkNumbers, Metrics},
    status::trouble::Trouble,
};

/// What the engine is told of one provider.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tidings {
    /// Which one.
    pub provider: ProviderId,
    /// Something may have been missed: every cluster of this provider is to be read completely.
    pub gap: bool,
    /// Where its news come from has changed: its configs are to say so.
    pub moved: bool,
    /// What may have changed, each thing once.
    pub hints: Vec<Hint>,
}

/// A provider's desk, until it is closed. Who holds the key of a closed one is not heard any more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct DeskKey {
    pub provider: ProviderId,
    term: u64,
}

/// The shared state.
pub(super) struct Hub {
    desks: Mutex<Desks>,
    news: Notify,
    metrics: Metrics,
}

#[derive(Default)]
struct Desks {
    by_provider: BTreeMap<ProviderId, Desk>,
    /// Whose turn was last.
    served: Option<ProviderId>,
    terms: u64,
}

/// One provider's.
#[derive(Default)]
struct Desk {
    term: u64,
    inbox: Inbox,
    /// What Contrabass and the settings say of its links; `None`: not known yet.
    known: Option<Result<(), Trouble>>,
    links: BTreeMap<u64, Link>,
    /// Where the news come from, as far as it was known last.
    source: EventSource,
    /// The engine does not know of that yet.
    moved: bool,
}

struct Link {
    standing: Standing,
}

/// Where the links of all providers stand, for those who only look. Cheap to clone.
#[derive(Clone)]
pub struct Standings(Arc<Hub>);

impl Standings {
    /// Where the news about a provider come from, right now.
    pub fn of(&self, provider: &ProviderId) -> EventSource {
        let desks = self.0.desks();
        desks
            .by_provider
            .get(provider)
            .map_or(EventSource::Unknown, Desk::event_source)
    }
}

impl Hub {
    pub fn new(metrics: Metrics) -> Arc<Self> {
        Arc::new(Self {
            desks: Mutex::default(),
            news: Notify::new(),
            metrics,
        })
    }

    pub fn standings(self: &Arc<Self>) -> Standings {
        Standings(Arc::clone(self))
    }

    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// A provider that somebody names now.
    pub fn open(&self, provider: &ProviderId) -> DeskKey {
        let mut desks = self.desks();
        desks.terms += 1;
        let term = desks.terms;
        let desk = Desk {
            term,
            ..Desk::default()
        };
        desks.by_provider.insert(provider.clone(), desk);
        DeskKey {
            provider: provider.clone(),
            term,
        }
    }

    /// A provider that nobody names any more, or whose links are to begin anew.
    pub fn close(&self, provider: &ProviderId) {
        self.desks().by_provider.remove(provider);
        self.metrics.notifications().forget(provider);
    }

    /// Its links are known from now on.
    pub fn known(&self, key: &DeskKey) {
        self.with(key, |desk| desk.known = Some(Ok(())));
    }

    /// Its links could not be found out. Those that are known already go on.
    pub fn unknown(&self, key: &DeskKey, why: Trouble) {
        self.with(key, |desk| {
            if desk.known != Some(Ok(())) {
                desk.known = Some(Err(why));
            }
        });
    }

    /// A link begins. What it says of itself, it says under this number.
    pub fn begin(&self, key: &DeskKey, number: u64, settings: &LinkSettings) {
        let link = Link {
            standing: Standing::new(settings),
        };
        self.with(key, |desk| drop(desk.links.insert(number, link)));
    }

    /// A link ends; what it says of itself is not heard any more.
    pub fn end(&self, key: &DeskKey, number: u64) {
        self.with(key, |desk| drop(desk.links.remove(&number)));
    }

    /// A link's state has changed. Says whether it has come up just now.
    pub fn learn(&self, key: &DeskKey, number: u64, state: LinkState) -> bool {
        let learn = |desk: &mut Desk| {
            let link = desk.links.get_mut(&number)?;
            let before = link.standing.listens();
            link.standing.learn(state);
            let listens = link.standing.listens();
            if listens {
                desk.inbox.gap();
            }
            Some(listens && !before)
        };
        let came_up = self.with(key, learn).flatten();
        self.news.notify_one();
        came_up.unwrap_or(false)
    }

    /// Hints have come.
    pub fn put(&self, key: &DeskKey, hints: Vec<Hint>) {
        let notifications = self.metrics.notifications();
        if let Some(desk) = self.desks().of(key) {
            for hint in hints {
                notifications.hint(desk.inbox.put(hint) == Put::Coalesced);
            }
        }
        self.news.notify_one();
    }

    /// What has come for one provider, each in its turn; waits until there is something.
    pub async fn next(&self) -> Tidings {
        loop {
            if let Some(tidings) = self.desks().take() {
                return tidings;
            }
            self.news.notified().await;
        }
    }

    fn with<T>(&self, key: &DeskKey, change: impl FnOnce(&mut Desk) -> T) -> Option<T> {
        let mut desks = self.desks();
        let desk = desks.of(key)?;
        let result = change(desk);
        if desk.moves() {
            self.news.notify_one();
        }
        self.metrics.notifications().links(&key.provider, desk.numbers());
        Some(result)
    }

    fn desks(&self) -> MutexGuard<'_, Desks> {
        self.desks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desks {
    fn of(&mut self, key: &DeskKey) -> Option<&mut Desk> {
        let desk = self.by_provider.get_mut(&key.provider)?;
        Some(desk).filter(|desk| desk.term == key.term)
    }

    /// The one after the last that was served comes first.
    fn take(&mut self) -> Option<Tidings> {
        let after = self.served.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let later = self.by_provider.range::<ProviderId, _>((after, Bound::Unbounded));
        let has_some = |(_, desk): &(&ProviderId, &Desk)| desk.moved || !desk.inbox.is_empty();
        let provider = later.chain(&self.by_provider).find(has_some)?.0.clone();
        let desk = self.by_provider.get_mut(&provider)?;
        let (gap, hints) = desk.inbox.take();
        self.served = Some(provider.clone());
        Some(Tidings {
            provider,
            gap,
            moved: std::mem::take(&mut desk.moved),
            hints,
        })
    }
}

impl Desk {
    fn event_source(&self) -> EventSource {
        match &self.known {
            None => EventSource::Unknown,
            Some(Err(trouble)) => EventSource::Impaired(trouble.clone()),
            Some(Ok(())) => EventSource::of(self.links.values().map(|link| &link.standing)),
        }
    }

    /// Takes down where the news come from now. Says whether that is another place; what is being found out is none.
    fn moves(&mut self) -> bool {
        let source = self.event_source();
        let moves = source != EventSource::Unknown && source != self.source;
        if moves {
            self.source = source;
            self.moved = true;
        }
        moves
    }

    /// `None` while there is no link to speak of.
    fn numbers(&self) -> Option<LinkNumbers> {
        if self.links.is_empty() {
            return None;
        }
        Some(LinkNumbers {
            connected: self.links.values().all(|link| link.standing.listens()),
            absent_exchanges: self.links.values().map(|link| link.standing.absent()).sum(),
        })
    }
}
