//! Where the links of one provider stand, in words that stay the same while the matter does.

use std::collections::BTreeSet;

use multinic_notifications::{LinkError, LinkSettings, LinkState};

use crate::status::{reason::Word, trouble::Trouble};

/// Where the news about a provider come from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum EventSource {
    /// It is still being found out.
    #[default]
    Unknown,
    /// Its notifications are listened to; changes are seen at once.
    Listening,
    /// No broker is known, or none is to be used: the periodic readings see every change.
    NotConfigured,
    /// Some notifications do not come; the periodic readings see what they would have told.
    Impaired(Trouble),
}

/// Where one link stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    whereabouts: Whereabouts,
    state: State,
}

/// Of a link, for messages.
#[derive(Clone, Debug)]
struct Whereabouts {
    brokers: String,
    vhost: String,
    user: String,
    queue: String,
}

#[derive(Clone, Debug)]
enum State {
    Connecting,
    Listening { absent: BTreeSet<String> },
    Lost(Trouble),
}

impl Standing {
    /// Of a link that begins.
    pub fn new(settings: &LinkSettings) -> Self {
        let brokers: BTreeSet<String> = settings.brokers.iter().map(ToString::to_string).collect();
        Self {
            whereabouts: Whereabouts {
                brokers: brokers.into_iter().collect::<Vec<_>>().join(", "),
                vhost: settings.vhost.clone(),
                user: settings.user.clone(),
                queue: settings.queue.name.clone(),
            },
            state: State::Connecting,
        }
    }

    /// Takes in what the link says of itself.
    pub fn learn(&mut self, state: LinkState) {
        self.state = match state {
            // What was wrong stays wrong until something else is known.
            LinkState::Connecting if matches!(self.state, State::Lost(_)) => return,
            LinkState::Connecting => State::Connecting,
            LinkState::Listening { absent, .. } => State::Listening {
                absent: absent.into_iter().collect(),
            },
            LinkState::Lost { error, .. } => State::Lost(self.whereabouts.trouble(&error)),
        };
    }

    /// Whether messages come.
    pub const fn listens(&self) -> bool {
        matches!(self.state, State::Listening { .. })
    }

    /// How many of its exchanges do not exist, as far as it knows.
    pub fn absent(&self) -> usize {
        match &self.state {
            State::Listening { absent } => absent.len(),
            State::Connecting | State::Lost(_) => 0,
        }
    }

    fn impairment(&self) -> Option<Trouble> {
        match &self.state {
            State::Lost(trouble) => Some(trouble.clone()),
            State::Listening { absent } if !absent.is_empty() => Some(self.whereabouts.missing(absent)),
            State::Listening { .. } | State::Connecting => None,
        }
    }
}

impl EventSource {
    /// Of all the links of a provider together: as good as the worst of them.
    pub(super) fn of<'a>(links: impl Iterator<Item = &'a Standing> + Clone) -> Self {
        let lost = links.clone().find(|link| matches!(link.state, State::Lost(_)));
        let impaired = links.clone().filter_map(Standing::impairment);
        if let Some(trouble) = lost
            .and_then(Standing::impairment)
            .or_else(|| impaired.into_iter().next())
        {
            return Self::Impaired(trouble);
        }
        if links.clone().any(|link| !link.listens()) {
            return Self::Unknown;
        }
        match links.count() {
            0 => Self::NotConfigured,
            _ => Self::Listening,
        }
    }
}

/// What is the case in spite of everything.
const MEANWHILE: &str = "changes are found by the periodic readings";

