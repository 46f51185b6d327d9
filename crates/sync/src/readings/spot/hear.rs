//! What a place does with hints: whom they concern, and what they announce.

use std::collections::{BTreeMap, BTreeSet};

use multinic_cloud::ReadRequest;
use multinic_model::{ClusterId, inventory::Inventory};
use multinic_notifications::Hint;
use multinic_planner::Announced;
use tokio::time::Instant;

use super::{
    super::{
        ReadingsPace,
        concern::Interest,
        hearsay::{Heard, Taken},
    },
    Spot,
};

impl Spot {
    /// Takes in hints; says which clusters they may concern, and when a reading is worth it, and marks those that concern
    /// somebody. The others are forgotten.
    pub fn hear(
        &mut self,
        hints: &[Hint],
        concerning: &mut [bool],
        now: Instant,
        pace: &ReadingsPace,
    ) -> BTreeMap<ClusterId, Instant> {
        let known = self.inventory();
        let mut keep = |inventory| self.keep_concerning(inventory, hints, concerning, pace);
        let concerned = known.as_deref().map(&mut keep);
        if concerned.is_none() || self.flight.is_some() {
            // Nothing is known to compare with; or the reading under way may see what the last one did not, and not what has
            // just changed.
            self.add(hints, pace);
        }
        let failed = self.last.as_ref().is_some_and(|last| last.reading.outcome.is_err());
        let everybody = self.flight.is_some() || (self.last.is_none() && !failed);
        let clusters: BTreeSet<_> = if everybody {
            self.wishes.keys().cloned().collect()
        } else {
            concerned.unwrap_or_default()
        };
        if clusters.is_empty() {
            return BTreeMap::new();
        }
        let due = self.hearsay.due(now, &pace.hints);
        clusters.into_iter().map(|cluster| (cluster, due)).collect()
    }

    fn keep_concerning(
        &mut self,
        inventory: &Inventory,
        hints: &[Hint],
        concerning: &mut [bool],
        pace: &ReadingsPace,
    ) -> BTreeSet<ClusterId> {
        let mut clusters = BTreeSet::new();
        let mut mine = vec![false; hints.len()];
        for (cluster, wish) in &self.wishes {
            let interest = Interest::new(wish, inventory);
            for (hint, mine) in hints.iter().zip(&mut mine) {
                if interest.concern(hint).is_some() {
                    *mine = true;
                    clusters.insert(cluster.clone());
                }
            }
        }
        for ((hint, mine), concerning) in hints.iter().zip(mine).zip(concerning) {
            if mine {
                *concerning = true;
                self.add(std::slice::from_ref(hint), pace);
            }
        }
        clusters
    }

    fn add(&mut self, hints: &[Hint], pace: &ReadingsPace) {
        for hint in hints {
            let heard = Heard {
                hint: hint.clone(),
                misses: 0,
            };
            self.hearsay.add(heard, &pace.hints);
        }
    }

    /// The removals that were announced before the reading began, by what was known then and by what is known now.
    pub(super) fn announced(&self, request: &ReadRequest, taken: &Taken, inventory: &Inventory) -> Announced {
        let before = self.inventory();
        let mut announced = Announced::default();
        for known in before.as_deref().into_iter().chain([inventory]) {
            let interest = Interest::new(request, known);
            for concern in taken.heard.iter().filter_map(|heard| interest.concern(&heard.hint)) {
                announced.extend(&concern.announced);
            }
        }
        announced
    }
}
