//! Marking and planning: nothing is delivered that is not written down before.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures::future::join_all;
use multinic_model::ConfigKey;
use multinic_planner::{Claim, Plan, Policy, Scope};
use multinic_sync::{Ledgers, Planned, Read, observer::Unobserved};

use super::{
    Pass, WriteError,
    cast::{Cast, Hold, Part},
    gather::Gathered,
};
use crate::{hints::EventSource, index::Role, settings::Current, status::Visit};

/// So often a plan is made anew because a record could not be written.
const ATTEMPTS: usize = 3;

impl Pass<'_> {
    /// Puts our finalizer on every config that asks for something. One that does not take it is held.
    #[tracing::instrument(skip_all)]
    pub async fn mark(&mut self, cast: &mut Cast) {
        let unmarked = |part: &&Part| part.role == Role::Present && !part.record.has_finalizer();
        let writer = &self.tools.writer;
        let marks = cast.parts.values().filter(unmarked).map(|part| async {
            let marked = writer.mark(&part.record).await;
            (part.record.key.clone(), marked)
        });
        for (key, marked) in join_all(marks).await {
            match marked {
                Ok(record) => cast.renew(record),
                Err(error) => self.hold(cast, &key, &error),
            }
        }
    }

    fn hold(&mut self, cast: &mut Cast, key: &ConfigKey, error: &WriteError) {
        if matches!(error, WriteError::Gone) {
            self.again = true;
            return cast.hold(key, Hold::Gone);
        }
        self.fail(error.category());
        self.overtaken |= matches!(error, WriteError::Overtaken);
        cast.hold(key, Hold::Refused(error.said()));
    }

    /// The plan, with everything that it would newly deliver recorded in the status of its configs. A config whose record
    /// cannot be written is held, and the plan is made without it. `None`: that did not come to an end.
    #[tracing::instrument(skip_all)]
    pub async fn plan(&mut self, current: &Current, cast: &mut Cast, gathered: &Gathered) -> Option<Planned> {
        let earlier = gathered.earlier.as_ref().ok()?;
        for _ in 0..ATTEMPTS {
            let earlier = BTreeMap::from([(self.cluster.clone(), Ok(earlier.as_ref().clone()))]);
            let (readings, news) = (gathered.outcomes.clone(), gathered.news.clone());
            let read = Read::assembled(cast.configs(self.cluster), readings, news, earlier);
            // Each attempt starts from the same ledger: one reading counts once.
            let ledgers = Ledgers::from([(self.cluster.clone(), self.memory.ledger.clone())]);
            let planned = read.plan(&policy(current, cast), &ledgers, &Unobserved);
            let failed = self.record(cast, planned.plan(self.cluster)?).await;
            if failed.is_empty() {
                return Some(planned);
            }
            for (key, error) in failed {
                self.hold(cast, &key, &error);
            }
            if self.overtaken {
                return None;
            }
        }
        None
    }

    /// Names in each status what is about to be delivered for it. Returns the configs for which that failed.
    async fn record(&self, cast: &mut Cast, plan: &Plan) -> Vec<(ConfigKey, WriteError)> {
        let statuses = cast.parts.values().filter(|part| !part.departs()).filter_map(|part| {
            let status = self.visit(part).ahead(self.cluster, &named(plan, part))?;
            Some((Arc::clone(&part.record), status))
        });
        let writer = &self.tools.writer;
        let statuses: Vec<_> = statuses.collect();
        let writing = statuses.iter().map(|(record, status)| async move {
            let written = writer.status(record, status).await;
            (record.key.clone(), written)
        });
        let mut failed = Vec::new();
        for (key, written) in join_all(writing).await {
            match written {
                Ok(record) => cast.renew(record),
                Err(error) => failed.push((key, error)),
            }
        }
        failed
    }

    /// What every status of this pass is made with.
    pub fn visit<'v>(&'v self, part: &'v Part) -> Visit<'v> {
        let selection = part.record.spec.as_ref().ok();
        let events = selection.and_then(|selection| self.events.get(&selection.provider));
        Visit {
            generation: part.record.generation,
            before: &part.record.status,
            now: self.now,
            settings: self.rejected.as_ref(),
            events: events.unwrap_or(&EventSource::Unknown),
        }
    }
}

/// The nodes that a config is to answer for, each with the entry of `vmNames` that means it.
fn named(plan: &Plan, part: &Part) -> BTreeMap<Claim, String> {
    let key = &part.record.key;
    let none = BTreeSet::new();
    let claims = plan.claims.get(key).unwrap_or(&none);
    let vms = plan.vms.iter().filter(|((config, _), _)| config == key);
    let by_instance: BTreeMap<_, _> = vms
        .filter_map(|((_, vm), outcome)| Some((outcome.instance.as_ref()?, vm.as_str())))
        .collect();
    let name = |claim: &Claim| match by_instance.get(&claim.instance_id) {
        Some(vm) => (*vm).to_owned(),
        None => claim.instance_id.to_string(),
    };
    claims.iter().map(|claim| (claim.clone(), name(claim))).collect()
}

fn policy(current: &Current, cast: &Cast) -> Policy {
    let settings = &current.settings;
    Policy {
        port_statuses: settings.openstack.port_statuses.clone(),
        scope: Scope::WholeTruth,
        removal_confirmations: settings.sync.removal_confirmations,
        held_removal_confirmations: settings.sync.held_removal_confirmations,
        allow_mass_removal: cast.parts.values().any(|part| part.record.allows_mass_removal),
    }
}
