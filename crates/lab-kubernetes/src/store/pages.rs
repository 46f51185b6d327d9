//! Lists that are read in pages: what the first page saw stays readable until a compaction.

use std::{collections::VecDeque, sync::Arc};

use serde_json::Value;

/// How many unfinished lists are remembered.
const KEEP: usize = 64;

/// What identifies an unfinished list: its resource and scope, and its revision.
type Reading = (String, u64);

#[derive(Debug, Default)]
pub(crate) struct Pages {
    readings: VecDeque<(Reading, Arc<Vec<Arc<Value>>>)>,
}

impl Pages {
    pub fn keep(&mut self, scope: &str, revision: u64, objects: Arc<Vec<Arc<Value>>>) {
        let reading = (scope.to_owned(), revision);
        self.readings.retain(|(kept, _)| *kept != reading);
        self.readings.push_back((reading, objects));
        if self.readings.len() > KEEP {
            self.readings.pop_front();
        }
    }

    pub fn find(&self, scope: &str, revision: u64) -> Option<Arc<Vec<Arc<Value>>>> {
        let found = self
            .readings
            .iter()
            .find(|((of, at), _)| of == scope && *at == revision);
        found.map(|(_, objects)| objects.clone())
    }

    pub fn forget(&mut self) {
        self.readings.clear();
    }
}
