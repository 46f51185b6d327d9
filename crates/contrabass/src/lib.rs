//! Step *resolve*: what Contrabass knows about an OpenStack provider, and how its passwords are opened.
//!
//! [`Contrabass`] asks (contract 3.2), [`Provider`] is its checked answer, [`EnvelopeSettings::open`] decrypts the
//! passwords in it. Nothing here shows a secret: not in `Debug`, not in an error, not in a log.

mod client;
mod encrypted_text;
mod envelope;
mod error;
mod provider;
mod provider_path;
mod rabbitmq;

pub use client::{Contrabass, ContrabassSettings};
pub use encrypted_text::EncryptedText;
pub use envelope::{BlockCipher, Cipher, Derivation, Digest, EnvelopeError, EnvelopeSettings, Opened, Scheme};
pub use error::ContrabassError;
pub use multinic_transport::{Pauses, RetryPolicy};
pub use provider::{AnswerError, Provider};
pub use provider_path::{ProviderPath, ProviderPathError};
pub use rabbitmq::RabbitMq;
