//! Which brokers announce what changes at a provider, and how they are listened to.
//!
//! RabbitMQ only accelerates (rule 8): nothing that is wrong here touches a pass.

use std::collections::{BTreeMap, BTreeSet};

use multinic_contrabass::{ContrabassError, EnvelopeError};
use multinic_model::{Broker, ProviderId};
use multinic_notifications::{Binding, LinkPace, LinkSettings, QueueSettings};
use multinic_transport::Tls;
use secrecy::SecretString;

use crate::{
    Connections,
    settings::{RabbitmqEnabled, RabbitmqSection},
};

/// The settings below `rabbitmq`, with what their references name.
pub(crate) struct Notifications {
    pub(crate) section: RabbitmqSection,
    pub(crate) password: Option<SecretString>,
    pub(crate) tls: Tls,
}

/// Why it is not known how a provider's notifications are reached. Nothing else suffers from it.
#[derive(Debug, thiserror::Error)]
pub enum LinksError {
    /// The provider's entry could not be read.
    #[error("failed to look up the provider's RabbitMQ at Contrabass")]
    Contrabass(#[source] ContrabassError),
    /// `rabbitmq.enabled: true`, and nobody names a broker.
    #[error("failed to find a RabbitMQ of the provider {provider}: neither the settings nor Contrabass name one")]
    NoBroker {
        /// Which one.
        provider: ProviderId,
    },
    /// `rabbitMQPw` could not be decrypted.
    #[error("failed to decrypt the provider's rabbitMQPw")]
    Password(#[source] EnvelopeError),
}

impl LinksError {
    /// A bounded word for metrics and conditions.
    pub fn category(&self) -> &'static str {
        match self {
            Self::Contrabass(error) => error.category(),
            Self::NoBroker { .. } => "no-broker",
            Self::Password(error) => error.category(),
        }
    }

    /// What to do about it, as one line.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Contrabass(error) => error.hint(),
            Self::NoBroker { .. } => {
                "set rabbitmq.brokers, user and password, or add rabbitMQUrls, rabbitMQId and rabbitMQPw to the provider's \
                 entry in Contrabass; with `rabbitmq.enabled: auto`, a provider without is polled"
            }
            Self::Password(error) => error.hint(),
        }
    }
}

/// Where a provider's notifications are, and as whom they are read.
struct Account {
    brokers: Vec<Broker>,
    user: String,
    password: SecretString,
}

impl Connections {
    /// How the notifications of `provider` are listened to: one link for each virtual host, in the order of their names;
    /// empty if they are switched off or nobody knows a broker. `installation` makes the queue's name one's own.
    ///
    /// Asks Contrabass, unless the settings name the broker.
    pub async fn links(&self, provider: &ProviderId, installation: &str) -> Result<Vec<LinkSettings>, LinksError> {
        let account = match self.notifications.section.enabled {
            RabbitmqEnabled::Never => None,
            RabbitmqEnabled::Auto => self.broker_account(provider).await?,
            RabbitmqEnabled::Always => {
                let account = self.broker_account(provider).await?;
                Some(account.ok_or_else(|| LinksError::NoBroker {
                    provider: provider.clone(),
                })?)
            }
        };
        Ok(account.map_or_else(Vec::new, |account| {
            self.notifications.links(&account, provider, installation)
        }))
    }

    async fn broker_account(&self, provider: &ProviderId) -> Result<Option<Account>, LinksError> {
        if let Some(account) = self.notifications.own_account() {
            return Ok(Some(account));
        }
        let entry = self
            .contrabass
            .provider(provider)
            .await
            .map_err(LinksError::Contrabass)?;
        let Some(rabbitmq) = entry.rabbitmq else {
            return Ok(None);
        };
        let opened = self.envelope.open(&rabbitmq.password).map_err(LinksError::Password)?;
        Ok(Some(Account {
            brokers: rabbitmq.brokers,
            user: rabbitmq.user,
            password: opened.text,
        }))
    }
}

impl Notifications {
    fn own_account(&self) -> Option<Account> {
        Some(Account {
            brokers: self.section.brokers.clone(),
            user: self.section.user.clone(),
            password: self.password.clone()?,
        })
    }

    fn links(&self, account: &Account, provider: &ProviderId, installation: &str) -> Vec<LinkSettings> {
        let mut bindings: BTreeMap<&str, BTreeSet<Binding>> = BTreeMap::new();
        for section in &self.section.bindings {
            let vhost = section.vhost.as_deref().unwrap_or(&self.section.vhost);
            bindings.entry(vhost).or_default().extend(section.bindings());
        }
        let queue = self.queue(provider, installation);
        let link = |(vhost, bindings): (&str, BTreeSet<Binding>)| LinkSettings {
            brokers: self.with_tls(&account.brokers),
            vhost: vhost.to_owned(),
            user: account.user.clone(),
            password: account.password.clone(),
            tls: self.tls.clone(),
            connection_name: queue.name.clone(),
            heartbeat: self.section.heartbeat.duration(),
            queue: queue.clone(),
            bindings: bindings.into_iter().collect(),
            prefetch: self.section.prefetch,
            pace: LinkPace::default(),
        };
        bindings.into_iter().map(link).collect()
    }

    fn queue(&self, provider: &ProviderId, installation: &str) -> QueueSettings {
        let queue = &self.section.queue;
        let name = if queue.name.is_empty() {
            format!("multinic.{installation}.{provider}")
        } else {
            format!("{}.{provider}", queue.name)
        };
        QueueSettings {
            name,
            kind: queue.kind.into(),
            max_length: queue.max_length,
            message_ttl: queue.message_ttl.duration(),
            expires: queue.expires.duration(),
        }
    }

    fn with_tls(&self, brokers: &[Broker]) -> Vec<Broker> {
        let mut brokers = brokers.to_vec();
        if self.section.tls.required {
            for broker in &mut brokers {
                broker.tls = true;
            }
        }
        brokers
    }
}
