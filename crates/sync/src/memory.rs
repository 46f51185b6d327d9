//! What the management API is known to hold after a delivery, without reading it back.

use std::collections::BTreeMap;

use multinic_delivery::{Delivery, NodeResult};
use multinic_model::{Earlier, EarlierNode, NodeName};
use multinic_planner::{Plan, PlannedNode, Reason};

/// What the management API holds after this delivery of a plan that was made from `earlier`.
///
/// Only nodes that the server acknowledged change. Of a node whose delivery failed nobody knows whether it arrived: after
/// a delivery that is not complete, read back where the server can.
///
/// A server that cannot be read back becomes a known one as soon as it has acknowledged everything that any config claims:
/// from then on this memory is the truth, ids stay, and what is unchanged is not sent again.
pub fn earlier_after(earlier: &Earlier, plan: &Plan, delivery: Option<&Delivery>) -> Earlier {
    let acknowledged = |name: &NodeName| {
        let result = delivery.and_then(|delivery| delivery.nodes.get(name));
        result.is_some_and(NodeResult::is_delivered)
    };
    match earlier {
        Earlier::Known(nodes) => {
            let mut nodes = nodes.clone();
            let changed = plan.nodes.iter().filter(|(name, _)| acknowledged(name));
            nodes.extend(changed.map(held));
            Earlier::Known(nodes)
        }
        Earlier::Partly { nodes, unreadable } => {
            let mut nodes = nodes.clone();
            let changed = plan.nodes.iter().filter(|(name, _)| acknowledged(name));
            nodes.extend(changed.map(held));
            Earlier::Partly {
                nodes,
                unreadable: unreadable.clone(),
            }
        }
        Earlier::NotOffered if accounts_for_all(plan) && plan.nodes.keys().all(acknowledged) => {
            Earlier::Known(plan.nodes.iter().map(held).collect::<BTreeMap<_, _>>())
        }
        Earlier::NotOffered => Earlier::NotOffered,
    }
}

fn held((name, planned): (&NodeName, &PlannedNode)) -> (NodeName, EarlierNode) {
    let node = EarlierNode {
        instance_id: planned.config.instance_id.clone(),
        interfaces: planned.config.interfaces.clone(),
    };
    (name.clone(), node)
}

/// Whether nothing may be there that is not in the plan.
fn accounts_for_all(plan: &Plan) -> bool {
    let claimed = plan.claims.values().flatten();
    let held_back = plan.findings.iter().any(|finding| finding.reason == Reason::NodeHeld);
    !held_back
        && claimed
            .into_iter()
            .all(|claim| plan.nodes.contains_key(&claim.node_name))
}
