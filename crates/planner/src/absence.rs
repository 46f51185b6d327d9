//! What makes an absence believable: who let go of a share, what OpenStack has announced, and whether anybody has looked
//! again since the last plan.

use multinic_model::{InstanceId, MacAddress};

use crate::{News, evidence::Evidence, removal::World};

/// What a config that answers for an instance has not looked at again since the last plan.
#[derive(Default, Debug)]
pub(crate) struct Unseen {
    /// The server itself.
    pub server: bool,
    /// Its ports.
    pub ports: bool,
}

/// What the readings of one instance's configs bring that is new.
#[derive(Default, Debug)]
pub(crate) struct Heard {
    unseen: Unseen,
    /// It is announced that the server was deleted.
    deleted: bool,
    /// It is announced that some port was taken out.
    detached: bool,
    /// Ports with these MAC addresses are announced to be gone.
    gone_ports: Vec<MacAddress>,
}

/// What is known about one absence.
pub(crate) struct Absence<'e, 'a> {
    /// The shares that were let go of; `None` where they do not matter.
    pub shares: Option<&'e Evidence<'a>>,
    /// OpenStack has announced it.
    pub announced: bool,
    /// Nobody has looked again since the last plan: it is the same absence, and does not count twice.
    pub unseen: bool,
}

impl Heard {
    /// Adds what one config's reading brings; without `news`, all of it is new, and nothing was announced.
    pub fn take_in(&mut self, news: Option<&News>, instance: &InstanceId) {
        let Some(News { seen, announced }) = news else { return };
        self.unseen.server |= !seen.server(instance);
        self.unseen.ports |= !seen.ports(instance);
        self.deleted |= announced.deleted.contains(instance);
        self.detached |= announced.detached.contains(instance);
        self.gone_ports.extend(announced.ports_of(instance));
    }

    /// Whether nobody has looked again. Where no config answers, everything would have to be new.
    pub fn is_unseen(world: World<'_, '_>, evidence: Option<&Evidence<'_>>, unseen: impl Fn(&Unseen) -> bool) -> bool {
        match evidence {
            Some(evidence) => unseen(&evidence.heard.unseen),
            None => !world.configs.all_seen(),
        }
    }
}

impl<'e, 'a> Absence<'e, 'a> {
    /// A server is not there.
    pub fn of_server(world: World<'_, '_>, evidence: Option<&'e Evidence<'a>>) -> Self {
        Self {
            shares: evidence,
            announced: evidence.is_some_and(|evidence| evidence.heard.deleted),
            unseen: Heard::is_unseen(world, evidence, |unseen| unseen.server),
        }
    }

    /// A server is there, and not its port. One that cannot be understood may be any that nobody names.
    pub fn of_port(
        world: World<'_, '_>,
        evidence: Option<&'e Evidence<'a>>,
        mac: Option<MacAddress>,
        unreadable: bool,
    ) -> Self {
        let announced = |(evidence, mac): (&Evidence<'_>, MacAddress)| {
            evidence.heard.gone_ports.contains(&mac) || (evidence.heard.detached && !unreadable)
        };
        Self {
            shares: evidence,
            announced: evidence.zip(mac).is_some_and(announced),
            unseen: Heard::is_unseen(world, evidence, |unseen| unseen.ports),
        }
    }

    /// A server is not where it was. That is what a reading says: shares and announcements are not about names.
    pub fn of_name(world: World<'_, '_>, evidence: Option<&'e Evidence<'a>>) -> Self {
        Self {
            shares: None,
            announced: false,
            unseen: Heard::is_unseen(world, evidence, |unseen| unseen.server || unseen.ports),
        }
    }
}
