//! MAC addresses: any usual notation in, lower-case colons out.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A 48-bit Ethernet address, the identity by which the guest and the agent know an interface.
///
/// Parses `00:1A:2B:3C:4D:5E`, `00-1a-2b-3c-4d-5e` and `001a.2b3c.4d5e`; prints lower-case with colons, the form that
/// Neutron and the agents in the field use. The all-zero address and addresses with the group bit set (multicast,
/// broadcast) are refused: no NIC can have them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MacAddress([u8; 6]);

/// Why a text is not the MAC address of a NIC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MacAddressError {
    /// Not one of the accepted notations.
    #[error("failed to read {0:?} as a MAC address: expected 00:1a:2b:3c:4d:5e, 00-1a-2b-3c-4d-5e or 001a.2b3c.4d5e")]
    Notation(String),
    /// All zeros, or the group bit is set.
    #[error("failed to accept {0} as a MAC address of a NIC: it is all zeros or a multicast address")]
    NotUnicast(String),
}

impl MacAddress {
    /// Checks that `octets` can be the address of a NIC.
    pub fn new(octets: [u8; 6]) -> Result<Self, MacAddressError> {
        let mac = Self(octets);
        if octets == [0; 6] || octets[0] & 1 == 1 {
            return Err(MacAddressError::NotUnicast(mac.to_string()));
        }
        Ok(mac)
    }

    /// The six octets in transmission order.
    pub fn octets(self) -> [u8; 6] {
        self.0
    }
}

impl FromStr for MacAddress {
    type Err = MacAddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let octets = parse_octets(text).ok_or_else(|| MacAddressError::Notation(text.chars().take(64).collect()))?;
        Self::new(octets)
    }
}

/// The separator decides how many hex digits stand in one group: `:` and `-` two, `.` four.
fn parse_octets(text: &str) -> Option<[u8; 6]> {
    let separator = text.chars().find(|c| !c.is_ascii_hexdigit())?;
    let digits_per_group = match separator {
        ':' | '-' => 2,
        '.' => 4,
        _ => return None,
    };
    let mut octets = [0; 6];
    let mut filled = 0;
    for group in text.split(separator) {
        // `from_str_radix` would take a leading `+`.
        if group.len() != digits_per_group || !group.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        for start in (0..group.len()).step_by(2) {
            *octets.get_mut(filled)? = u8::from_str_radix(group.get(start..start + 2)?, 16).ok()?;
            filled += 1;
        }
    }
    (filled == octets.len()).then_some(octets)
}

impl fmt::Display for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ":" };
            write!(f, "{separator}{octet:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for MacAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for MacAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MacAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_notation_prints_alike() {
        for text in [
            "00:1A:2B:3C:4D:5E",
            "00-1a-2b-3c-4d-5e",
            "001a.2b3c.4d5e",
            "00:1a:2b:3c:4d:5e",
        ] {
            let mac: MacAddress = text.parse().unwrap();
            assert_eq!(mac.to_string(), "00:1a:2b:3c:4d:5e", "{text}");
        }
    }

    #[test]
    fn what_is_not_a_mac_is_refused() {
        let wrong = [
            "",
            "00",
            "001a2b3c4d5e",
            "00:1a:2b:3c:4d",
            "00:1a:2b:3c:4d:5e:6f",
            "00:1a-2b:3c:4d:5e",
            "0:01a:2b:3c:4d:5e",
            "+0:1a:2b:3c:4d:5e",
            "001a.2b3c",
            "001a.2b3c.4d5e.6f70",
            "00:1a:2b:3c:4d:5g",
            " 00:1a:2b:3c:4d:5e",
            "００:1a:2b:3c:4d:5e",
        ];
        for text in wrong {
            assert!(
                matches!(text.parse::<MacAddress>(), Err(MacAddressError::Notation(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn zero_and_multicast_are_no_nic() {
        for text in [
            "00:00:00:00:00:00",
            "ff:ff:ff:ff:ff:ff",
            "01:00:5e:00:00:01",
            "33:33:00:00:00:01",
        ] {
            assert!(
                matches!(text.parse::<MacAddress>(), Err(MacAddressError::NotUnicast(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn json_is_the_printed_form() {
        let mac: MacAddress = serde_json::from_str("\"00-1A-2B-3C-4D-5E\"").unwrap();
        assert_eq!(serde_json::to_string(&mac).unwrap(), "\"00:1a:2b:3c:4d:5e\"");
    }
}
