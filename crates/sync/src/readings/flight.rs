//! One reading on its way: it waits for its provider's turn, resolves the provider, reads, tells everybody, and is dropped
//! when it is of no more use.

use std::sync::{Arc, Weak};

use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use super::{Hub, PlaceOutcome, Source, spot::Task};
use crate::{Place, PlaceError};

/// Runs one reading, and drops it at the end of its life.
pub(super) async fn fly<S: Source>(hub: Arc<Hub<S>>, place: Place, serial: u64, turns: Arc<Semaphore>) {
    let (life, kept) = (hub.pace.life, Arc::downgrade(&hub));
    make(hub, place.clone(), serial, turns).await;
    sleep(life).await;
    expire(&kept, &place, serial);
}

fn expire<S: Source>(hub: &Weak<Hub<S>>, place: &Place, serial: u64) {
    let Some(hub) = hub.upgrade() else { return };
    hub.board().expire(place, serial);
}

async fn make<S: Source>(hub: Arc<Hub<S>>, place: Place, serial: u64, turns: Arc<Semaphore>) {
    let mut landing = Landing {
        hub,
        place,
        serial,
        outcome: Some(Err(Arc::new(PlaceError::Abandoned))),
    };
    // Turns are never closed.
    let Ok(_turn) = turns.acquire().await else { return };
    if let Some(task) = landing.depart() {
        landing.outcome = Some(read(&landing.hub, &landing.place, &task).await);
    }
}

async fn read<S: Source>(hub: &Hub<S>, place: &Place, task: &Task) -> PlaceOutcome {
    if let Some((base, part)) = &task.base
        && part.is_empty()
    {
        return Ok(Arc::clone(base));
    }
    let loan = hub.accounts.lend(&hub.source, &place.provider).await?;
    let inventory = match &task.base {
        None => hub.source.read(&loan.account, place, &task.request).await,
        Some((base, part)) => {
            hub.source
                .read_part(&loan.account, place, &task.request, base, part)
                .await
        }
    };
    inventory.map(Arc::new).map_err(|error| {
        hub.accounts.give_back(&place.provider, &loan);
        Arc::new(error)
    })
}

/// Tells what came of the reading however it ends, so that nobody waits for ever.
struct Landing<S: Source> {
    hub: Arc<Hub<S>>,
    place: Place,
    serial: u64,
    outcome: Option<PlaceOutcome>,
}

impl<S: Source> Landing<S> {
    fn depart(&self) -> Option<Task> {
        let mut board = self.hub.board();
        let id = board.next_id();
        let spot = board.spot(&self.place)?;
        spot.depart(self.serial, id, Instant::now(), &self.hub.pace)
    }
}

impl<S: Source> Drop for Landing<S> {
    fn drop(&mut self) {
        let Some(outcome) = self.outcome.take() else { return };
        let mut board = self.hub.board();
        let id = board.next_id();
        if let Some(spot) = board.spot(&self.place) {
            let at = (id, Instant::now());
            spot.land(self.serial, outcome, at, &self.hub.pace, rand::random());
        }
    }
}
