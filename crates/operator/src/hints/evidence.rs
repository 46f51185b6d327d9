//! What an old message is still worth.
//!
//! That a port or a server was deleted stays true: no id comes back. That *some* port was taken out of a server does not:
//! it may have been plugged in again since, and the next absence be another one's.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use multinic_notifications::{Hint, Message};

/// So long it counts that some port was taken out.
pub(super) const FRESH: Duration = Duration::from_mins(2);

/// The hints of a message, without the evidence that it is too old for. By clocks that differ by more than that, or without
/// a time, nobody can tell.
pub(super) fn hints(message: Message, now: Timestamp) -> Vec<Hint> {
    let fresh = message
        .sent_at
        .is_some_and(|sent| age(sent, now).unsigned_abs() <= FRESH);
    let weigh = |mut hint| {
        if let Hint::Server(server) = &mut hint {
            server.detached &= fresh;
        }
        hint
    };
    message.hints.into_iter().map(weigh).collect()
}

/// How long ago a message was sent; negative if the sender's clock is ahead of ours.
pub(super) fn age(sent: Timestamp, now: Timestamp) -> SignedDuration {
    now.duration_since(sent)
}

#[cfg(test)]
mod tests {
    use multinic_notifications::{EventKind, MessageOutcome, ServerHint};

    use super::*;

    fn detached_and_gone(sent_at: Option<i64>) -> (bool, bool) {
        let hint = ServerHint {
            instance: "i-1".parse().unwrap(),
            project: None,
            name: None,
            server: false,
            ports: true,
            gone: true,
            detached: true,
        };
        let message = Message {
            kind: EventKind::InterfaceDetach,
            outcome: MessageOutcome::Hint,
            sent_at: sent_at.map(|second| Timestamp::from_second(second).unwrap()),
            hints: vec![Hint::Server(hint)],
        };
        let Hint::Server(hint) = hints(message, Timestamp::from_second(1000).unwrap()).remove(0) else {
            panic!("another kind of hint")
        };
        assert!(hint.ports, "what is to be read is read anyway");
        (hint.detached, hint.gone)
    }

    #[test]
    fn that_some_port_was_taken_out_counts_for_two_minutes() {
        for (sent_at, counts) in [(Some(1000), true), (Some(880), true), (Some(879), false), (None, false)] {
            assert_eq!(detached_and_gone(sent_at), (counts, true), "{sent_at:?}");
        }
    }

    #[test]
    fn a_sender_whose_clock_is_far_ahead_is_not_believed_to_be_new() {
        assert_eq!(detached_and_gone(Some(1119)), (true, true));
        assert_eq!(detached_and_gone(Some(1121)), (false, true));
    }
}
