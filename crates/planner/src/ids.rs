//! Interface ids of one node (rule 3).

use std::collections::BTreeSet;

use multinic_model::InterfaceId;

/// The ids in use on one node.
pub(crate) struct Ids {
    used: BTreeSet<InterfaceId>,
    /// Every id below it is in use.
    lowest: InterfaceId,
}

impl Ids {
    pub fn new() -> Self {
        Self {
            used: BTreeSet::new(),
            lowest: InterfaceId::FIRST,
        }
    }

    /// Takes this id; false if another interface has it already.
    pub fn keep(&mut self, id: InterfaceId) -> bool {
        self.used.insert(id)
    }

    /// Takes the smallest free id. To be called after every id that is kept.
    pub fn smallest_free(&mut self) -> InterfaceId {
        // At most one step for each id in use, so the last representable id is never reached.
        while self.used.contains(&self.lowest) {
            self.lowest = self.lowest.next();
        }
        self.used.insert(self.lowest);
        self.lowest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_fill_the_gaps_from_below() {
        let id = |id| InterfaceId::new(id).unwrap();
        let mut ids = Ids::new();
        assert!(ids.keep(id(2)) && ids.keep(id(u32::MAX)) && !ids.keep(id(2)));
        let new: Vec<_> = (0..3).map(|_| ids.smallest_free().get()).collect();
        assert_eq!(new, [1, 3, 4]);
    }
}
