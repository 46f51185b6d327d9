//! The requests of an act, each as it can be met again.

use multinic_lab::Service;
use multinic_lab_kubernetes::{Matcher, Times};

use crate::stage::Stage;

/// One request as it can be met again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    Kubernetes {
        verb: String,
        resource: String,
        subresource: String,
        name: String,
        nth: usize,
    },
    Cloud {
        service: Service,
        method: String,
        target: String,
        nth: u64,
    },
    ManagementApi {
        method: String,
        nth: u64,
    },
}

/// Whether the server has done what was asked when the process is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    Before,
    After,
}

/// The requests so far.
pub fn steps(stage: &Stage) -> Vec<Step> {
    let mut steps = to_kubernetes(stage);
    steps.extend(to_the_cloud(stage));
    steps.extend(to_the_management_api(stage));
    steps
}

fn to_kubernetes(stage: &Stage) -> Vec<Step> {
    let requests = stage.kubernetes.requests();
    let key = |index: usize| {
        let request = &requests[index];
        (request.verb, &request.resource, &request.subresource, &request.name)
    };
    // Events are beside the point: nobody waits for them.
    let counts = |index: &usize| !matches!(requests[*index].resource.as_str(), "" | "events");
    let step = |index: usize| Step::Kubernetes {
        verb: key(index).0.to_owned(),
        resource: key(index).1.clone(),
        subresource: key(index).2.clone(),
        name: key(index).3.clone(),
        nth: (0..=index).filter(|other| key(*other) == key(index)).count(),
    };
    (0..requests.len()).filter(counts).map(step).collect()
}

fn to_the_cloud(stage: &Stage) -> Vec<Step> {
    let requests = stage.lab.requests();
    let step = |index: usize| {
        let request = &requests[index];
        // As faults are matched.
        let same = |other: &&multinic_lab::LoggedRequest| {
            (other.service, &other.method) == (request.service, &request.method)
                && other.target.contains(&request.target)
        };
        Step::Cloud {
            service: request.service,
            method: request.method.clone(),
            target: request.target.clone(),
            nth: requests[..=index].iter().filter(same).count() as u64,
        }
    };
    (0..requests.len()).map(step).collect()
}

fn to_the_management_api(stage: &Stage) -> Vec<Step> {
    let methods: Vec<_> = stage
        .receiver
        .requests()
        .into_iter()
        .map(|request| request.method)
        .collect();
    let step = |index: usize| Step::ManagementApi {
        method: methods[index].clone(),
        nth: methods[..=index]
            .iter()
            .filter(|other| **other == methods[index])
            .count() as u64,
    };
    (0..methods.len()).map(step).collect()
}

/// Lets that request hang.
pub fn inject(stage: &Stage, step: &Step, when: When) {
    use multinic_lab::Fault as Lab;
    use multinic_lab_kubernetes::Fault as Kubernetes;
    let fault = || {
        if when == When::Before {
            Lab::Hang
        } else {
            Lab::AnswerHeld
        }
    };
    match step {
        Step::Kubernetes {
            verb,
            resource,
            subresource,
            name,
            nth,
        } => {
            let matcher = Matcher::any()
                .verb(verb)
                .resource(resource)
                .subresource(subresource)
                .name(name)
                .nth(*nth);
            let fault = if when == When::Before {
                Kubernetes::Hang
            } else {
                Kubernetes::AnswerHeld
            };
            stage.kubernetes.fail(matcher, fault, Times::N(1));
        }
        Step::Cloud {
            service,
            method,
            target,
            nth,
        } => {
            stage
                .lab
                .faults()
                .at(*service)
                .method(method)
                .path(target)
                .nth(*nth)
                .inject(fault());
        }
        Step::ManagementApi { method, nth } => {
            stage
                .receiver
                .faults()
                .anywhere()
                .method(method)
                .nth(*nth)
                .inject(fault());
        }
    }
}

/// Waits until the request has met its fault.
pub async fn until_met(stage: &Stage, step: &Step) {
    match step {
        Step::Kubernetes { .. } => {
            stage
                .kubernetes
                .until_requests(|requests| requests.iter().any(|request| request.faulted))
                .await;
        }
        Step::Cloud { .. } => {
            stage
                .lab
                .until(|requests| requests.iter().any(|request| request.faulted))
                .await;
        }
        Step::ManagementApi { .. } => {
            stage
                .receiver
                .until(|requests| requests.iter().any(|request| request.faulted))
                .await;
        }
    }
}
