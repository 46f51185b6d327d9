//! Decoding: from the bytes of a message to hints.
//!
//! Four steps, one file each: [`envelope`] (what oslo.messaging wraps around it), [`event`] (is it of interest?), then
//! [`neutron`] or [`nova`] (what it says). What is of no interest costs the first two and is never looked into.
//!
//! A message is foreign bytes. It never fails and is never logged: the scheduler's carry the caller's live token.

mod envelope;
mod event;
mod neutron;
mod nova;
mod raw;

use jiff::{Timestamp, civil::DateTime, tz::Offset};

use self::{
    envelope::Notification,
    event::{Event, Topic},
};
use crate::{EventKind, Message, MessageOutcome};

/// The longest body that is looked at, in bytes. Recorded ones have 0.4 to 5 thousand.
pub const MAX_BODY: usize = 1 << 20;

/// What a message's body says. It never fails: what cannot be understood is [`MessageOutcome::Malformed`].
pub fn decode(body: &[u8]) -> Message {
    if body.len() > MAX_BODY {
        return empty(EventKind::Other, MessageOutcome::Malformed);
    }
    envelope::open(body)
        .and_then(|text| Some(read(&Notification::parse(&text)?)))
        .unwrap_or_else(|| empty(EventKind::Other, MessageOutcome::Malformed))
}

fn read(notification: &Notification<'_>) -> Message {
    let sent_at = notification.timestamp().and_then(|text| sent_at(&text));
    let Some(event) = Event::of(&notification.event_type) else {
        return Message {
            sent_at,
            ..empty(EventKind::Other, MessageOutcome::Ignored)
        };
    };
    let payload = notification.payload;
    let hints = match event.topic {
        Topic::Port => neutron::ports(payload, event.gone),
        Topic::PortRequest => neutron::plugged(payload).into_iter().collect(),
        Topic::Subnet => neutron::subnets(payload),
        Topic::Network => neutron::networks(payload),
        Topic::Server(look) => nova::server(payload, look, event.gone).into_iter().collect(),
    };
    let outcome = match (hints.is_empty(), event.topic) {
        (false, _) => MessageOutcome::Hint,
        // Most requests are about something else than a port's server.
        (true, Topic::PortRequest) => MessageOutcome::Ignored,
        // Whatever else is of interest names what it is about.
        (true, _) => MessageOutcome::Malformed,
    };
    Message {
        kind: event.kind,
        outcome,
        sent_at,
        hints,
    }
}

const fn empty(kind: EventKind, outcome: MessageOutcome) -> Message {
    Message {
        kind,
        outcome,
        sent_at: None,
        hints: Vec::new(),
    }
}

/// oslo.messaging writes `2026-11-22 13:20:45.596833`, in UTC without saying so; others say.
fn sent_at(text: &str) -> Option<Timestamp> {
    let said = text.parse::<Timestamp>().ok();
    said.or_else(|| Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_utc_unless_it_says_otherwise() {
        for text in [
            "2026-11-22 13:20:45.596833",
            "2026-11-22T13:20:45.596833",
            "2026-11-22T13:20:45.596833Z",
            "2026-11-22 13:20:45.596833+00:00",
            "2026-11-22T22:20:45.596833+09:00",
        ] {
            let time = sent_at(text).unwrap();
            assert_eq!(time.to_string(), "2026-11-22T13:20:45.596833Z", "{text}");
        }
        for text in [
            "",
            "yesterday",
            "13:20",
            "2026-02-30 10:00:00",
            "-999999-01-01 00:00:00",
        ] {
            assert_eq!(sent_at(text), None, "{text}");
        }
    }

    #[test]
    fn a_body_above_the_bound_is_not_looked_at() {
        let body = |spaces: usize| format!(r#"{{"event_type": "x"{}}}"#, " ".repeat(spaces)).into_bytes();
        let rest = body(0).len();
        assert_eq!(decode(&body(MAX_BODY - rest)).outcome, MessageOutcome::Ignored);
        assert_eq!(decode(&body(MAX_BODY - rest + 1)).outcome, MessageOutcome::Malformed);
    }
}
