//! Whose turn it is; pure.

use multinic_model::Broker;

use crate::LinkError;

/// One broker after the other, round and round.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    brokers: &'a [Broker],
    next: usize,
}

impl<'a> Turn<'a> {
    pub const fn new(brokers: &'a [Broker]) -> Self {
        Self { brokers, next: 0 }
    }

    /// Everybody once, from the one after the last that was tried.
    pub fn round(&mut self) -> impl Iterator<Item = &'a Broker> {
        let brokers = self.brokers;
        (0..brokers.len()).filter_map(move |_| {
            let broker = brokers.get(self.next)?;
            self.next = (self.next + 1) % brokers.len();
            Some(broker)
        })
    }
}

/// Whether the others are worth a try in the same round: they know the same users, and whoever hammers gets locked out.
pub(super) const fn ends_round(error: &LinkError) -> bool {
    matches!(error, LinkError::LoginRefused { .. })
}

/// The error that says more about what to do: a broker that answers knows more than one that is away.
pub(super) fn telling(earlier: Option<LinkError>, later: LinkError) -> LinkError {
    match (earlier, &later) {
        (Some(earlier), LinkError::Unreachable { .. }) => earlier,
        _ => later,
    }
}

/// What there is to say where no broker is named at all.
pub(super) fn nobody() -> LinkError {
    LinkError::Unreachable {
        broker: Broker {
            host: "none".to_owned(),
            port: 0,
            tls: false,
        },
        reason: "no broker is named".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brokers() -> Vec<Broker> {
        ["a", "b", "c"].map(|name| name.parse().unwrap()).into()
    }

    fn hosts<'a>(round: impl Iterator<Item = &'a Broker>) -> Vec<&'a str> {
        round.map(|broker| broker.host.as_str()).collect()
    }

    #[test]
    fn a_round_asks_everybody_once_and_the_next_goes_on_after_the_last_asked() {
        let brokers = brokers();
        let mut turn = Turn::new(&brokers);
        assert_eq!(hosts(turn.round()), ["a", "b", "c"]);
        assert_eq!(hosts(turn.round().take(1)), ["a"]);
        assert_eq!(hosts(turn.round()), ["b", "c", "a"]);
        assert!(hosts(Turn::new(&[]).round()).is_empty());
    }

    #[test]
    fn the_word_of_a_broker_that_answers_is_kept() {
        let broker = brokers().remove(0);
        let away = LinkError::Unreachable {
            broker: broker.clone(),
            reason: "away".to_owned(),
        };
        let refused = LinkError::LoginRefused {
            broker,
            user: "multinic".to_owned(),
        };
        assert_eq!(telling(None, away.clone()), away);
        assert_eq!(telling(Some(away.clone()), refused.clone()), refused);
        assert_eq!(telling(Some(refused.clone()), away.clone()), refused);
        assert!(ends_round(&refused) && !ends_round(&away));
    }
}
