//! The four listings that make an inventory: what is asked of each, and how one row of the answer is read.
//!
//! A missing key fails the whole reading (the answer is not what was asked for); a value that cannot be understood is
//! kept as such, so that one odd object never hides the others.

pub(crate) mod networks;
pub(crate) mod ports;
pub(crate) mod servers;
pub(crate) mod subnets;

use serde::{Deserialize, Deserializer, de::IgnoredAny};

/// A value of the expected type, or something else.
#[derive(Deserialize, Clone, PartialEq, Debug)]
#[serde(untagged)]
pub(crate) enum Lenient<T> {
    Good(T),
    Bad(IgnoredAny),
}

impl<T> Lenient<T> {
    pub(crate) fn good(&self) -> Option<&T> {
        match self {
            Self::Good(value) => Some(value),
            Self::Bad(_) => None,
        }
    }
}

/// A text that must be there but may be null, which is read as empty.
pub(crate) fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
}
