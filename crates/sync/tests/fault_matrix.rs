//! Each fault at each request of a pass, once and always: never a partial or wrong delivery, and an honest report.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests; the figures go to the log"
)]

mod common;
mod matrix {
    pub mod cloud;
    pub mod faults;
    pub mod judge;
    pub mod trial;
}

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use common::{ADD, PRUNE};
use matrix::{
    cloud::{self, Form},
    faults::trials,
    judge,
    trial::{Target, Trial, Verdict},
};
use multinic_lab::{LoggedRequest, Service};
use multinic_sync::{Outcome, once::Pruning};
use tokio::{sync::Semaphore, task::JoinSet};

/// How long OpenStack is asked again.
const SHORT: Duration = Duration::from_secs(3);
const LONG: Duration = Duration::from_mins(1);

/// One cell of the matrix.
#[derive(Clone, Debug)]
struct Cell {
    form: Form,
    pruning: Pruning,
    target: Target,
    trial: Trial,
    always: bool,
}

impl Cell {
    fn verdict(&self) -> Verdict {
        if self.always {
            self.trial.always
        } else {
            self.trial.once
        }
    }

    fn name(&self) -> String {
        let Target {
            service,
            method,
            path,
            nth,
            ..
        } = &self.target;
        let often = if self.always { "always from" } else { "once at" };
        let prune = if self.pruning.prune { "prune" } else { "add" };
        format!(
            "{:?}, {prune}: {} {often} {service} {method} {path} number {nth}",
            self.form, self.trial.name
        )
    }

    async fn play(&self) -> Result<(), String> {
        let patience = if self.always { SHORT } else { LONG };
        let stage = cloud::stage(self.form, self.trial.timeout, patience).await;
        let Target {
            service,
            method,
            path,
            nth,
            ..
        } = &self.target;
        let faults = if *service == Service::ManagementApi {
            stage.receiver.faults()
        } else {
            stage.lab.faults()
        };
        let plan = faults.at(*service).method(method).path(path).nth(*nth);
        if self.always { plan.always() } else { plan }.inject(self.trial.fault.clone());
        let report = stage.pass(&cloud::configs(self.form), self.pruning).await;
        let fired = stage.lab.faults().fired() + stage.receiver.faults().fired();
        if fired == 0 {
            return Err("the fault was not met".to_owned());
        }
        if self.target.service == Service::Keystone && self.trial.name == "401" {
            let logins = stage.lab.requests_to(Service::Keystone).len();
            judge::that(logins == 1, || format!("{logins} logins with a rejected password"))?;
        }
        judge::judge(&stage, &report, self.form, self.pruning, &self.target, self.verdict())
    }
}

/// The requests of an undisturbed pass, which must be the right one.
async fn targets(form: Form, pruning: Pruning) -> Vec<Target> {
    let stage = cloud::stage(form, "30s", LONG).await;
    let report = stage.pass(&cloud::configs(form), pruning).await;
    assert!(report.outcome() <= Outcome::Warnings, "{report:#?}");
    assert_eq!(stage.nodes(), cloud::expected(form, pruning.prune), "{form:?}");
    let mut seen: BTreeMap<(Service, String, String), u64> = BTreeMap::new();
    let target = |request: LoggedRequest| {
        let (service, method, path) = (request.service, request.method.clone(), request.path().to_owned());
        let nth = seen.entry((service, method.clone(), path.clone())).or_default();
        *nth += 1;
        let further = ["marker=", "cursor="].iter().any(|key| request.query().contains(key));
        Target {
            service,
            method,
            path,
            nth: *nth,
            further,
            bytes: request.answer_bytes,
        }
    };
    stage
        .lab
        .requests()
        .into_iter()
        .chain(stage.receiver.requests())
        .map(target)
        .collect()
}

async fn cells(form: Form, pruning: Pruning, wanted: impl Fn(&Target) -> bool, always: bool) -> Vec<Cell> {
    let targets = targets(form, pruning).await.into_iter().filter(wanted);
    let worth = move |trial: &Trial| match (pruning.prune, always) {
        (true, _) => trial.is_representative(),
        (false, true) => trial.is_repeated(),
        (false, false) => true,
    };
    let cell = |target: Target| {
        let trials = trials(&target).into_iter().filter(worth);
        trials.map(move |trial| Cell {
            form,
            pruning,
            target: target.clone(),
            trial,
            always,
        })
    };
    targets.flat_map(cell).collect()
}

/// Plays all cells, many at once: most of them only wait.
async fn play(cells: Vec<Cell>) {
    let (gate, total) = (Arc::new(Semaphore::new(64)), cells.len());
    let mut plays = JoinSet::new();
    for cell in cells {
        let gate = Arc::clone(&gate);
        plays.spawn(async move {
            let _turn = gate.acquire().await.unwrap();
            cell.play()
                .await
                .map_err(|problem| format!("{}: {problem}", cell.name()))
        });
    }
    let mut problems: Vec<_> = plays.join_all().await.into_iter().filter_map(Result::err).collect();
    problems.sort();
    println!("{total} cells, {} problems", problems.len());
    assert!(
        problems.is_empty(),
        "{} of {total} cells:\n{}",
        problems.len(),
        problems.join("\n")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_that_passes_at_every_request_of_a_pass() {
    play(cells(Form::Listed, ADD, |_| true, false).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_that_lasts_at_every_request_of_a_pass() {
    play(cells(Form::Listed, ADD, |_| true, true).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_at_every_request_of_both_readings_of_a_removal() {
    play(cells(Form::Listed, PRUNE, |_| true, false).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_at_the_other_ways_to_ask_for_servers() {
    let nova = |target: &Target| target.service == Service::Nova;
    let mut all = Vec::new();
    for form in [Form::Details, Form::Single] {
        for always in [false, true] {
            all.extend(cells(form, ADD, nova, always).await);
        }
    }
    play(all).await;
}
