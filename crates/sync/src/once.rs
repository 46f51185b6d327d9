//! One pass from beginning to end, as the command line runs it.

use multinic_delivery::AlwaysOpen;
use multinic_planner::{Policy, Scope};
use tokio::time::sleep;

use crate::{
    Connections,
    deliver::Extent,
    observer::{Observer, Step},
    plan::{Ledgers, Planned},
    report::Report,
    resolve::{Config, resolve},
    settings::Settings,
};

/// How a one-shot pass treats what it does not find.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Pruning {
    /// The files are the whole truth for the nodes they name.
    pub prune: bool,
    /// More than half of a cluster's interfaces may go.
    pub allow_mass_removal: bool,
}

impl Pruning {
    /// The planner's policy under these settings.
    pub fn policy(self, settings: &Settings) -> Policy {
        Policy {
            port_statuses: settings.openstack.port_statuses.clone(),
            scope: if self.prune { Scope::WholeTruth } else { Scope::Additive },
            removal_confirmations: settings.sync.removal_confirmations,
            held_removal_confirmations: settings.sync.held_removal_confirmations,
            allow_mass_removal: self.allow_mass_removal,
        }
    }
}

/// Resolves, reads and plans. A plan that saw a removal is made again from another complete reading, after a pause,
/// until enough readings agree (rule 1).
pub async fn plan_once(
    connections: &Connections,
    settings: &Settings,
    configs: Vec<Config>,
    pruning: Pruning,
    observer: &dyn Observer,
) -> Planned {
    let policy = pruning.policy(settings);
    let mut ledgers = Ledgers::new();
    let read = resolve(connections, configs, observer)
        .await
        .read(connections, observer)
        .await;
    let mut planned = read.plan(&policy, &ledgers, observer);
    for _ in 1..policy.removal_confirmations.get() {
        if !planned.awaits_confirmation() {
            break;
        }
        let pause = settings.sync.confirmation_pause.duration();
        observer.step(Step::Confirming { pause });
        sleep(pause).await;
        ledgers = planned.ledgers(&ledgers);
        let read = planned.into_read().again(connections, observer).await;
        planned = read.plan(&policy, &ledgers, observer);
    }
    planned
}

/// [`plan_once`], then delivers and reports.
pub async fn sync_once(
    connections: &Connections,
    settings: &Settings,
    configs: Vec<Config>,
    pruning: Pruning,
    observer: &dyn Observer,
) -> Report {
    let planned = plan_once(connections, settings, configs, pruning, observer).await;
    let delivered = planned.deliver(connections, observer, &AlwaysOpen, Extent::Changed);
    delivered.await.report()
}
