//! What is kept of a node config: canonical JSON and its digest. Equal digests are identical content.

use std::fmt::Write as _;

use jiff::Timestamp;
use multinic_model::NodeConfig;
use sha2::{Digest, Sha256};

use super::StoreError;

/// Canonical JSON of a node config: interfaces by id, every value in the form in which the model prints it. Notation of
/// MAC addresses, order of interfaces and keys, white space and host bits of a CIDR make no difference.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Content {
    pub json: String,
    pub digest: String,
}

impl Content {
    pub fn new(config: &NodeConfig) -> Result<Self, StoreError> {
        let mut config = config.clone();
        config.interfaces.sort_by_key(|interface| interface.id);
        let json = serde_json::to_string(&config).map_err(|error| StoreError::Damaged {
            what: "node config",
            row: config.node_name.to_string(),
            reason: error.to_string(),
        })?;
        let digest = digest(json.as_bytes());
        Ok(Self { json, digest })
    }
}

/// A node config as it was kept.
pub(super) fn parse(json: &str, row: &str) -> Result<NodeConfig, StoreError> {
    serde_json::from_str(json).map_err(|error| damaged("node config", row, &error))
}

/// SHA-256 in lower-case hex.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// A text column back into its type.
pub(super) fn read<T>(what: &'static str, row: &str, text: &str) -> Result<T, StoreError>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.parse().map_err(|error: T::Err| damaged(what, row, &error))
}

/// A counter: revisions, sequences, counts.
pub(super) fn count(what: &'static str, row: &str, number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|error| damaged(what, row, &error))
}

/// A point in time from its column.
pub(super) fn time(row: &str, micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|error| damaged("time", row, &error))
}

pub(super) fn damaged(what: &'static str, row: &str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged {
        what,
        row: row.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(json: &str) -> Content {
        Content::new(&serde_json::from_str(json).unwrap()).unwrap()
    }

    #[test]
    fn notation_and_order_make_no_difference() {
        let one = content(
            r#"{"nodeName": "w", "instanceId": "i", "interfaces": [
            {"id": 1, "macAddress": "02:00:00:00:00:01", "address": "10.0.0.1", "cidr": "10.0.0.0/24", "mtu": 1500},
            {"id": 2, "macAddress": "02:00:00:00:00:02", "address": "fd00::1", "cidr": "fd00::/64", "mtu": 1500}]}"#,
        );
        let other = content(
            r#"{"instanceId": "i", "nodeName": "w", "interfaces": [
            {"mtu": 1500, "id": 2, "macAddress": "0200.0000.0002", "address": "FD00:0::1", "cidr": "fd00::/64"},
            {"id": 1, "macAddress": "02-00-00-00-00-01", "address": "10.0.0.1", "cidr": "10.0.0.1/24", "mtu": 1500}]}"#,
        );
        assert_eq!(one, other);
    }

    #[test]
    fn another_mtu_is_other_content() {
        let with = |mtu| {
            content(&format!(
                r#"{{"nodeName": "w", "instanceId": "i", "interfaces": [{{"id": 1, "macAddress": "02:00:00:00:00:01",
                "address": "10.0.0.1", "cidr": "10.0.0.0/24", "mtu": {mtu}}}]}}"#
            ))
        };
        assert_ne!(with(1500).digest, with(1450).digest);
    }
}
