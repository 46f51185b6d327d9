//! The election as it runs: a [`Contender`] with a real Lease, a real clock and the fence.

use std::sync::Arc;

use k8s_openapi::jiff::Timestamp;
use kube::Client;
use tokio::time::{sleep, timeout};

use super::{
    clock::Clock,
    contender::{Answer, Contender, Next, Request},
    fence::Fence,
    lease::Leases,
    timing::Timing,
};

/// Which Lease, as whom, how long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Election {
    /// The Lease's namespace.
    pub namespace: String,
    /// The Lease's name.
    pub name: String,
    /// This replica's name; something unique to the process is added to it.
    pub identity: String,
    /// The lengths of time.
    pub timing: Timing,
}

/// Why a term ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Lost {
    /// The API server did not confirm a renewal in time.
    NotRenewed,
    /// Somebody else holds the Lease, or it is gone.
    Taken,
}

/// Takes the Lease, holds it and gives it back.
pub struct Elector {
    leases: Leases,
    contender: Contender,
    identity: String,
    timing: Timing,
    clock: Arc<dyn Clock>,
    fence: Fence,
    /// The failure that was last told, so that an outage is told once.
    told: Option<String>,
}

impl Elector {
    /// `client` must not be the one that asks the fence: a closed fence would keep us from opening it.
    pub fn new(client: Client, election: &Election, clock: Arc<dyn Clock>, fence: Fence) -> Self {
        let identity = unique(&election.identity);
        Self {
            leases: Leases::new(client, &election.namespace, &election.name),
            contender: Contender::new(identity.clone(), election.timing),
            identity,
            timing: election.timing,
            clock,
            fence,
            told: None,
        }
    }

    /// As whom we stand in the Lease.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Waits until we lead; the fence is open then. Whatever was written in an earlier term must have come to its end.
    pub async fn acquire(&mut self) {
        let mut holder = None;
        while !self.fence.is_open() {
            self.step().await;
            let seen = self.contender.holder().map(ToOwned::to_owned);
            if seen != holder && seen.as_deref() != Some(self.identity()) {
                tracing::info!(holder = seen.as_deref().unwrap_or("nobody"), "waiting for the lease");
                holder = seen;
            }
        }
        tracing::info!(identity = self.identity, "leading");
    }

    /// Renews until the lease is lost; the fence is closed then.
    pub async fn hold(&mut self) -> Lost {
        loop {
            let now = self.clock.now();
            let Some(until) = self.contender.leads_until(now) else {
                self.fence.close();
                return self.lost();
            };
            tokio::select! {
                biased;
                () = sleep(until.saturating_sub(now)) => {}
                () = self.step() => {}
            }
        }
    }

    /// Closes the fence and lets the others go on at once. Best effort: without it they wait for the lease to run out.
    pub async fn release(&mut self) {
        self.fence.close();
        if self.contender.is_stale() {
            // A renewal was cut short: only a read tells which version to replace.
            let began = self.clock.now();
            let answer = self.send(&Request::Read).await;
            self.contender.answered(&Request::Read, answer, began, self.clock.now());
        }
        if let Some(record) = self.contender.release(Timestamp::now()) {
            let request = Request::Replace(record);
            let answer = timeout(self.timing.request(), self.leases.send(&request)).await;
            if matches!(answer, Ok(Ok(Answer::Stands(_)))) {
                tracing::info!("released the lease");
            } else {
                tracing::warn!("failed to release the lease: another replica waits until it has run out");
            }
        }
    }

    fn lost(&self) -> Lost {
        let lost = match self.contender.holder() {
            Some(holder) if holder == self.identity => Lost::NotRenewed,
            _ => Lost::Taken,
        };
        let reason: &'static str = lost.into();
        tracing::warn!(reason, holder = self.contender.holder(), "no longer leading");
        lost
    }

    /// One request, or one pause.
    async fn step(&mut self) {
        let began = self.clock.now();
        match self.contender.next(began, Timestamp::now()) {
            Next::Wait(pause) => sleep(pause).await,
            Next::Send(request) => {
                let answer = self.send(&request).await;
                self.contender.answered(&request, answer, began, self.clock.now());
                match self.contender.leads_until(self.clock.now()) {
                    Some(until) => self.fence.open_until(until),
                    None => self.fence.close(),
                }
            }
        }
    }

    async fn send(&mut self, request: &Request) -> Answer {
        let problem = match timeout(self.timing.request(), self.leases.send(request)).await {
            Ok(Ok(answer)) => {
                self.told = None;
                return answer;
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {:?}", self.timing.request()),
        };
        if self.told.as_ref() != Some(&problem) {
            tracing::warn!(
                problem,
                "failed to reach the lease; check the API server and the Role for leases.coordination.k8s.io"
            );
            self.told = Some(problem);
        }
        Answer::Unknown
    }
}

/// Two processes with one name must not take each other's lease for their own.
fn unique(identity: &str) -> String {
    format!("{identity}_{:08x}", rand::random::<u32>())
}
