//! Why a place could not be read.

use std::time::Duration;

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
    /// The reading takes longer than the pass waits.
    #[error("failed to wait for the reading of OpenStack: it takes longer than {}", humantime::format_duration(*patience))]
    Slow {
        /// For so long the pass waited.
        patience: Duration,
    },
    /// Nobody asks for the place any more, or the reading ended without a result.
    #[error("failed to finish the reading of OpenStack: it was given up")]
    Abandoned,
}

impl PlaceError {
    /// A bounded word for metrics.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Contrabass(error) => error.category(),
            Self::Password(error) => error.category(),
            Self::Cloud(error) => error.category(),
            Self::Slow { .. } => "slow",
            Self::Abandoned => "abandoned",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Contrabass(error) => Some(error.hint().to_owned()),
            Self::Password(error) => Some(error.hint().to_owned()),
            Self::Cloud(error) => error.hint().map(ToOwned::to_owned),
            Self::Slow { .. } => Some(
                "the reading goes on and its result is used when it is there; if that never happens, see whether Contrabass, \
                 Keystone, Nova and Neutron of this provider answer"
                    .to_owned(),
            ),
            Self::Abandoned => None,
        }
    }
}
