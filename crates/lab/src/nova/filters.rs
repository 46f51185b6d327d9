//! The query of a server list: what is taken, what is refused, what is ignored.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

use super::{Caller, Fail, not_simulated};
use crate::{
    ids::Id,
    net::{Reply, Request},
    state::Server,
};

/// What Nova's schema knows and the lab does not answer.
const NOT_SIMULATED: [&str; 43] = [
    "access_ip_v4",
    "access_ip_v6",
    "all_projects",
    "auto_disk_config",
    "availability_zone",
    "block_device_mapping",
    "changes-before",
    "changes-since",
    "config_drive",
    "created_at",
    "deleted",
    "description",
    "display_description",
    "display_name",
    "flavor",
    "host",
    "hostname",
    "image",
    "image_ref",
    "info_cache",
    "ip",
    "ip6",
    "kernel_id",
    "key_name",
    "launch_index",
    "launched_at",
    "locked",
    "locked_by",
    "node",
    "not-tags",
    "not-tags-any",
    "pci_devices",
    "power_state",
    "progress",
    "reservation_id",
    "root_device_name",
    "services",
    "soft_deleted",
    "sort_dir",
    "sort_key",
    "tags",
    "tags-any",
    "user_id",
];
const STATUSES: [&str; 19] = [
    "ACTIVE",
    "BUILD",
    "DELETED",
    "ERROR",
    "HARD_REBOOT",
    "MIGRATING",
    "PASSWORD",
    "PAUSED",
    "REBOOT",
    "REBUILD",
    "RESCUE",
    "RESIZE",
    "REVERT_RESIZE",
    "SHELVED",
    "SHELVED_OFFLOADED",
    "SHUTOFF",
    "SOFT_DELETED",
    "SUSPENDED",
    "VERIFY_RESIZE",
];
const TRUE: [&str; 6] = ["1", "t", "true", "on", "y", "yes"];
const FALSE: [&str; 6] = ["0", "f", "false", "off", "n", "no"];

/// A checked query.
pub(super) struct Filters {
    /// At most so many; `None` without a limit.
    pub limit: Option<usize>,
    /// The id after which the list goes on.
    pub marker: Option<String>,
    /// The name's pattern.
    pub name: Option<NamePattern>,
    project: Option<Id>,
    uuid: Option<String>,
    statuses: Vec<String>,
}

/// A regular expression, or the plain name it stands for.
pub(super) enum NamePattern {
    /// `^name$` without anything special: answered from the index.
    Exactly(String),
    /// Anything else.
    Regex(Regex),
}

/// Why a query is not answered: Nova's refusal, or the lab's.
pub(super) enum Refusal {
    Nova(Fail),
    Lab(Reply),
}

impl From<Fail> for Refusal {
    fn from(fail: Fail) -> Self {
        Self::Nova(fail)
    }
}

impl Filters {
    /// Reads and checks the query.
    pub fn parse(caller: &Caller, request: &Request) -> Result<Self, Refusal> {
        let query = request.query();
        // Of a repeated parameter the last counts.
        let last: BTreeMap<_, _> = query
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        for key in last.keys() {
            check_key(caller, request, key)?;
        }
        let all_tenants = all_tenants(caller, last.get("all_tenants").copied())?;
        let chosen = last
            .get("project_id")
            .or_else(|| last.get("tenant_id"))
            .map(|project| Id::from(*project));
        let statuses: Vec<_> = query
            .iter()
            .filter(|(key, _)| key == "status")
            .map(|(_, value)| value.to_uppercase())
            .collect();
        if !statuses.iter().all(|status| STATUSES.contains(&status.as_str())) {
            return Err(Fail::bad_request("Invalid status value".to_owned()).into());
        }
        Ok(Self {
            limit: last.get("limit").map(|text| limit(text)).transpose()?,
            marker: last
                .get("marker")
                .filter(|marker| !marker.is_empty())
                .map(|marker| (*marker).to_owned()),
            name: last.get("name").map(|text| name(text, request)).transpose()?,
            // Without all_tenants the token's project counts, whatever is asked for.
            project: if all_tenants {
                chosen
            } else {
                caller.scope.project.clone()
            },
            // Nova takes this filter from administrators only and drops it silently for others.
            uuid: last
                .get("uuid")
                .filter(|_| caller.scope.admin)
                .map(|uuid| uuid.to_ascii_lowercase()),
            statuses,
        })
    }

    /// Whether the server is in the list.
    pub fn admit(&self, server: &Server) -> bool {
        self.project.as_ref().is_none_or(|project| *project == server.project)
            && self.uuid.as_ref().is_none_or(|uuid| **uuid == *server.id)
            && (self.statuses.is_empty() || self.statuses.contains(&server.status))
            && self.name.as_ref().is_none_or(|name| name.matches(&server.name))
    }
}

