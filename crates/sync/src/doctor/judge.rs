//! What an answer means for the user: the doctor's words.

use std::collections::BTreeSet;

use multinic_cloud::{CloudError, Service};
use multinic_model::{
    Earlier, Selection,
    inventory::{Inventory, PortStatus, SubnetLookup},
};
use multinic_planner::{ConfigInput, Finding, Plan, PlanInput, Policy, Reading, Reason, RemovalLedger};

use super::{Found, Hop};

/// Whether the login worked and only the choice of an endpoint did not.
pub(super) fn is_about_the_catalog(error: &CloudError) -> bool {
    matches!(
        error,
        CloudError::NoSuchRegion { .. } | CloudError::SeveralRegions { .. } | CloudError::NoEndpoint { .. }
    )
}

/// Which hop a failed reading belongs to.
pub(super) fn hop_of(error: &CloudError) -> Hop {
    match service(error) {
        Some(Service::Compute) => Hop::Vms,
        Some(Service::Identity) => Hop::Keystone,
        Some(Service::Network) | None => Hop::Subnet,
    }
}

fn service(error: &CloudError) -> Option<Service> {
    match error {
        CloudError::Status { place, .. }
        | CloudError::TokenRefused { place, .. }
        | CloudError::Timeout { place, .. }
        | CloudError::Connect { place, .. }
        | CloudError::Broken { place, .. }
        | CloudError::Truncated { place, .. }
        | CloudError::Body { place, .. }
        | CloudError::PageLoop { place, .. }
        | CloudError::PageWithoutMarker { place, .. }
        | CloudError::TooManyPages { place, .. }
        | CloudError::Session { place, .. } => Some(place.service),
        CloudError::PartialAnswer { .. } => Some(Service::Compute),
        CloudError::Login { .. } | CloudError::RejectedEarlier { .. } | CloudError::WrongProject { .. } => {
            Some(Service::Identity)
        }
        _ => None,
    }
}

/// Subnet, VMs and ports of one config, judged by the planner itself.
pub(super) fn selection(selection: &Selection, inventory: &Inventory) -> Vec<(Hop, Found)> {
    let plan = plan_alone(selection, inventory);
    let of = |hop: Hop| {
        plan.findings
            .iter()
            .filter(move |finding| hop_of_reason(finding.reason) == Some(hop))
    };
    let mut checks = Vec::new();
    for (hop, fine) in [
        (Hop::Subnet, subnet(selection, inventory)),
        (Hop::Vms, vms(selection, &plan)),
        (Hop::Ports, ports(&plan)),
    ] {
        checks.extend(of(hop).map(|finding| (hop, Found::Finding(sentence(finding)))));
        checks.extend(fine.map(|text| (hop, Found::Fine(text))));
    }
    checks
}

fn sentence(finding: &Finding) -> String {
    format!("{}: {}: {}", finding.reason, finding.subject, finding.message)
}

/// The config by itself, as if nothing had been delivered before and every status were welcome.
fn plan_alone(selection: &Selection, inventory: &Inventory) -> Plan {
    let policy = Policy {
        port_statuses: BTreeSet::from([
            PortStatus::Active,
            PortStatus::Down,
            PortStatus::Build,
            PortStatus::Error,
        ]),
        ..Policy::default()
    };
    let config = ConfigInput::Present {
        selection,
        reading: Reading::Complete(inventory),
        delivered: &[],
        changed: false,
    };
    multinic_planner::plan(&PlanInput {
        cluster: &selection.cluster,
        configs: &[config],
        earlier: &Earlier::Known(std::collections::BTreeMap::new()),
        policy: &policy,
        ledger: &RemovalLedger::default(),
    })
}

fn hop_of_reason(reason: Reason) -> Option<Hop> {
    match reason {
        Reason::SubnetNotFound | Reason::AmbiguousSubnet | Reason::UnusableSubnet => Some(Hop::Subnet),
        Reason::VMNotFound | Reason::AmbiguousVM | Reason::DuplicateNodeName | Reason::InvalidNodeName => {
            Some(Hop::Vms)
        }
        Reason::NoPortOnSubnet
        | Reason::PortStatusNotAllowed
        | Reason::SeveralAddresses
        | Reason::UnreadablePort
        | Reason::DuplicateMac => Some(Hop::Ports),
        _ => None,
    }
}

fn subnet(selection: &Selection, inventory: &Inventory) -> Option<String> {
    match inventory.subnets.get(&selection.subnet) {
        Some(SubnetLookup::Found(subnet)) => Some(format!(
            "{} is {} with MTU {} (id {})",
            selection.subnet, subnet.cidr, subnet.mtu, subnet.id
        )),
        _ => None,
    }
}

fn vms(selection: &Selection, plan: &Plan) -> Option<String> {
    let found = plan.vms.values().filter(|vm| vm.node.is_some()).count();
    (found > 0).then(|| format!("{found} of {} found", selection.vms.len()))
}

fn ports(plan: &Plan) -> Option<String> {
    let interfaces = plan.interface_count();
    (interfaces > 0).then(|| format!("{interfaces} on {} node(s)", plan.nodes.len()))
}

/// Somebody who is no administrator does not see what administrators made: it would look gone.
pub(super) fn roles(roles: &[String]) -> String {
    let names = roles.join(", ");
    if roles.iter().any(|role| role == "admin") {
        names
    } else {
        format!("{names} (not admin: ports and subnets that an administrator made here are not seen)")
    }
}

/// What the management API holds.
pub(super) fn earlier(earlier: &Earlier) -> String {
    match earlier {
        Earlier::Known(nodes) => format!("reachable; it holds {} node config(s) of this cluster", nodes.len()),
        Earlier::Partly { nodes, unreadable } => {
            let names: Vec<_> = unreadable.keys().map(ToString::to_string).collect();
            format!(
                "reachable; it holds {} node config(s) of this cluster, of which these cannot be understood: {}",
                nodes.len() + unreadable.len(),
                names.join(", ")
            )
        }
        Earlier::NotOffered => "reachable; it offers no read-back, so ids follow the deterministic order".to_owned(),
    }
}
