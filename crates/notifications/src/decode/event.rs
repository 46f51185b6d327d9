//! Which events are of interest: those after which a server or port exists, is named, is placed or is addressed otherwise.
//!
//! `.start` and `.error` announce what has not happened, with one exception: a port that is about to be plugged into a server.
//! Its `port.update.start` comes some 300 ms before the `.end`, and the API shows the port in its server before that. A
//! port's status emits nothing and is polled. Of what Nova does with a server, only these change its name, its metadata,
//! whether it exists, or which ports it has:
//!
//! | event | what it can change |
//! | --- | --- |
//! | `create`, `delete`, `soft_delete`, `force_delete`, `restore` | whether it exists (a soft-deleted one is in no list) |
//! | `update` | name, metadata |
//! | `rebuild` | name, metadata: both are parameters of the request |
//! | `interface_attach`, `interface_detach` | its ports; versioned only |
//!
//! Power, pause, reboot, snapshot, volumes and rescue touch nothing of that. Resize, shelve, evacuation and live migration
//! move a server with its name, its metadata and its ports: what they do to a port is a `port.update` of Neutron.

use crate::EventKind;

/// An event of interest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Event {
    /// Which one.
    pub(super) kind: EventKind,
    /// What it is about.
    pub(super) topic: Topic,
    /// Whether it says that the thing is gone.
    pub(super) gone: bool,
}

/// What an event is about, and so what its payload looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Topic {
    /// Neutron's ports, one or many.
    Port,
    /// What is asked of a port of Neutron's and not done yet.
    PortRequest,
    /// Neutron's subnets.
    Subnet,
    /// Neutron's networks.
    Network,
    /// A server of Nova.
    Server(Look),
}

/// What of a server has to be looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Look {
    /// The server itself.
    pub(super) server: bool,
    /// Its ports.
    pub(super) ports: bool,
    /// A port was taken out.
    pub(super) detached: bool,
}

impl Look {
    const SERVER: Self = Self::new(true, false, false);
    const BOTH: Self = Self::new(true, true, false);
    const PORTS: Self = Self::new(false, true, false);
    const DETACHED: Self = Self::new(false, true, true);

    const fn new(server: bool, ports: bool, detached: bool) -> Self {
        Self {
            server,
            ports,
            detached,
        }
    }
}

impl Event {
    /// `None` for an event of no interest.
    pub(super) fn of(event_type: &str) -> Option<Self> {
        let unversioned = event_type.strip_prefix("compute.instance.");
        match unversioned.or_else(|| event_type.strip_prefix("instance.")) {
            Some(action) => Self::of_server(action),
            None if event_type == "port.update.start" => Some(Self {
                kind: EventKind::PortUpdate,
                topic: Topic::PortRequest,
                gone: false,
            }),
            None => Self::of_neutron(event_type.strip_suffix(".end")?),
        }
    }

    fn of_server(action: &str) -> Option<Self> {
        let (kind, look) = match action {
            "create.end" | "restore.end" => (EventKind::Server, Look::BOTH),
            "delete.end" => (EventKind::ServerDelete, Look::SERVER),
            "update" | "rebuild.end" | "soft_delete.end" | "force_delete.end" => (EventKind::Server, Look::SERVER),
            "interface_attach.end" => (EventKind::InterfaceAttach, Look::PORTS),
            "interface_detach.end" => (EventKind::InterfaceDetach, Look::DETACHED),
            _ => return None,
        };
        Some(Self {
            kind,
            topic: Topic::Server(look),
            gone: kind == EventKind::ServerDelete,
        })
    }

    fn of_neutron(done: &str) -> Option<Self> {
        let (kind, topic) = match done {
            "port.create" => (EventKind::PortCreate, Topic::Port),
            "port.update" => (EventKind::PortUpdate, Topic::Port),
            "port.delete" => (EventKind::PortDelete, Topic::Port),
            "subnet.create" | "subnet.update" | "subnet.delete" => (EventKind::Subnet, Topic::Subnet),
            "network.create" | "network.update" | "network.delete" => (EventKind::Network, Topic::Network),
            _ => return None,
        };
        Some(Self {
            kind,
            topic,
            gone: kind == EventKind::PortDelete,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_of_nova_mean_the_same() {
        for action in [
            "create.end",
            "delete.end",
            "update",
            "rebuild.end",
            "soft_delete.end",
            "restore.end",
        ] {
            let versioned = Event::of(&format!("instance.{action}"));
            assert_eq!(versioned, Event::of(&format!("compute.instance.{action}")));
            assert!(versioned.is_some(), "{action}");
        }
    }

    #[test]
    fn only_a_delete_says_that_something_is_gone() {
        let gone = |event_type: &str| Event::of(event_type).unwrap().gone;
        for event_type in ["port.delete.end", "instance.delete.end", "compute.instance.delete.end"] {
            assert!(gone(event_type), "{event_type}");
        }
        for event_type in [
            "port.update.end",
            "subnet.delete.end",
            "instance.soft_delete.end",
            "compute.instance.force_delete.end",
            "instance.interface_detach.end",
        ] {
            assert!(!gone(event_type), "{event_type}");
        }
    }

    #[test]
    fn what_changes_nothing_that_is_delivered_is_of_no_interest() {
        for event_type in [
            "",
            ".end",
            "end",
            "port.create.start",
            "port.create.error",
            "port.end",
            "ports.create.end",
            "subnetpool.create.end",
            "instance.create.start",
            "instance.create.error",
            "instance.create",
            "instance.update.end",
            "instance.power_on.end",
            "instance.shutdown.end",
            "instance.shelve_offload.end",
            "instance.resize_confirm.end",
            "instance.live_migration_post_dest.end",
            "compute.instance.snapshot.end",
            "compute.instance.exists",
            "compute.instance.volume.attach",
            "scheduler.select_destinations.end",
            "identity.project.created",
            "INSTANCE.CREATE.END",
        ] {
            assert_eq!(Event::of(event_type), None, "{event_type}");
        }
    }
}
