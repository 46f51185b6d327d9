//! Events on the ConfigMap when its state changes.

use super::{live::SettingsHandle, state::Rejection};
use crate::announce::{Announcer, Severity};

/// Says on the ConfigMap what is wrong with it, and when it is right again. Never ends; for the leader, who says at the
/// beginning of its term what it finds.
pub async fn announce(mut settings: SettingsHandle, announcer: Announcer) {
    let mut told: Option<Rejection> = None;
    loop {
        let rejected = settings.state.borrow_and_update().rejected.clone();
        if rejected != told {
            let object = settings.object.borrow().clone();
            if let Some(rejection) = &rejected {
                let note = rejection.message.clone();
                announcer.announce(&object, Severity::Warning, rejection.reason.as_str(), note);
            } else {
                let note = "the settings are in force".to_owned();
                announcer.announce(&object, Severity::Normal, "SettingsAccepted", note);
            }
            told = rejected;
        }
        if settings.state.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
