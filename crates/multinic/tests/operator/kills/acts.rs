//! What happens in one world, and what has come of it.

use std::{collections::BTreeMap, fmt};

use serde_json::{Value, json};

use crate::stage::{NAMESPACE, Stage, is_ready};

/// What happens in one world, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Act {
    /// An OpenstackConfig for two VMs is there when the operator starts.
    Delivery,
    /// One VM leaves the spec and another one comes, while the operator runs.
    Exchange,
    /// A VM was renamed while the operator was away.
    Rename,
    /// The OpenstackConfig is deleted while the operator runs.
    Deletion,
}

pub const ACTS: [Act; 4] = [Act::Delivery, Act::Exchange, Act::Rename, Act::Deletion];

impl Act {
    /// Whether the operator is up when it happens.
    pub fn is_live(self) -> bool {
        matches!(self, Self::Exchange | Self::Deletion)
    }

    pub fn play(self, stage: &Stage) {
        let uuid = |name: &str| stage.lab.cloud().vm_id(name).unwrap();
        let spec = |vms: [&str; 2]| stage.put("red", &[&uuid(vms[0]), &uuid(vms[1])]);
        match self {
            Self::Delivery => spec(["vm-1", "vm-2"]),
            Self::Exchange => spec(["vm-2", "vm-3"]),
            Self::Rename => stage.lab.cloud().rename_vm("vm-2", "renamed").unwrap(),
            Self::Deletion => stage.delete(),
        }
    }

    /// Whether everything has come of it that is to come.
    pub fn is_over(self, config: &Value) -> bool {
        let names = nodes(config);
        match self {
            Self::Delivery => is_ready(config) && names == ["vm-1", "vm-2"],
            Self::Exchange => is_ready(config) && names == ["vm-2", "vm-3"],
            Self::Rename => is_ready(config) && names == ["renamed", "vm-3"],
            Self::Deletion => config.is_null(),
        }
    }
}

/// The node names of the record.
fn nodes(config: &Value) -> Vec<&str> {
    let nodes = config["status"]["nodes"].as_array().into_iter().flatten();
    let mut names: Vec<_> = nodes.filter_map(|node| node["nodeName"].as_str()).collect();
    names.sort_unstable();
    names
}

/// A world after an act, without what is different each time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    pub config: Value,
    pub delivered: BTreeMap<String, BTreeMap<String, u64>>,
    pub removals: Value,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            config,
            delivered,
            removals,
        } = self;
        write!(
            f,
            "{:#}",
            json!({"config": config, "delivered": delivered, "removals": removals})
        )
    }
}

impl State {
    pub fn of(stage: &Stage) -> Self {
        let mut config = stage.config();
        if let Some(config) = config.as_object_mut() {
            let finalizers = config["metadata"]["finalizers"].clone();
            config.insert("metadata".to_owned(), json!({"finalizers": finalizers}));
            let status = config["status"].as_object_mut().unwrap();
            status.remove("lastSyncTime");
            status.remove("observedGeneration");
            // A finding of the one pass that did it.
            for node in status["nodes"].as_array_mut().unwrap() {
                let node = node.as_object_mut().unwrap();
                if node.get("finding").is_some_and(|finding| finding == "NodeRenamed") {
                    node.remove("finding");
                }
            }
            let conditions = status["conditions"].as_array_mut().unwrap();
            // It comes when it is known whether there is a broker, and no pass waits for that.
            conditions.retain(|condition| condition["type"] != "EventSource");
            for condition in conditions {
                condition.as_object_mut().unwrap().remove("lastTransitionTime");
                condition.as_object_mut().unwrap().remove("observedGeneration");
            }
        }
        let removals = stage
            .kubernetes
            .get("configmaps", NAMESPACE, "multinic-operator-removals");
        let removals = removals.unwrap().map_or(Value::Null, |map| map["data"].clone());
        let delivered = stage.delivered();
        Self {
            config,
            delivered,
            removals: Some(removals).filter(|data| *data != json!({})).unwrap_or_default(),
        }
    }
}
