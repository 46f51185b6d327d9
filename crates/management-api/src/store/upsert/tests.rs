//! The arbitration against random batches and against the cases that it is there for.

use std::collections::{BTreeMap, BTreeSet};

use multinic_model::{Interface, NodeName};
use proptest::prelude::*;

use super::{
    Place, Rejection,
    arbitrate::{Claim, Holders, Wish, arbitrate, claims},
};

fn node(number: u8) -> NodeName {
    format!("n{number}").parse().unwrap()
}

/// Interface 1, 2, … of a node with these (MAC, address) numbers.
fn interfaces(claims: &[(u8, u8)]) -> Vec<Interface> {
    let interface = |(index, (mac, address)): (usize, &(u8, u8))| {
        serde_json::from_value(
            serde_json::json!({"id": index + 1, "macAddress": format!("02:00:00:00:00:{mac:02x}"),
            "address": format!("10.0.0.{address}"), "cidr": "10.0.0.0/24", "mtu": 1500}),
        )
        .unwrap()
    };
    claims.iter().enumerate().map(interface).collect()
}

type State = BTreeMap<u8, Vec<(u8, u8)>>;

fn held(state: &State) -> Holders {
    let mut held = Holders::new();
    for (number, list) in state {
        for interface in interfaces(list) {
            let place = Place {
                node: node(*number),
                interface: interface.id,
            };
            held.extend(claims(&interface).map(|claim| (claim, place.clone())));
        }
    }
    held
}

fn judge(state: &State, batch: &[(u8, Vec<(u8, u8)>)]) -> Vec<Option<Rejection>> {
    let nodes: Vec<_> = batch
        .iter()
        .map(|(number, list)| (node(*number), interfaces(list)))
        .collect();
    let wishes: Vec<_> = nodes.iter().map(|(node, wanted)| Wish { node, wanted }).collect();
    arbitrate(&wishes, &held(state))
}

fn granted(state: &State, batch: &[(u8, Vec<(u8, u8)>)]) -> Vec<bool> {
    judge(state, batch).iter().map(Option::is_none).collect()
}

#[test]
fn two_nodes_may_swap() {
    let state = State::from([(1, vec![(1, 1)]), (2, vec![(2, 2)])]);
    assert_eq!(granted(&state, &[(1, vec![(2, 2)]), (2, vec![(1, 1)])]), [true, true]);
}

#[test]
fn an_address_may_move_in_whatever_order() {
    let state = State::from([(1, vec![(1, 1)])]);
    let (leave, enter) = ((1, vec![]), (2, vec![(1, 1)]));
    assert_eq!(granted(&state, &[leave.clone(), enter.clone()]), [true, true]);
    assert_eq!(granted(&state, &[enter, leave]), [true, true]);
}

#[test]
fn both_places_are_named() {
    let state = State::from([(1, vec![(7, 7), (1, 1)])]);
    let rejections = judge(&state, &[(2, vec![(1, 9)])]);
    let holder = Place {
        node: node(1),
        interface: interfaces(&[(0, 0), (0, 1)])[1].id,
    };
    assert!(
        matches!(&rejections[0], Some(Rejection::MacTaken { interface, holder: found, .. })
            if *found == holder && interface.get() == 1),
        "{rejections:?}"
    );
}

#[test]
fn who_is_refused_keeps_what_others_then_cannot_have() {
    // 3 stays outside; 1 wants what 3 has, so it keeps (1, 1), which 2 wanted.
    let state = State::from([(1, vec![(1, 1)]), (3, vec![(3, 3)])]);
    assert_eq!(granted(&state, &[(1, vec![(3, 9)]), (2, vec![(1, 8)])]), [false, false]);
}

#[test]
fn of_two_that_ask_for_the_same_the_earlier_wins() {
    assert_eq!(
        granted(&State::new(), &[(1, vec![(1, 1)]), (2, vec![(2, 1)])]),
        [true, false]
    );
}

/// A list in which no MAC and no address comes twice.
fn list() -> impl Strategy<Value = Vec<(u8, u8)>> {
    proptest::collection::vec((1_u8..12, 1_u8..12), 0..4).prop_map(|mut list| {
        let (mut macs, mut addresses) = (BTreeSet::new(), BTreeSet::new());
        list.retain(|(mac, address)| macs.insert(*mac) && addresses.insert(*address));
        list
    })
}

fn nodes() -> impl Strategy<Value = State> {
    proptest::collection::btree_map(0_u8..8, list(), 0..8)
}

/// The nodes of `state` in turn, without those that contradict an earlier one.
fn consistent(state: State) -> State {
    let mut seen = BTreeSet::new();
    let fits = |list: &Vec<(u8, u8)>| {
        let claims: BTreeSet<Claim> = interfaces(list).iter().flat_map(claims).collect();
        let fits = claims.is_disjoint(&seen);
        if fits {
            seen.extend(claims);
        }
        fits
    };
    let mut fits = fits;
    state.into_iter().filter(|(_, list)| fits(list)).collect()
}

fn claims_of(state: &State) -> Vec<Claim> {
    let interfaces = state.values().flat_map(|list| interfaces(list));
    interfaces.flat_map(|interface| claims(&interface)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_is_ever_had_twice(state in nodes(), batch in nodes()) {
        let mut state = consistent(state);
        let batch: Vec<_> = batch.into_iter().collect();
        let granted = granted(&state, &batch);
        for ((node, list), _) in batch.into_iter().zip(granted).filter(|(_, granted)| *granted) {
            state.insert(node, list);
        }
        let claims = claims_of(&state);
        prop_assert_eq!(claims.iter().collect::<BTreeSet<_>>().len(), claims.len());
    }

    #[test]
    fn a_batch_that_contradicts_nothing_is_granted_whole(state in nodes(), batch in nodes()) {
        let batch = consistent(batch);
        let wanted: BTreeSet<_> = claims_of(&batch).into_iter().collect();
        let stands_apart = |list: &Vec<(u8, u8)>| interfaces(list).iter().flat_map(claims).all(|claim| !wanted.contains(&claim));
        let mut state = consistent(state);
        state.retain(|node, list| batch.contains_key(node) || stands_apart(list));
        let batch: Vec<_> = batch.into_iter().collect();
        prop_assert!(granted(&state, &batch).into_iter().all(|granted| granted));
    }

    #[test]
    fn who_is_refused_asked_for_what_another_holds_or_wants(state in nodes(), batch in nodes()) {
        let state = consistent(state);
        let batch: Vec<_> = batch.into_iter().collect();
        for ((node_number, list), rejection) in batch.iter().zip(judge(&state, &batch)) {
            let Some(Rejection::MacTaken { holder, .. } | Rejection::AddressTaken { holder, .. }) = rejection else {
                continue;
            };
            prop_assert_ne!(&holder.node, &node(*node_number));
            let mine: BTreeSet<_> = interfaces(list).iter().flat_map(claims).collect();
            let of = |list: &Vec<(u8, u8)>| interfaces(list).iter().flat_map(claims).collect::<BTreeSet<_>>();
            let theirs = state.iter().chain(batch.iter().map(|(n, l)| (n, l))).filter(|(n, _)| node(**n) == holder.node);
            prop_assert!(theirs.into_iter().any(|(_, list)| !of(list).is_disjoint(&mine)));
        }
    }
}
