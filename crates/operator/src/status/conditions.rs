//! The five conditions of the steps, and the one beside them.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use strum::{IntoStaticStr, VariantArray};

use super::{
    reason::{Reason, Word},
    text,
    trouble::Trouble,
};

/// The types, in the order of the steps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, IntoStaticStr, VariantArray)]
pub enum Kind {
    /// Contrabass knows the provider and its password opens.
    CredentialsResolved,
    /// The project could be read.
    CloudReachable,
    /// Subnet and VMs mean exactly one object each.
    Resolved,
    /// The management API has what it should have.
    Delivered,
    /// Changes in OpenStack are announced to us. No part of Ready: everything works without.
    EventSource,
    /// All of these but EventSource.
    Ready,
}

impl Kind {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What is said of one condition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Saying {
    /// `None` is Unknown.
    pub holds: Option<bool>,
    /// In one word.
    pub reason: Reason,
    /// In one sentence.
    pub message: String,
}

impl Saying {
    /// True.
    pub fn yes(reason: impl Into<Reason>, message: impl AsRef<str>) -> Self {
        Self::with(Some(true), reason, message)
    }

    /// False.
    pub fn no(trouble: Trouble) -> Self {
        Self {
            holds: Some(false),
            reason: trouble.reason,
            message: trouble.message,
        }
    }

    /// Unknown.
    pub fn unknown(reason: Word, message: impl AsRef<str>) -> Self {
        Self::with(None, reason, message)
    }

    fn with(holds: Option<bool>, reason: impl Into<Reason>, message: impl AsRef<str>) -> Self {
        Self {
            holds,
            reason: reason.into(),
            message: text::cut(message.as_ref()),
        }
    }
}

/// What a pass says of the conditions but Ready. `None` leaves one as it was, if it speaks of the same generation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Sayings {
    /// CredentialsResolved.
    pub credentials: Option<Saying>,
    /// CloudReachable.
    pub cloud: Option<Saying>,
    /// Resolved.
    pub resolved: Option<Saying>,
    /// Delivered.
    pub delivered: Option<Saying>,
}

/// What is said where nothing is known, and when.
#[derive(Clone, Debug)]
pub struct Moment {
    /// Of the spec that the pass is about.
    pub generation: i64,
    /// Now.
    pub now: Timestamp,
    /// Said of a condition of which nothing is known.
    pub otherwise: Saying,
}

/// Those of the steps, in order, the one beside them, and Ready, which only the steps decide. `before` are those of the last
/// status.
pub fn conclude(sayings: Sayings, beside: Option<Condition>, moment: &Moment, before: &[Condition]) -> Vec<Condition> {
    let Sayings {
        credentials,
        cloud,
        resolved,
        delivered,
    } = sayings;
    let steps = [
        (Kind::CredentialsResolved, credentials),
        (Kind::CloudReachable, cloud),
        (Kind::Resolved, resolved),
        (Kind::Delivered, delivered),
    ];
    let mut conditions: Vec<_> = steps
        .into_iter()
        .map(|(kind, saying)| condition(kind, saying, moment, before))
        .collect();
    let ready = ready(&conditions);
    conditions.extend(beside);
    conditions.push(condition(Kind::Ready, Some(ready), moment, before));
    conditions
}

/// The same conditions, with another one beside them, which comes last but one.
pub fn with_beside(before: &[Condition], kind: Kind, beside: Option<Condition>) -> Vec<Condition> {
    let others = before.iter().filter(|condition| condition.type_ != kind.as_str());
    let mut conditions: Vec<_> = others.cloned().collect();
    let last = conditions.pop();
    conditions.extend(beside);
    conditions.extend(last);
    conditions
}

/// A condition beside the five. While nothing is known of it, it stays as it was; it may never have been there.
pub fn beside(kind: Kind, saying: Option<Saying>, moment: &Moment, before: &[Condition]) -> Option<Condition> {
    match saying {
        Some(saying) => Some(condition(kind, Some(saying), moment, before)),
        None => find(before, kind).cloned(),
    }
}

/// Says something else of Ready's reason; its status stays.
pub fn explain_ready(conditions: &mut [Condition], reason: &'static str, message: &str) {
    if let Some(ready) = conditions
        .iter_mut()
        .find(|condition| condition.type_ == Kind::Ready.as_str())
    {
        reason.clone_into(&mut ready.reason);
        ready.message = text::stable(message);
    }
}

/// The condition of that kind.
pub fn find(conditions: &[Condition], kind: Kind) -> Option<&Condition> {
    conditions.iter().find(|condition| condition.type_ == kind.as_str())
}

fn condition(kind: Kind, saying: Option<Saying>, moment: &Moment, before: &[Condition]) -> Condition {
    let before = find(before, kind);
    let Some(saying) = saying else {
        return match before {
            Some(before) if before.observed_generation == Some(moment.generation) => before.clone(),
            _ => condition(
                kind,
                Some(moment.otherwise.clone()),
                moment,
                before.map_or(&[], std::slice::from_ref),
            ),
        };
    };
    let status = word(saying.holds);
    let since = before.filter(|before| before.status == status);
    Condition {
        type_: kind.as_str().to_owned(),
        status: status.to_owned(),
        reason: saying.reason.as_str().to_owned(),
        message: saying.message,
        observed_generation: Some(moment.generation),
        last_transition_time: since.map_or_else(
            || whole_second(moment.now),
            |before| before.last_transition_time.clone(),
        ),
    }
}

/// Everything holds, or the first thing that does not.
fn ready(steps: &[Condition]) -> Saying {
    let first = |status: &str| steps.iter().find(|step| step.status == status);
    if let Some(problem) = first("False").or_else(|| first("Unknown")) {
        return Saying {
            holds: (problem.status == "False").then_some(false),
            reason: parse(&problem.reason),
            message: problem.message.clone(),
        };
    }
    Saying::yes(Word::Synced, "everything that the spec asks for is delivered")
}

/// Only our own reasons ever come here; another one is a status that somebody has edited.
fn parse(reason: &str) -> Reason {
    let mut all = Reason::all();
    all.find(|known| known.as_str() == reason)
        .unwrap_or(Reason::Word(Word::NotReached))
}

const fn word(holds: Option<bool>) -> &'static str {
    match holds {
        Some(true) => "True",
        Some(false) => "False",
        None => "Unknown",
    }
}

/// The API server keeps whole seconds; anything finer would differ from what it gives back.
pub fn whole_second(now: Timestamp) -> Time {
    Time(Timestamp::from_second(now.as_second()).unwrap_or(now))
}
