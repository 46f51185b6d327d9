//! Why a place could not be read.

use multinic_cloud::CloudError;
use multinic_contrabass::{ContrabassError, EnvelopeError};

/// The failure of one project of one OpenStack. The configs of other places go on.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The provider's entry could not be read.
    #[error("failed to resolve the provider at Contrabass")]
    Contrabass(#[source] ContrabassError),
    /// Its password could not be decrypted.
    #[error("failed to decrypt the provider's adminPw")]
    Password(#[source] EnvelopeError),
    /// OpenStack could not be read completely.
    #[error("failed to read OpenStack")]
    Cloud(#[source] CloudError),
}

impl PlaceError {
    /// A bounded word for metrics.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Contrabass(error) => error.category(),
            Self::Password(error) => error.category(),
            Self::Cloud(error) => error.category(),
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Contrabass(error) => Some(error.hint().to_owned()),
            Self::Password(error) => Some(error.hint().to_owned()),
            Self::Cloud(error) => error.hint().map(ToOwned::to_owned),
        }
    }
}
