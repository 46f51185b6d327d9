//! The formats of strings that are checked; a format that is not in this list says nothing, as in Kubernetes.

/// Whether a text has a format; a format that is not known is always met.
pub(super) fn has_format(format: &str, text: &str) -> bool {
    match format {
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.parse::<jiff::civil::Date>().is_ok(),
        "uuid" | "uuid4" => uuid::Uuid::parse_str(text).is_ok(),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "uri" => url::Url::parse(text).is_ok(),
        _ => true,
    }
}
