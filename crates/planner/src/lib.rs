//! The plan: from configs, inventories and what was delivered before to node configs and findings.
//!
//! Pure: no IO, no clock, no randomness, no async. The same input gives the same plan, byte for byte, and the order of
//! the input never matters. What it may decide is bounded by the rules of the design: a failed reading changes nothing,
//! what only a reading shows is removed after further readings agree, a node config is the union of the configs that
//! select its server, and interface ids never move.
//!
//! Read in this order, which is that of the steps: `matching` (which server each entry means), `vms` (each VM once,
//! with its node name), `accounting` (what each VM should have), `earlier_index` (what the nodes hold),
//! `evidence` (who may speak for whom), `absence` (what makes one believable), `removal` (what becomes of each held
//! interface), `placement` (names, and the mass guard), `grants` (one MAC address, one node), `assemble` (the node
//! configs), `report`, `outcome`, `memory` and `order`.

mod absence;
mod accounting;
mod assemble;
mod earlier_index;
mod evidence;
mod finding;
mod grants;
mod ids;
mod input;
mod inventory_index;
mod ledger;
mod matching;
mod memory;
mod news;
mod order;
mod outcome;
mod output;
mod placement;
mod removal;
mod report;
mod vms;

pub use finding::{Finding, Reason, Severity};
pub use input::{Claim, ConfigInput, PlanInput, Policy, Reading, Scope};
pub use ledger::RemovalLedger;
pub use news::{Announced, News, Seen};
pub use output::{Change, Plan, PlannedNode, VmOutcome, VmState};

use crate::{
    assemble::Decided,
    earlier_index::EarlierIndex,
    evidence::AllEvidence,
    finding::Findings,
    grants::Grants,
    matching::Configs,
    placement::Decision,
    removal::{Situation, World},
    vms::Vms,
};

/// Makes the plan for one cluster.
pub fn plan(input: &PlanInput<'_>) -> Plan {
    let mut findings = Findings::default();
    let configs = Configs::resolve(input, &mut findings);
    let vms = Vms::gather(&configs, input.earlier, &mut findings);
    let accounts = accounting::account(&configs, &vms, &mut findings);
    let earlier = EarlierIndex::new(input.earlier, input.ledger, &configs, &vms);
    let evidence = AllEvidence::gather(&configs, &vms, &earlier);
    let world = World {
        policy: input.policy,
        ledger: input.ledger,
        configs: &configs,
        vms: &vms,
        accounts: &accounts,
        earlier: &earlier,
        evidence: &evidence,
    };
    let situation = Situation::survey(world);
    let decision = Decision::make(world, &situation);
    let grants = Grants::decide(world, &situation, &decision, &mut findings);
    let decided = Decided {
        world,
        situation: &situation,
        decision: &decision,
        grants: &grants,
    };
    let (nodes, deliveries) = decided.assemble();
    decided.report(input.cluster, &deliveries, &mut findings);
    Plan {
        vms: decided.outcomes(&deliveries, &findings),
        claims: decided.claims(&deliveries),
        ledger: decided.next_ledger(&nodes),
        order: order::order(&earlier, &nodes),
        awaits_confirmation: decided.awaits_confirmation(),
        findings: findings.into_list(),
        nodes,
    }
}
