//! What one link tells, counted and passed on.

use std::sync::Arc;

use jiff::Timestamp;
use multinic_notifications::{LinkError, LinkState, Message, Sink};
use tokio::sync::Notify;

use super::{
    evidence,
    hub::{DeskKey, Hub},
};

/// The sink of one link.
pub(super) struct Ear {
    pub hub: Arc<Hub>,
    pub key: DeskKey,
    pub number: u64,
    /// Somebody should ask Contrabass whether it knows another password.
    pub refused: Arc<Notify>,
    pub now: fn() -> Timestamp,
}

impl Sink for Ear {
    fn state(&self, state: LinkState) {
        let notifications = self.hub.metrics().notifications();
        if let LinkState::Lost { error, .. } = &state {
            notifications.connection(error.category());
            if matches!(error, LinkError::LoginRefused { .. }) {
                self.refused.notify_one();
            }
        }
        if self.hub.learn(&self.key, self.number, state) {
            notifications.connection("connected");
        }
    }

    fn message(&self, message: Message) {
        let now = (self.now)();
        let lag = message.sent_at.map(|sent| evidence::age(sent, now));
        self.hub
            .metrics()
            .notifications()
            .message(message.kind, message.outcome, lag);
        if !message.hints.is_empty() {
            self.hub.put(&self.key, evidence::hints(message, now));
        }
    }
}
