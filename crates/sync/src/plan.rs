//! The plan step: the pure planner, once per cluster.

use std::{collections::BTreeMap, sync::Arc};

use multinic_delivery::DeliveryError;
use multinic_model::{ClusterId, Earlier};
use multinic_planner::{ConfigInput, Plan, PlanInput, Policy, Reading, RemovalLedger};

use crate::{
    observer::{Observer, Step},
    read::Read,
    resolve::{Config, Place},
};

/// What previous readings already saw missing, by cluster.
pub type Ledgers = BTreeMap<ClusterId, RemovalLedger>;

/// A plan for each cluster whose earlier node configs could be read back. Next step: [`Planned::deliver`].
pub struct Planned {
    pub(crate) read: Read,
    pub(crate) plans: BTreeMap<ClusterId, Result<Plan, Arc<DeliveryError>>>,
}

impl Read {
    /// Plans every cluster. A cluster that could not be read back gets no plan: ids would be guessed (rule 3).
    pub fn plan(self, policy: &Policy, ledgers: &Ledgers, observer: &dyn Observer) -> Planned {
        observer.step(Step::Planning);
        let plans = self.earlier.iter().map(|(cluster, earlier)| {
            let plan = match earlier {
                Ok(earlier) => Ok(self.plan_cluster(cluster, earlier, policy, ledgers)),
                Err(error) => Err(Arc::clone(error)),
            };
            (cluster.clone(), plan)
        });
        Planned {
            plans: plans.collect(),
            read: self,
        }
    }

    fn plan_cluster(&self, cluster: &ClusterId, earlier: &Earlier, policy: &Policy, ledgers: &Ledgers) -> Plan {
        let configs: Vec<ConfigInput<'_>> = self
            .resolved
            .configs
            .iter()
            .filter(|config| config.cluster() == cluster)
            .map(|c| self.input(c))
            .collect();
        let none = RemovalLedger::default();
        let ledger = ledgers.get(cluster).unwrap_or(&none);
        multinic_planner::plan(&PlanInput {
            cluster,
            configs: &configs,
            earlier,
            policy,
            ledger,
        })
    }

    fn reading(&self, place: &Place) -> Reading<'_> {
        match (self.inventories.get(place), self.news.get(place)) {
            (Some(Ok(inventory)), Some(news)) => Reading::Renewed { inventory, news },
            (Some(Ok(inventory)), None) => Reading::Complete(inventory),
            (Some(Err(_)) | None, _) => Reading::Failed,
        }
    }

    fn input<'a>(&'a self, config: &'a Config) -> ConfigInput<'a> {
        match config {
            Config::Present {
                selection,
                delivered,
                changed,
            } => ConfigInput::Present {
                selection,
                reading: self.reading(&Place::of(selection)),
                delivered,
                changed: *changed,
            },
            Config::Held { key, delivered, .. } => ConfigInput::Held { key, delivered },
            Config::Departed { key, delivered, .. } => ConfigInput::Departed { key, delivered },
        }
    }
}

impl Planned {
    /// A cluster's plan; `None` for one that was not asked about or could not be read back.
    pub fn plan(&self, cluster: &ClusterId) -> Option<&Plan> {
        self.plans.get(cluster)?.as_ref().ok()
    }

    /// Whether a removal was seen that the next agreeing reading may deliver.
    pub fn awaits_confirmation(&self) -> bool {
        self.plans.values().flatten().any(Plan::awaits_confirmation)
    }

    /// What to hand to the next plan. A cluster that got no plan keeps what it had.
    pub fn ledgers(&self, previous: &Ledgers) -> Ledgers {
        let ledger = |(cluster, plan): (&ClusterId, &Result<Plan, _>)| match plan {
            Ok(plan) => Some((cluster.clone(), plan.ledger.clone())),
            Err(_) => previous.get(cluster).map(|ledger| (cluster.clone(), ledger.clone())),
        };
        self.plans.iter().filter_map(ledger).collect()
    }

    /// Back to the readings, to make them again.
    pub(crate) fn into_read(self) -> Read {
        self.read
    }
}