impl Whereabouts {
    /// Brokers take turns in failing, each in its own words: what is said is the same for all of them.
    fn trouble(&self, error: &LinkError) -> Trouble {
        let Self {
            brokers,
            vhost,
            user,
            queue,
        } = self;
        match error {
            LinkError::Unreachable { .. } | LinkError::Cancelled { .. } | LinkError::Broken { .. } => Trouble::new(
                Word::BrokerUnreachable,
                format!("no connection to RabbitMQ at {brokers} holds; {MEANWHILE}; the operator's log says why"),
            ),
            LinkError::LoginRefused { .. } => Trouble::new(
                Word::BrokerRefused,
                format!(
                    "RabbitMQ at {brokers} refuses the user {user} or its password; {MEANWHILE}; check rabbitMQId and \
                     rabbitMQPw in Contrabass, or rabbitmq in the settings"
                ),
            ),
            LinkError::Forbidden { .. } => Trouble::new(
                Word::BrokerRefused,
                format!(
                    "RabbitMQ at {brokers} does not let the user {user} use the virtual host {vhost}; {MEANWHILE}; see \
                     whether it exists and which permissions the user has"
                ),
            ),
            LinkError::QueueMismatch { .. } => Trouble::new(
                Word::QueueMismatch,
                format!(
                    "the queue {queue} exists at {brokers} and was declared otherwise; {MEANWHILE}; delete it, or give \
                     rabbitmq.queue.name another value"
                ),
            ),
        }
    }

    fn missing(&self, absent: &BTreeSet<String>) -> Trouble {
        let names: Vec<&str> = absent.iter().map(String::as_str).collect();
        Trouble::new(
            Word::ExchangeMissing,
            format!(
                "RabbitMQ at {} has no exchange {} in the virtual host {}: the service has published nothing since the \
                 broker started, or its control_exchange is another; {MEANWHILE}",
                self.brokers,
                names.join(", "),
                self.vhost,
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::tests::settings, *};

    fn listening(absent: &[&str]) -> LinkState {
        LinkState::Listening {
            broker: "a:5672".parse().unwrap(),
            absent: absent.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn lost(broker: &str, seconds: u64) -> LinkState {
        LinkState::Lost {
            error: LinkError::Unreachable {
                broker: broker.parse().unwrap(),
                reason: format!("reason {seconds}"),
            },
            retry_in: Duration::from_secs(seconds),
        }
    }

    fn after(states: Vec<LinkState>) -> Standing {
        let mut standing = Standing::new(&settings("/nova"));
        for state in states {
            standing.learn(state);
        }
        standing
    }

    fn reason(links: &[Standing]) -> String {
        match EventSource::of(links.iter()) {
            EventSource::Impaired(trouble) => trouble.reason.as_str().to_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn a_provider_is_as_good_as_the_worst_of_its_links() {
        let begins = || after(vec![]);
        let listens = || after(vec![LinkState::Connecting, listening(&[])]);
        let lacks = || after(vec![listening(&["nova"])]);
        let lost = || after(vec![listening(&[]), lost("a", 1)]);
        assert_eq!(reason(&[]), "NotConfigured");
        assert_eq!(reason(&[listens(), listens()]), "Listening");
        assert_eq!(reason(&[listens(), begins()]), "Unknown");
        assert_eq!(reason(&[begins(), lacks()]), "ExchangeMissing");
        assert_eq!(reason(&[lacks(), listens(), lost()]), "BrokerUnreachable");
    }

    #[test]
    fn brokers_that_fail_in_turn_and_ever_longer_pauses_are_one_trouble() {
        let first = after(vec![lost("a", 1)]);
        let second = after(vec![lost("a", 1), lost("b", 40)]);
        assert_eq!(EventSource::of([first].iter()), EventSource::of([second].iter()));
    }

    #[test]
    fn a_link_that_was_lost_is_lost_until_it_stands_again() {
        let lost_again = after(vec![listening(&[]), lost("a", 1), LinkState::Connecting]);
        assert_eq!(reason(&[lost_again]), "BrokerUnreachable");
        let back = after(vec![lost("a", 1), LinkState::Connecting, listening(&[])]);
        assert_eq!(reason(&[back]), "Listening");
    }

    #[test]
    fn missing_exchanges_are_named_in_the_same_order() {
        let (a, b) = (
            after(vec![listening(&["nova", "neutron"])]),
            after(vec![listening(&["neutron", "nova"])]),
        );
        let of = |standing| EventSource::of([standing].iter());
        assert_eq!(of(a.clone()), of(b));
        let EventSource::Impaired(trouble) = of(a) else {
            panic!("not impaired")
        };
        assert!(
            trouble.message.contains("no exchange neutron, nova"),
            "{}",
            trouble.message
        );
    }
}
