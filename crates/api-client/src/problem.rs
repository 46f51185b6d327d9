//! Why the server refused, as RFC 9457 problem details or as far as it can be told otherwise.

use std::fmt;

use multinic_transport::{Answer, ApiClient, printable};
use serde::Deserialize;

/// The namespace of the server's lasting names.
const URN: &str = "urn:multinic:problem:";

/// Why a request was refused. Every text is printable, and the caller's token does not occur in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The lasting name, such as `unknown-provider`; `None` if the answer is not the management API's.
    pub name: Option<String>,
    /// What it says, on one line; `None` if it says nothing.
    pub text: Option<String>,
    /// The parts of the request that are at fault, beyond what the text says already.
    pub faults: Vec<Fault>,
}

/// One part of a request that is at fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Where: the name of a parameter or header, or a JSON pointer into the body.
    pub at: String,
    /// What is wrong there, what was found and what is allowed.
    pub detail: String,
}

#[derive(Deserialize)]
struct ProblemJson {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    errors: Vec<FaultJson>,
}

#[derive(Deserialize)]
struct FaultJson {
    at: String,
    detail: String,
    found: Option<String>,
    allowed: Option<String>,
    other: Option<String>,
}

impl Problem {
    pub(crate) fn read(api: &ApiClient, answer: &Answer) -> Self {
        let status = answer.status.as_u16();
        match serde_json::from_slice::<ProblemJson>(&answer.body) {
            Ok(problem) if problem.kind.starts_with(URN) => problem.read(api, status),
            _ => Self {
                status,
                name: None,
                text: api.detail(answer),
                faults: Vec::new(),
            },
        }
    }
}

impl ProblemJson {
    fn read(self, api: &ApiClient, status: u16) -> Problem {
        let clean = |text: &str| api.redact(&printable(text));
        let text = if self.title.is_empty() || self.title == self.detail {
            self.detail.clone()
        } else {
            format!("{}: {}", self.title, self.detail)
        };
        let faults = self.errors.iter().map(|fault| Fault {
            at: clean(&fault.at),
            detail: clean(&fault.line()),
        });
        let faults = faults.filter(|fault| !(self.detail.contains(&fault.at) && self.detail.contains(&fault.detail)));
        Problem {
            status,
            name: self.kind.strip_prefix(URN).map(clean),
            faults: faults.collect(),
            text: Some(clean(&text)).filter(|text| !text.is_empty()),
        }
    }
}

impl FaultJson {
    fn line(&self) -> String {
        let found = self.found.as_ref().map(|found| format!(", found {found}"));
        let allowed = self.allowed.as_ref().map(|allowed| format!(", allowed: {allowed}"));
        let other = self.other.as_ref().map(|other| format!(" (see {other})"));
        let [found, allowed, other] = [found, allowed, other].map(Option::unwrap_or_default);
        format!("{}{found}{allowed}{other}", self.detail)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        if let Some(text) = &self.text {
            write!(f, " {text}")?;
        }
        for Fault { at, detail } in &self.faults {
            write!(f, "; {at}: {detail}")?;
        }
        Ok(())
    }
}
