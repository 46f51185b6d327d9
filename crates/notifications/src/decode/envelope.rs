//! What oslo.messaging wraps around a notification.
//!
//! The driver `messagingv2` sends `{"oslo.version": "2.0", "oslo.message": "<the notification as a JSON string>"}`, so it is
//! parsed twice; `messaging` (1.0) sends the notification bare.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::raw;

/// The envelope 2.0. Its version is not asked for: whoever has an `oslo.message` is meant.
#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "oslo.message")]
    message: Option<String>,
}

/// A notification. What is not read here is skipped, not stored.
#[derive(Deserialize)]
pub(super) struct Notification<'a> {
    /// Such as `port.create.end`.
    #[serde(borrow)]
    pub(super) event_type: Cow<'a, str>,
    /// What it is about, unread.
    #[serde(borrow)]
    pub(super) payload: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
}

/// The notification's own text; `None` if the body is no JSON object.
pub(super) fn open(body: &[u8]) -> Option<Cow<'_, str>> {
    let body = str::from_utf8(body).ok()?;
    let envelope: Envelope = serde_json::from_str(body).ok()?;
    Some(envelope.message.map_or(Cow::Borrowed(body), Cow::Owned))
}

impl<'a> Notification<'a> {
    /// `None` if it is no JSON object with an event type.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// When it was sent, as the sender wrote it.
    pub(super) fn timestamp(&self) -> Option<String> {
        raw::text(self.timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_and_bare_are_the_same_notification() {
        let bare = r#"{"event_type": "port.create.end", "payload": {"port": "ü"}}"#;
        let wrapped = serde_json::json!({"oslo.version": "2.0", "oslo.message": bare}).to_string();
        for body in [bare, &wrapped] {
            let text = open(body.as_bytes()).unwrap();
            let notification = Notification::parse(&text).unwrap();
            assert_eq!(notification.event_type, "port.create.end");
            assert_eq!(notification.payload.unwrap().get(), r#"{"port": "ü"}"#);
        }
    }

    #[test]
    fn a_bare_notification_is_not_copied() {
        let body = br#"{"event_type": "port.create.end", "payload": {}}"#;
        let text = open(body).unwrap();
        assert!(matches!(text, Cow::Borrowed(_)));
        assert!(matches!(
            Notification::parse(&text).unwrap().event_type,
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn what_is_no_notification_is_none() {
        for body in ["", "null", "[]", "\"x\"", r#"{"oslo.message": 5}"#, "{", "{} {}"] {
            assert!(open(body.as_bytes()).is_none(), "{body}");
        }
        assert!(open(b"\xff").is_none());
        for text in ["{}", r#"{"event_type": null}"#, r#"{"event_type": 7}"#, "not json"] {
            assert!(Notification::parse(text).is_none(), "{text}");
        }
    }
}
