//! The operator dies between any two steps; what it has delivered is known to the next one.
//!
//! The Kubernetes API and the management API hold a request for ever, before or after doing what it asks for; then the
//! engine is killed.

use multinic_lab::{Fault, Service};
use multinic_lab_kubernetes::{Fault as KubernetesFault, Matcher, Times};
use serde_json::json;

use crate::stage::{CLUSTER, Cr, OTHER_CLUSTER, Stage, cloud, ids};

/// A moment of a pass.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// In the n-th write to an OpenstackConfig from now; done or not.
    Write(usize, bool),
    /// In the delivery; done or not.
    Delivery(bool),
    /// In the n-th delivery.
    NthDelivery(u64),
}

use Moment::{Delivery, NthDelivery, Write};

impl Moment {
    fn arm(self, stage: &Stage) {
        let held = |done| if done { Fault::AnswerHeld } else { Fault::Hang };
        let management_api = stage.receiver.faults().at(Service::ManagementApi).method("POST");
        match self {
            Write(n, done) => {
                let fault = if done {
                    KubernetesFault::AnswerHeld
                } else {
                    KubernetesFault::Hang
                };
                let matcher = Matcher::any()
                    .verb("patch")
                    .resource("openstackconfigs")
                    .user("operator")
                    .nth(n);
                stage.kubernetes.lab.as_ref().unwrap().fail(matcher, fault, Times::N(1));
            }
            Delivery(done) => management_api.inject(held(done)),
            NthDelivery(n) => management_api.nth(n).inject(held(true)),
        }
    }

    /// Waits until the engine hangs there.
    async fn come(self, stage: &Stage) {
        match self {
            Write(..) => stage.kubernetes.hanging().await,
            Delivery(_) | NthDelivery(_) => {
                stage
                    .asked(|requests| requests.iter().any(|request| request.faulted))
                    .await;
            }
        }
    }

    /// The engine is killed at this moment.
    async fn kill(self, stage: &mut Stage) {
        self.come(stage).await;
        stage.kill().await;
        stage.kubernetes.lab.as_ref().unwrap().clear_faults();
        stage.kubernetes.lab.as_ref().unwrap().clear_requests();
        stage.receiver.faults().clear();
        stage.receiver.clear_requests();
    }
}

/// Nothing is in force on a node.
fn is_empty(stage: &Stage, node: &str) -> bool {
    ids(&stage.nodes()[node]).is_empty()
}

#[tokio::test]
async fn a_new_config_that_changes_its_mind_while_the_operator_is_dead_leaves_nothing_behind() {
    for moment in [
        Write(1, false),
        Write(1, true),
        Write(2, false),
        Write(2, true),
        Delivery(false),
        Delivery(true),
        Write(3, false),
        Write(3, true),
    ] {
        let mut stage = Stage::new(cloud()).await;
        if stage.kubernetes.lab.is_none() {
            return;
        }
        moment.arm(&stage);
        stage.apply(&Cr::red("c", &["w1", "w2"])).await;
        moment.kill(&mut stage).await;
        stage.apply(&Cr::red("c", &["w2"])).await;
        stage.begin().await;
        stage.ready("c").await;
        assert!(is_empty(&stage, "w1"), "{moment:?}: {:#}", stage.nodes());
        assert_eq!(ids(&stage.nodes()["w2"]).len(), 1, "{moment:?}");
        stage.delete("c").await;
        stage.gone("c").await;
        assert!(is_empty(&stage, "w2"), "{moment:?}");
    }
}

#[tokio::test]
async fn a_changed_config_ends_right_and_no_id_moves() {
    for moment in [
        Write(1, false),
        Write(1, true),
        Delivery(false),
        Delivery(true),
        Write(2, false),
        Write(2, true),
    ] {
        let mut stage = Stage::new(cloud()).await;
        if stage.kubernetes.lab.is_none() {
            return;
        }
        stage.apply(&Cr::blue("b", &["w1"])).await;
        stage.ready("b").await;
        stage.apply(&Cr::red("c", &["w1", "w2"])).await;
        stage.ready("c").await;
        let before = stage.nodes();
        moment.arm(&stage);
        stage.apply(&Cr::red("c", &["w1", "w3"])).await;
        moment.kill(&mut stage).await;
        stage.begin().await;
        stage.ready("c").await;
        stage.ready("b").await;
        assert_eq!(stage.nodes()["w1"], before["w1"], "{moment:?}");
        assert!(is_empty(&stage, "w2"), "{moment:?}");
        assert_eq!(ids(&stage.nodes()["w3"]).len(), 1, "{moment:?}");
    }
}

#[tokio::test]
async fn a_deletion_is_ended_by_the_next_operator() {
    for moment in [Delivery(false), Delivery(true), Write(1, false), Write(1, true)] {
        let mut stage = Stage::new(cloud()).await;
        if stage.kubernetes.lab.is_none() {
            return;
        }
        stage.apply(&Cr::red("c", &["w1", "w2"])).await;
        stage.ready("c").await;
        moment.arm(&stage);
        stage.delete("c").await;
        moment.kill(&mut stage).await;
        stage.begin().await;
        stage.gone("c").await;
        assert!(is_empty(&stage, "w1") && is_empty(&stage, "w2"), "{moment:?}");
    }
}

#[tokio::test]
async fn a_move_to_another_cluster_is_ended_by_the_next_operator() {
    for moment in [
        NthDelivery(1),
        Write(1, false),
        Write(1, true),
        Write(2, false),
        Write(2, true),
        NthDelivery(2),
        Write(3, false),
        Write(3, true),
    ] {
        let mut stage = Stage::new(cloud()).await;
        if stage.kubernetes.lab.is_none() {
            return;
        }
        stage.apply(&Cr::red("c", &["w1"])).await;
        stage.ready("c").await;
        moment.arm(&stage);
        stage.apply(&Cr::red("c", &["w1"]).cluster(OTHER_CLUSTER)).await;
        moment.kill(&mut stage).await;
        stage.begin().await;
        stage.ready("c").await;
        assert_eq!(
            stage.receiver.node_configs(CLUSTER)["w1"]["interfaces"],
            json!([]),
            "{moment:?}"
        );
        assert_eq!(
            ids(&stage.receiver.node_configs(OTHER_CLUSTER)["w1"]).len(),
            1,
            "{moment:?}"
        );
    }
}
