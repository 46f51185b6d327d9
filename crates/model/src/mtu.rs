//! MTUs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A maximum transmission unit in bytes, 68..=65535 (RFC 791 asks for at least 68; Linux takes up to 65535 for IP).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Mtu(u16);

/// A number that is no MTU.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("failed to accept {0} as an MTU: expected 68 to 65535 bytes")]
pub struct MtuError(u32);

impl Mtu {
    /// The MTU in bytes.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u32> for Mtu {
    type Error = MtuError;

    fn try_from(bytes: u32) -> Result<Self, Self::Error> {
        match u16::try_from(bytes) {
            Ok(bytes @ 68..) => Ok(Self(bytes)),
            _ => Err(MtuError(bytes)),
        }
    }
}

impl From<Mtu> for u32 {
    fn from(mtu: Mtu) -> Self {
        mtu.0.into()
    }
}

impl fmt::Display for Mtu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_68_and_65535() {
        for (bytes, fits) in [
            (0, false),
            (67, false),
            (68, true),
            (1500, true),
            (65_535, true),
            (65_536, false),
        ] {
            assert_eq!(Mtu::try_from(bytes).is_ok(), fits, "{bytes}");
        }
    }
}
