//! Shared readings: every place is read once for all the clusters that want something of it.
//!
//! Each cluster says what it wants of which places ([`Readings::want`]) and asks for readings when it is due
//! ([`Readings::reading`]). At most one reading of a place is under way at a time, made of everything that is wanted of the
//! place when it begins. It runs in a task of its own: who stops waiting cancels nothing, and finds it the next time.
//! A place that fails backs off by itself; meanwhile its last failure is the answer at once.
//!
//! What a cloud announces ([`Readings::hint`]) is looked at again and put into the last reading of its place, instead of
//! reading everything.
//!
//! Read in this order: [`wishes`] (what configs want), `place_reading` (what comes out), `concern` (what a hint means for a
//! place, pure), `hearsay` (hints that wait, pure), `spot` (one place: who is answered with what, pure), `board` (all places), `source` (where readings come from), `accounts` (one question to Contrabass for
//! many places), `flight` (one reading on its way).

mod accounts;
mod board;
mod concern;
mod flight;
mod hearsay;
mod pace;
mod place_reading;
mod source;
mod spot;
#[cfg(test)]
mod tests;
mod wishes;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use multinic_cloud::ReadRequest;
use multinic_model::{ClusterId, ProviderId};
use multinic_notifications::Hint;
use tokio::{sync::watch, time::Instant};

use crate::{Connections, Place};

pub use crate::resolve::Account;
pub use board::Audience;
pub use hearsay::HintPace;
pub use pace::ReadingsPace;
pub use place_reading::{Freshness, PlaceOutcome, PlaceReading, ReadingId, Since};
pub use source::Source;
pub use wishes::wishes;

use accounts::Accounts;
use board::Board;
use spot::Answer;

/// The readings of all clusters. Dropping it ends every reading that is under way.
pub struct Readings<S: Source = Connections> {
    hub: Arc<Hub<S>>,
}

/// What the readings under way share with those who wait for them.
struct Hub<S: Source> {
    source: Arc<S>,
    accounts: Accounts<S::Account>,
    pace: ReadingsPace,
    board: Mutex<Board>,
}

impl<S: Source> Readings<S> {
    /// Nothing is read until somebody asks.
    pub fn new(source: Arc<S>, pace: ReadingsPace) -> Self {
        let hub = Hub {
            source,
            accounts: Accounts::new(pace.account_life),
            board: Mutex::new(Board::new(pace.at_once)),
            pace,
        };
        Self { hub: Arc::new(hub) }
    }

    /// From now on the cluster wants exactly this. A place that nobody wants any more is dropped, with its reading.
    pub fn want(&self, cluster: &ClusterId, wishes: BTreeMap<Place, ReadRequest>) {
        let unwanted = self.hub.board().want(cluster, wishes);
        // Their readings end only now that the board is free again.
        drop(unwanted);
    }

    /// The cluster wants nothing any more.
    pub fn forget(&self, cluster: &ClusterId) {
        self.want(cluster, BTreeMap::new());
    }

    /// The reading of a place that answers everything the cluster wants of it and is as fresh as asked for, as soon as
    /// there is one; or a failure.
    ///
    /// A failed place answers at once with its failure, however old, until its time to be tried again
    /// ([`PlaceReading::retry_at`]) has come. Waiting is bounded by the time-outs and retries of a reading only: whoever has
    /// less patience stops waiting and asks again later. A place that the cluster does not want is
    /// [`PlaceError::Abandoned`](crate::PlaceError::Abandoned).
    pub async fn reading(&self, cluster: &ClusterId, place: &Place, freshness: Freshness) -> Arc<PlaceReading> {
        loop {
            match self.ask(cluster, place, freshness) {
                Ok(reading) => return reading,
                // An error means that the place was dropped; the next question says so.
                Err(mut landing) => drop(landing.changed().await),
            }
        }
    }

    /// From now on the provider announces what changes in it: its inventories are kept, to be brought up to date part by
    /// part.
    pub fn announces(&self, provider: &ProviderId) {
        self.hub.board().announces(provider);
    }

    /// Takes in what was announced of a provider; says whom it concerns.
    pub fn hint(&self, provider: &ProviderId, hints: &[Hint]) -> Audience {
        self.hub.board().hear(provider, hints, Instant::now(), &self.hub.pace)
    }

    /// Whether there is, or soon will be, something to plan from that this reading of the place did not say.
    pub fn has_news(&self, place: &Place, planned_from: ReadingId) -> bool {
        let now = Instant::now();
        self.hub
            .board()
            .spot(place)
            .is_some_and(|spot| spot.has_news(planned_from, now))
    }

    fn ask(
        &self,
        cluster: &ClusterId,
        place: &Place,
        freshness: Freshness,
    ) -> Result<Arc<PlaceReading>, watch::Receiver<()>> {
        let mut board = self.hub.board();
        let now = Instant::now();
        match board.ask(cluster, place, freshness, now) {
            Answer::Reading(reading) => Ok(reading),
            Answer::Wait(landing) => Err(landing),
            Answer::Launch(landing) => {
                board.launch(place, |serial, permits| {
                    let flight = flight::fly(Arc::clone(&self.hub), place.clone(), serial, permits);
                    tokio::spawn(flight).abort_handle()
                });
                Err(landing)
            }
        }
    }
}

impl<S: Source> Drop for Readings<S> {
    fn drop(&mut self) {
        let places = self.hub.board().clear();
        drop(places);
    }
}

impl<S: Source> Hub<S> {
    /// A panic elsewhere leaves the board as it was.
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
