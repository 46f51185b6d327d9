//! Dates as Nova and Neutron write them.

use jiff::Timestamp;

/// `2026-01-01T00:00:00Z`; the beginning of Unix time for a number no calendar has.
pub(crate) fn seconds(unix: i64) -> String {
    let time = Timestamp::from_second(unix).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
