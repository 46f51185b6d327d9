//! Who may have which MAC and address: pure, over the whole batch at once.
//!
//! Every node of the batch is granted what it asks for and lets go of what it had, unless something stands against it;
//! then it keeps what it had, which may in turn stand against others. So two nodes may swap an address in one batch, and
//! an address that leaves one node may enter another, in whatever order they are listed. Of two nodes of one batch that
//! ask for the same, the earlier entry wins. Takes time in proportion to the batch, whatever is in it.

use std::{
    collections::{BTreeMap, VecDeque},
    net::IpAddr,
};

use multinic_model::{Interface, InterfaceId, MacAddress, NodeName};

use super::{Place, Rejection};

/// What only one interface of a cluster may have.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Claim {
    Mac(MacAddress),
    Address(IpAddr),
}

/// The claims of one interface.
pub(super) fn claims(interface: &Interface) -> [Claim; 2] {
    [
        Claim::Mac(interface.mac_address),
        Claim::Address(interface.address.address()),
    ]
}

/// One node of the batch that would change.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    pub node: &'a NodeName,
    pub wanted: &'a [Interface],
}

impl Wish<'_> {
    fn claims(&self) -> impl Iterator<Item = (Claim, InterfaceId)> {
        let of = |interface: &Interface| claims(interface).map(|claim| (claim, interface.id));
        self.wanted.iter().flat_map(of)
    }
}

/// Who holds what now, of all that the batch touches.
pub(super) type Holders = BTreeMap<Claim, Place>;

/// For each wish, in order, why it cannot be fulfilled.
///
/// `held` names every holder of what the wishes ask for and every interface of the wishes' own nodes.
pub(super) fn arbitrate(wishes: &[Wish<'_>], held: &Holders) -> Vec<Option<Rejection>> {
    let mut court = Court::new(wishes, held);
    court.hear_outsiders();
    court.hear_one_another();
    court.rejections
}

struct Court<'a> {
    wishes: &'a [Wish<'a>],
    /// Which wishes ask for a claim, and for which of their interfaces.
    asked: BTreeMap<Claim, Vec<(usize, InterfaceId)>>,
    /// What the node of each wish holds now.
    holdings: Vec<Vec<(Claim, Place)>>,
    /// What is held by nodes that are not in the batch.
    outside: Vec<(Claim, Place)>,
    rejections: Vec<Option<Rejection>>,
}

impl<'a> Court<'a> {
    fn new(wishes: &'a [Wish<'a>], held: &Holders) -> Self {
        let mut asked: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (index, wish) in wishes.iter().enumerate() {
            for (claim, interface) in wish.claims() {
                asked.entry(claim).or_default().push((index, interface));
            }
        }
        let by_node: BTreeMap<_, _> = wishes
            .iter()
            .enumerate()
            .map(|(index, wish)| (wish.node, index))
            .collect();
        let mut holdings = vec![Vec::new(); wishes.len()];
        let mut outside = Vec::new();
        for (claim, place) in held {
            let holder = by_node.get(&place.node).and_then(|index| holdings.get_mut(*index));
            holder.unwrap_or(&mut outside).push((*claim, place.clone()));
        }
        Self {
            wishes,
            asked,
            holdings,
            outside,
            rejections: vec![None; wishes.len()],
        }
    }

    fn hear_outsiders(&mut self) {
        let outside = std::mem::take(&mut self.outside);
        self.defend(outside);
    }

    /// Of two wishes for one claim the earlier stands.
    fn hear_one_another(&mut self) {
        let mut granted: BTreeMap<Claim, (usize, InterfaceId)> = BTreeMap::new();
        for (index, wish) in self.wishes.iter().enumerate() {
            let claims: Vec<_> = wish.claims().collect();
            let taken = claims.iter().find_map(|(claim, interface)| {
                let (earlier, theirs) = granted.get(claim)?;
                self.is_granted(*earlier)
                    .then(|| (*claim, *interface, self.place(*earlier, *theirs)))
            });
            match taken {
                _ if !self.is_granted(index) => {}
                Some((claim, interface, holder)) => self.reject(index, rejection(claim, interface, holder)),
                None => granted.extend(claims.into_iter().map(|(claim, interface)| (claim, (index, interface)))),
            }
        }
    }

    fn is_granted(&self, index: usize) -> bool {
        self.rejections.get(index).is_some_and(Option::is_none)
    }

    fn place(&self, index: usize, interface: InterfaceId) -> Place {
        Place {
            node: self.wishes[index].node.clone(),
            interface,
        }
    }

    /// A rejected node keeps what it holds.
    fn reject(&mut self, index: usize, rejection: Rejection) {
        self.rejections[index] = Some(rejection);
        let kept = std::mem::take(&mut self.holdings[index]);
        self.defend(kept);
    }

    /// Rejects every wish for something that stays where it is, and what follows from that.
    fn defend(&mut self, kept: Vec<(Claim, Place)>) {
        let mut kept = VecDeque::from(kept);
        while let Some((claim, holder)) = kept.pop_front() {
            for (index, interface) in self.asked.get(&claim).cloned().unwrap_or_default() {
                if self.is_granted(index) && *self.wishes[index].node != holder.node {
                    self.rejections[index] = Some(rejection(claim, interface, holder.clone()));
                    kept.extend(std::mem::take(&mut self.holdings[index]));
                }
            }
        }
    }
}

fn rejection(claim: Claim, interface: InterfaceId, holder: Place) -> Rejection {
    match claim {
        Claim::Mac(mac) => Rejection::MacTaken { interface, mac, holder },
        Claim::Address(address) => Rejection::AddressTaken {
            interface,
            address,
            holder,
        },
    }
}
