//! Requests that fail on purpose.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::{log::LoggedRequest, status::ApiError};

/// Which requests a fault meets. Everything that is not named matches.
#[derive(Clone, Debug, Default)]
pub struct Matcher {
    verb: Option<String>,
    resource: Option<String>,
    subresource: Option<String>,
    name: Option<String>,
    user: Option<String>,
    passed_over: usize,
}

impl Matcher {
    /// Every request.
    pub fn any() -> Self {
        Self::default()
    }

    /// Requests with this verb, such as `patch` or `watch`.
    #[must_use]
    pub fn verb(mut self, verb: &str) -> Self {
        self.verb = Some(verb.to_owned());
        self
    }

    /// Requests about this resource, by its plural name.
    #[must_use]
    pub fn resource(mut self, resource: &str) -> Self {
        self.resource = Some(resource.to_owned());
        self
    }

    /// Requests about this subresource; `""` for the objects themselves.
    #[must_use]
    pub fn subresource(mut self, subresource: &str) -> Self {
        self.subresource = Some(subresource.to_owned());
        self
    }

    /// Requests about the object of this name.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Requests of this user.
    #[must_use]
    pub fn user(mut self, user: &str) -> Self {
        self.user = Some(user.to_owned());
        self
    }

    /// Not the first such request but the `n`-th from now, counted from 1; zero is taken for 1.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        self.passed_over = n.saturating_sub(1);
        self
    }

    /// Whether it is this one's turn; those before it are counted.
    fn takes(&mut self, request: &LoggedRequest) -> bool {
        if !self.meets(request) {
            return false;
        }
        let turn = self.passed_over == 0;
        self.passed_over = self.passed_over.saturating_sub(1);
        turn
    }

    fn meets(&self, request: &LoggedRequest) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        is(&self.verb, request.verb)
            && is(&self.resource, &request.resource)
            && is(&self.subresource, &request.subresource)
            && is(&self.name, &request.name)
            && is(&self.user, &request.user)
    }
}

/// What happens to a request instead of, or before, its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is answered with this status and changes nothing.
    Status(u16),
    /// Its connection is closed without an answer, and it changes nothing.
    Reset,
    /// It is answered as ever, but this much later.
    Delay(Duration),
    /// It is never answered and changes nothing; its connection stays open until the client goes away.
    Hang,
    /// It is never answered either, but what it asks for *has* been done.
    AnswerHeld,
}

/// How often a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// To this many requests.
    N(usize),
    /// Until the faults are cleared.
    Always,
}

pub(crate) enum Effect {
    None,
    Answer(ApiError),
    Cut,
    Delayed,
    Hang,
    AnswerHeld,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    planned: Mutex<Vec<(Matcher, Fault, Times)>>,
}

impl Faults {
    pub fn add(&self, matcher: Matcher, fault: Fault, times: Times) {
        self.planned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((matcher, fault, times));
    }

    pub fn clear(&self) {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// What happens to a request; the first fault that meets it counts.
    pub async fn meet(&self, request: &LoggedRequest) -> Effect {
        match self.take(request) {
            None => Effect::None,
            Some(Fault::Reset) => Effect::Cut,
            Some(Fault::Status(code)) => Effect::Answer(ApiError::new(code, reason(code), "failed on purpose")),
            Some(Fault::Delay(delay)) => {
                tokio::time::sleep(delay).await;
                Effect::Delayed
            }
            Some(Fault::Hang) => Effect::Hang,
            Some(Fault::AnswerHeld) => Effect::AnswerHeld,
        }
    }

    fn take(&self, request: &LoggedRequest) -> Option<Fault> {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned.retain(|(_, _, times)| *times != Times::N(0));
        let (fault, times) = planned
            .iter_mut()
            .find_map(|(matcher, fault, times)| matcher.takes(request).then_some((fault, times)))?;
        if let Times::N(left) = times {
            *left -= 1;
        }
        Some(fault.clone())
    }
}

fn reason(code: u16) -> &'static str {
    match code {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        429 => "TooManyRequests",
        500 => "InternalError",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "",
    }
}