impl NamePattern {
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Exactly(wanted) => wanted.to_lowercase() == name.to_lowercase(),
            Self::Regex(regex) => regex.is_match(name),
        }
    }
}

fn check_key(caller: &Caller, request: &Request, key: &str) -> Result<(), Refusal> {
    let internal = key.starts_with('_') || matches!(key, "metadata" | "system_metadata");
    match key {
        "limit" | "marker" | "name" | "uuid" | "status" | "all_tenants" | "project_id" | "tenant_id" => Ok(()),
        // Nova passes these on to the database, which objects; others' are dropped silently.
        key if internal && caller.scope.admin => Err(Fail::bad_request(format!("Invalid filter field: {key}.")).into()),
        key if NOT_SIMULATED.contains(&key) => Err(Refusal::Lab(not_simulated(request))),
        key if caller.version.0 >= 75 && !internal => {
            let message = format!("'{key}' does not match any of the regexes: '^_'");
            Err(Fail::bad_request(message).into())
        }
        _ => Ok(()),
    }
}

fn all_tenants(caller: &Caller, value: Option<&str>) -> Result<bool, Refusal> {
    let wanted = match value.map(str::to_lowercase).as_deref() {
        None => false,
        Some("") => true,
        Some(value) if TRUE.contains(&value) => true,
        Some(value) if FALSE.contains(&value) => false,
        Some(value) => {
            let allowed = "'0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'";
            let message = format!("Unrecognized value '{value}', acceptable values are: {allowed}");
            return Err(Fail::bad_request(message).into());
        }
    };
    if wanted && !caller.scope.admin {
        let message = "Policy doesn't allow os_compute_api:servers:index:get_all_tenants to be performed.";
        return Err(Fail::new(403, "forbidden", message.to_owned()).into());
    }
    Ok(wanted)
}

fn invalid(name: &str, value: &str, why: &str) -> Refusal {
    Fail::bad_request(format!(
        "Invalid input for query parameters {name}. Value: {value}. '{value}' {why}"
    ))
    .into()
}

fn limit(text: &str) -> Result<usize, Refusal> {
    if text.is_empty() {
        return Err(invalid("limit", text, "is too short"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid("limit", text, "does not match '^[0-9]*$'"));
    }
    // More digits than fit are more than any page.
    Ok(text.parse().unwrap_or(usize::MAX))
}

/// A regular expression of the database, without regard to case; `|` is escaped, so that alternation never matches.
fn name(text: &str, request: &Request) -> Result<NamePattern, Refusal> {
    if text.is_empty() {
        return Err(invalid("name", text, "is not a 'regex'"));
    }
    if let Some(name) = plain_name(text) {
        return Ok(NamePattern::Exactly(name));
    }
    if is_dialect(text) {
        return Err(Refusal::Lab(not_simulated(request)));
    }
    let escaped = text.replace('|', r"\|");
    let regex = RegexBuilder::new(&escaped).case_insensitive(true).build();
    match (RegexBuilder::new(text).build(), regex) {
        (Ok(_), Ok(regex)) => Ok(NamePattern::Regex(regex)),
        _ => Err(invalid("name", text, "is not a 'regex'")),
    }
}

/// Where Python (which checks the pattern), MariaDB (which matches it) and the engine here may disagree.
fn is_dialect(pattern: &str) -> bool {
    let repeated = pattern
        .as_bytes()
        .windows(2)
        .any(|pair| matches!(pair, [b'*' | b'+' | b'?', b'*' | b'+']));
    let escaped_letter = pattern
        .split('\\')
        .skip(1)
        .any(|rest| rest.starts_with(|letter: char| letter.is_ascii_alphanumeric() && !"dDsSwWbB".contains(letter)));
    let set_operation = pattern.contains('[') && ["[[", "&&", "--", "~~"].iter().any(|sign| pattern.contains(sign));
    repeated || escaped_letter || set_operation || pattern.contains("(?") || pattern.contains('{')
}

/// What `^…$` stands for if nothing in between is special, escaped punctuation included.
fn plain_name(pattern: &str) -> Option<String> {
    let mut letters = pattern.strip_prefix('^')?.strip_suffix('$')?.chars();
    let mut name = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => name.push(letters.next().filter(char::is_ascii_punctuation)?),
            letter if letter.is_alphanumeric() || "-_ :@/,".contains(letter) => name.push(letter),
            _ => return None,
        }
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchored_escaped_name_is_plain_and_anything_special_is_not() {
        assert_eq!(plain_name(r"^measure\-biz\.1$").as_deref(), Some("measure-biz.1"));
        for special in ["worker", "^dup.vm$", "^a|b$", r"^a\d$", r"^a\$", "^(a)$", "^a*$"] {
            assert_eq!(plain_name(special), None, "{special}");
        }
    }
}
