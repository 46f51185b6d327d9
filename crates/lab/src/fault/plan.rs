//! Which request is hit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Fault;
use crate::{Service, net::Request};

/// The faults of a lab or a receiver. Clones share the same script.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Rule>>>);

#[derive(Debug)]
struct Rule {
    matcher: Matcher,
    first: u64,
    times: u64,
    seen: u64,
    fault: Fault,
}

#[derive(Clone, Debug, Default)]
struct Matcher {
    service: Option<Service>,
    method: Option<String>,
    target: Option<String>,
}

/// A fault being scripted: the first matching request is hit, once, unless said otherwise.
#[derive(Debug)]
#[must_use = "nothing is scripted before `inject`"]
pub struct FaultPlan<'a> {
    faults: &'a Faults,
    matcher: Matcher,
    first: u64,
    times: u64,
}

impl Faults {
    /// A fault of that service.
    pub fn at(&self, service: Service) -> FaultPlan<'_> {
        FaultPlan {
            matcher: Matcher {
                service: Some(service),
                ..Matcher::default()
            },
            ..self.anywhere()
        }
    }

    /// A fault of any service.
    pub fn anywhere(&self) -> FaultPlan<'_> {
        FaultPlan {
            faults: self,
            matcher: Matcher::default(),
            first: 1,
            times: 1,
        }
    }

    /// Forgets the whole script.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// How many requests were hit so far.
    pub fn fired(&self) -> u64 {
        self.lock()
            .iter()
            .map(|rule| rule.seen.saturating_sub(rule.first - 1).min(rule.times))
            .sum()
    }

    /// The faults this request runs into. Every rule counts it, in the order they were scripted.
    pub(crate) fn strike(&self, service: Service, request: &Request) -> Vec<Fault> {
        let mut rules = self.lock();
        let matching = rules.iter_mut().filter(|rule| rule.matcher.matches(service, request));
        matching.filter_map(Rule::count).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    fn count(&mut self) -> Option<Fault> {
        self.seen += 1;
        let hit = self.seen >= self.first && self.seen - self.first < self.times;
        hit.then(|| self.fault.clone())
    }
}

impl Matcher {
    fn matches(&self, service: Service, request: &Request) -> bool {
        self.service.is_none_or(|wanted| wanted == service)
            && self.method.as_ref().is_none_or(|wanted| *wanted == request.method)
            && self
                .target
                .as_ref()
                .is_none_or(|wanted| request.target.contains(wanted))
    }
}

impl FaultPlan<'_> {
    /// Only requests of that method.
    pub fn method(mut self, method: &str) -> Self {
        self.matcher.method = Some(method.to_owned());
        self
    }

    /// Only requests whose path and query (as sent) contain this.
    pub fn path(mut self, part: &str) -> Self {
        self.matcher.target = Some(part.to_owned());
        self
    }

    /// Only GETs whose path and query contain this.
    pub fn get(self, part: &str) -> Self {
        self.method("GET").path(part)
    }

    /// Only POSTs whose path and query contain this.
    pub fn post(self, part: &str) -> Self {
        self.method("POST").path(part)
    }

    /// The `n`-th such request from now, counted from 1; zero is taken for 1.
    pub fn nth(mut self, n: u64) -> Self {
        self.first = n.max(1);
        self
    }

    /// So many of them in a row.
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// That one and every later one.
    pub fn always(self) -> Self {
        self.times(u64::MAX)
    }

    /// Puts it into the script. Several faults may hit one request: a delay and a status, say.
    pub fn inject(self, fault: Fault) {
        let Self {
            faults,
            matcher,
            first,
            times,
        } = self;
        faults.lock().push(Rule {
            matcher,
            first,
            times,
            seen: 0,
            fault,
        });
    }
}
