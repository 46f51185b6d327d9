//! The hints of one provider, between two looks of the engine.

use std::collections::BTreeMap;

use multinic_notifications::{Hint, Subject};

/// So many things are remembered; who announces more is read completely.
pub(super) const SUBJECTS: usize = 10_000;

/// One hint for each thing, and whether something may have been missed.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    hints: BTreeMap<Subject, Hint>,
    gap: bool,
}

/// What became of a hint.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Put {
    /// It is the first about its subject.
    New,
    /// It was added to an earlier one.
    Coalesced,
    /// There were too many: all are forgotten, and everything may have changed.
    Overflowed,
}

impl Inbox {
    /// Takes in a hint.
    pub fn put(&mut self, hint: Hint) -> Put {
        let subject = hint.subject();
        if let Some(earlier) = self.hints.get_mut(&subject) {
            earlier.merge(hint);
            return Put::Coalesced;
        }
        if self.hints.len() >= SUBJECTS {
            self.hints.clear();
            self.gap = true;
            return Put::Overflowed;
        }
        self.hints.insert(subject, hint);
        Put::New
    }

    /// Something may have been missed. The hints stay: what they say is gone needs no second reading.
    pub const fn gap(&mut self) {
        self.gap = true;
    }

    /// Nothing came.
    pub fn is_empty(&self) -> bool {
        !self.gap && self.hints.is_empty()
    }

    /// Empties it: whether there was a gap, and the hints by subject.
    pub fn take(&mut self) -> (bool, Vec<Hint>) {
        let hints = std::mem::take(&mut self.hints);
        (std::mem::take(&mut self.gap), hints.into_values().collect())
    }
}

#[cfg(test)]
mod tests {
    use multinic_notifications::{NetworkHint, ServerHint};

    use super::*;

    fn network(n: usize) -> Hint {
        Hint::Network(NetworkHint {
            network: format!("00000000-0000-4000-8000-{n:012x}").parse().unwrap(),
        })
    }

    fn server(id: &str, gone: bool) -> Hint {
        Hint::Server(ServerHint {
            instance: id.parse().unwrap(),
            project: None,
            name: None,
            server: !gone,
            ports: true,
            gone,
            detached: false,
        })
    }

    #[test]
    fn many_hints_about_one_thing_are_one_with_everything_they_say() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.put(server("i-1", true)), Put::New);
        assert_eq!(inbox.put(server("i-2", false)), Put::New);
        assert_eq!(inbox.put(server("i-1", false)), Put::Coalesced);
        let (gap, hints) = inbox.take();
        assert!(!gap);
        let [Hint::Server(first), Hint::Server(second)] = &hints[..] else {
            panic!("{hints:?}")
        };
        assert!(first.gone && first.server && !second.gone);
        assert!(inbox.is_empty());
    }

    #[test]
    fn a_gap_is_told_once_and_keeps_the_hints() {
        let mut inbox = Inbox::default();
        inbox.put(network(1));
        inbox.gap();
        assert_eq!(inbox.take(), (true, vec![network(1)]));
        inbox.put(network(2));
        assert_eq!(inbox.take(), (false, vec![network(2)]));
    }

    #[test]
    fn whoever_announces_too_much_at_once_is_read_completely() {
        let mut inbox = Inbox::default();
        assert!((0..SUBJECTS).all(|n| inbox.put(network(n)) == Put::New));
        assert_eq!(inbox.put(network(7)), Put::Coalesced, "that one is known");
        assert_eq!(inbox.put(network(SUBJECTS)), Put::Overflowed);
        inbox.put(network(1));
        assert_eq!(inbox.take(), (true, vec![network(1)]));
    }
}
