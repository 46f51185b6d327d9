//! Errors of a pass in the words of conditions: a reason, and a message that is the same for the same cause.

use std::error::Error;

use multinic_cloud::CloudError;
use multinic_contrabass::ContrabassError;
use multinic_delivery::DeliveryError;
use multinic_sync::{LinksError, PlaceError};

use super::{
    reason::{Reason, Word},
    text,
};
use crate::settings::{Rejection, RejectionReason};

/// What went wrong, for a condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trouble {
    /// In one word.
    pub reason: Reason,
    /// What, where and what to do. Without counts and times, which would make the same trouble look new.
    pub message: String,
}

impl Trouble {
    /// One of our own.
    pub fn new(reason: impl Into<Reason>, message: impl AsRef<str>) -> Self {
        Self {
            reason: reason.into(),
            message: text::stable(message.as_ref()),
        }
    }

    /// Why a project could not be read.
    pub fn of_place(error: &PlaceError) -> Self {
        let (word, what) = match error {
            PlaceError::Contrabass(error) => (contrabass(error), with_source(error)),
            PlaceError::Password(error) => (Word::PasswordUnreadable, error.to_string()),
            PlaceError::Cloud(error) => (cloud(error), said_by_cloud(error)),
            other => (Word::CloudUnavailable, other.to_string()),
        };
        Self::new(word, text::with_hint(&what, error.hint().as_deref()))
    }

    /// Why the management API could not be asked.
    pub fn of_delivery(error: &DeliveryError) -> Self {
        Self::new(delivery(error), text::with_hint(&error.line(), Some(error.hint())))
    }

    /// Why it is not known how a provider's notifications are reached.
    pub fn of_links(error: &LinksError) -> Self {
        let (word, what) = match error {
            LinksError::Contrabass(error) => (contrabass(error), with_source(error)),
            LinksError::NoBroker { .. } => (Word::NotConfigured, error.to_string()),
            LinksError::Password(error) => (Word::PasswordUnreadable, error.to_string()),
        };
        Self::new(word, text::with_hint(&what, Some(error.hint())))
    }

    /// Why the newest settings are not in force.
    pub fn of_settings(rejection: &Rejection) -> Self {
        let word = match rejection.reason {
            RejectionReason::SettingsMissing => Word::SettingsMissing,
            RejectionReason::SettingsRejected => Word::SettingsRejected,
        };
        Self::new(word, &rejection.message)
    }

    /// Whether it is about the credentials and not about the cloud itself.
    pub fn is_about_credentials(&self) -> bool {
        matches!(
            self.reason,
            Reason::Word(
                Word::ContrabassUnavailable
                    | Word::ContrabassRefused
                    | Word::ProviderNotFound
                    | Word::ProviderUnusable
                    | Word::PasswordUnreadable
            )
        )
    }
}

fn with_source(error: &ContrabassError) -> String {
    // One level is ours; below it lies the HTTP library, whose words differ from time to time.
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// A login that was refused now and one that was refused earlier are one trouble.
fn said_by_cloud(error: &CloudError) -> String {
    match error {
        CloudError::Login { auth_url, username, .. } | CloudError::RejectedEarlier { auth_url, username, .. } => {
            format!("Keystone at {auth_url} rejects the credentials of {username:?}")
        }
        other => other.to_string(),
    }
}

const fn contrabass(error: &ContrabassError) -> Word {
    match error {
        ContrabassError::Unreachable { .. } | ContrabassError::Status { .. } => Word::ContrabassUnavailable,
        ContrabassError::Unauthorised { .. } => Word::ContrabassRefused,
        ContrabassError::NotFound { .. } => Word::ProviderNotFound,
        ContrabassError::Settings(_) | ContrabassError::Redirected { .. } | ContrabassError::Answer { .. } => {
            Word::ProviderUnusable
        }
    }
}

fn cloud(error: &CloudError) -> Word {
    match error {
        CloudError::Login { .. } | CloudError::RejectedEarlier { .. } | CloudError::WrongProject { .. } => {
            Word::CredentialsRejected
        }
        CloudError::TokenRefused { .. } => Word::CloudRefused,
        CloudError::Status { status, .. } if status.is_client_error() && !matches!(status.as_u16(), 408 | 429) => {
            Word::CloudRefused
        }
        CloudError::NoSuchRegion { .. } | CloudError::SeveralRegions { .. } | CloudError::NoEndpoint { .. } => {
            Word::CloudEndpointMissing
        }
        CloudError::Body { .. }
        | CloudError::PageLoop { .. }
        | CloudError::PageWithoutMarker { .. }
        | CloudError::TooManyPages { .. } => Word::CloudAnswerUnusable,
        _ => Word::CloudUnavailable,
    }
}

const fn delivery(error: &DeliveryError) -> Word {
    match error {
        DeliveryError::Unreachable { .. } | DeliveryError::Fenced { .. } => Word::ManagementApiUnavailable,
        DeliveryError::Status { status, .. } if matches!(*status, 408 | 429 | 500..) => Word::ManagementApiUnavailable,
        DeliveryError::Settings(_)
        | DeliveryError::Unauthorised { .. }
        | DeliveryError::NotOffered { .. }
        | DeliveryError::Redirected { .. }
        | DeliveryError::TooLarge { .. }
        | DeliveryError::Status { .. } => Word::ManagementApiRefused,
        _ => Word::ManagementApiAnswerUnusable,
    }
}
