//! The outside world of a pass, built once from the settings: Contrabass, the clouds, the management API.

use std::{
    collections::BTreeMap,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use multinic_cloud::{Cloud, CloudSettings, Interface, Service};
use multinic_contrabass::{Cipher, Contrabass, ContrabassError, ContrabassSettings, Digest, EnvelopeSettings};
use multinic_delivery::{DeliveryError, ManagementApi, ManagementApiSettings, ReadBack};
use multinic_transport::{Endpoint, Pem, RetryPolicy, Tls};
use secrecy::ExposeSecret;

use crate::{
    links::Notifications,
    settings::{
        CipherName, ContrabassSection, DigestName, InterfaceName, ManagementApiSection, OpenstackSection,
        PasswordSection, RabbitmqSection, ReadBackName, SecretError, SecretRef, Secrets, Settings, Span, TlsSection,
    },
};

/// Clients for everything a pass talks to. Kept over many passes: sessions and connections are reused.
pub struct Connections {
    pub(crate) contrabass: Contrabass,
    pub(crate) envelope: EnvelopeSettings,
    pub(crate) cloud: Cloud,
    pub(crate) management_api: Option<ManagementApi>,
    pub(crate) notifications: Notifications,
    pub(crate) readings: ReadingsMade,
}

/// How many readings were made for [`Readings`](crate::Readings).
#[derive(Default)]
pub(crate) struct ReadingsMade {
    pub whole: AtomicU64,
    pub parts: AtomicU64,
}

/// How a pass asks, where the settings have no word for it: what is tried again, and how much is asked for at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// Attempts and pauses of each request to Contrabass.
    pub contrabass: RetryPolicy,
    /// What of Keystone, Nova and Neutron is tried again, and for how long.
    pub openstack: multinic_cloud::RetryPolicy,
    /// Attempts and pauses of each request to the management API.
    pub management_api: RetryPolicy,
    /// Items in one page of Neutron.
    pub page_size: NonZeroU32,
}

impl Default for Pace {
    fn default() -> Self {
        let cloud = CloudSettings::default();
        Self {
            contrabass: RetryPolicy::default(),
            openstack: cloud.retry,
            management_api: RetryPolicy::default(),
            page_size: cloud.page_size,
        }
    }
}

/// Why the settings cannot be turned into connections. Every variant names the section.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionsError {
    /// A secret that a setting refers to.
    #[error("failed to use the setting {setting}")]
    Secret {
        /// Its path.
        setting: &'static str,
        /// What is wrong with it.
        source: SecretError,
    },
    /// `caSecret` outside Kubernetes.
    #[error("failed to use the setting {setting}.tls.caSecret: use caFile outside Kubernetes")]
    CaSecret {
        /// The section.
        setting: &'static str,
    },
    /// `contrabass:`
    #[error("failed to use the settings below contrabass")]
    Contrabass(#[source] ContrabassError),
    /// `managementApi:`
    #[error("failed to use the settings below managementApi")]
    ManagementApi(#[source] DeliveryError),
}

impl Connections {
    /// Builds the clients; reads secrets and CA files, sends nothing.
    pub fn new(settings: &Settings, secrets: &dyn Secrets) -> Result<Self, ConnectionsError> {
        Self::with_pace(settings, secrets, &Pace::default())
    }

    /// Like [`Connections::new`], at another pace than the default one.
    pub fn with_pace(settings: &Settings, secrets: &dyn Secrets, pace: &Pace) -> Result<Self, ConnectionsError> {
        let management_api = match &settings.management_api {
            Some(section) => Some(management_api(section, secrets, pace.management_api)?),
            None => None,
        };
        Ok(Self {
            contrabass: contrabass(&settings.contrabass, secrets)?.with_retry(pace.contrabass),
            envelope: envelope(&settings.contrabass.password, secrets)?,
            cloud: Cloud::new(CloudSettings {
                retry: pace.openstack,
                page_size: pace.page_size,
                ..cloud_settings(&settings.openstack, secrets)?
            }),
            management_api,
            notifications: notifications(&settings.rabbitmq, secrets)?,
            readings: ReadingsMade::default(),
        })
    }

    /// What was asked and answered so far, for metrics.
    pub fn counts(&self) -> Counts {
        let openstack = self.cloud.requests();
        let mut counts = Counts {
            requests: BTreeMap::new(),
            budget_waits: openstack.waits,
            budget_waited: openstack.waited,
            whole_readings: self.readings.whole.load(Relaxed),
            part_readings: self.readings.parts.load(Relaxed),
        };
        counts.add("contrabass", self.contrabass.answers());
        counts.add(
            "management-api",
            self.management_api.iter().flat_map(ManagementApi::answers),
        );
        let named = |((service, class), count)| ((openstack_name(service), class), count);
        counts.requests.extend(openstack.sent.into_iter().map(named));
        counts
    }

    /// HTTP requests sent so far.
    pub fn requests(&self) -> Requests {
        Requests {
            contrabass: self.contrabass.requests(),
            openstack: self.cloud.requests().total(),
            management_api: self.management_api.as_ref().map_or(0, ManagementApi::requests),
        }
    }
}

/// Everything that is worth a metric. Only grows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Requests that are over, by service (`contrabass`, `keystone`, `nova`, `neutron`, `management-api`) and class of
    /// answer (`2xx`, `3xx`, `4xx`, `5xx`, or `none` when no complete answer came); retries included.
    pub requests: BTreeMap<(&'static str, &'static str), u64>,
    /// How many requests to OpenStack had to wait for their turn in the budget.
    pub budget_waits: u64,
    /// How long they waited, in all.
    pub budget_waited: Duration,
    /// Shared readings of everything that is wanted of a project.
    pub whole_readings: u64,
    /// Shared readings of what was hinted at.
    pub part_readings: u64,
}

/// How many HTTP requests were sent, retries included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Requests {
    /// To Contrabass.
    pub contrabass: u64,
    /// To Keystone, Nova and Neutron.
    pub openstack: u64,
    /// To the management API.
    pub management_api: u64,
}

impl Counts {
    fn add(&mut self, service: &'static str, answers: impl IntoIterator<Item = (&'static str, u64)>) {
        let named = answers.into_iter().map(|(class, count)| ((service, class), count));
        self.requests.extend(named);
    }
}

fn openstack_name(service: Service) -> &'static str {
    match service {
        Service::Identity => "keystone",
        Service::Compute => "nova",
        Service::Network => "neutron",
    }
}

fn contrabass(section: &ContrabassSection, secrets: &dyn Secrets) -> Result<Contrabass, ConnectionsError> {
    Contrabass::new(ContrabassSettings {
        endpoint: section.endpoint.url().clone(),
        provider_path: section.provider_path.clone(),
        token: section
            .token
            .as_ref()
            .map(|token| fetch(secrets, "contrabass.token", token))
            .transpose()?,
        transport: endpoint(secrets, &CONTRABASS, section.timeout, &section.tls)?,
    })
    .map_err(ConnectionsError::Contrabass)
}

fn envelope(section: &PasswordSection, secrets: &dyn Secrets) -> Result<EnvelopeSettings, ConnectionsError> {
    let digest = match section.digest {
        DigestName::Auto => Digest::Auto,
        DigestName::Md5 => Digest::Md5,
        DigestName::Sha256 => Digest::Sha256,
        DigestName::Pbkdf2Sha256 => Digest::Pbkdf2Sha256 {
            iterations: section.iterations.unwrap_or(Digest::DEFAULT_ITERATIONS),
        },
    };
    let cipher = match section.cipher {
        CipherName::Auto => Cipher::Auto,
        CipherName::Aes128Cbc => Cipher::Aes128Cbc,
        CipherName::Aes256Cbc => Cipher::Aes256Cbc,
    };
    let key = fetch(secrets, "contrabass.password.key", &section.key)?;
    Ok(EnvelopeSettings { key, cipher, digest })
}

fn management_api(
    section: &ManagementApiSection,
    secrets: &dyn Secrets,
    retry: RetryPolicy,
) -> Result<ManagementApi, ConnectionsError> {
    let defaults = ManagementApiSettings::new(section.endpoint.url().clone());
    ManagementApi::new(ManagementApiSettings {
        token: section
            .token
            .as_ref()
            .map(|token| fetch(secrets, "managementApi.token", token))
            .transpose()?,
        transport: endpoint(secrets, &MANAGEMENT_API, section.timeout, &section.tls)?,
        batch_size: section.batch_size.unwrap_or(defaults.batch_size),
        retry,
        read_back: match section.read_back {
            ReadBackName::Auto => ReadBack::Auto,
            ReadBackName::Required => ReadBack::Required,
        },
        ..defaults
    })
    .map_err(ConnectionsError::ManagementApi)
}

fn cloud_settings(section: &OpenstackSection, secrets: &dyn Secrets) -> Result<CloudSettings, ConnectionsError> {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(CloudSettings {
        interface: match section.interface {
            InterfaceName::Public => Interface::Public,
            InterfaceName::Internal => Interface::Internal,
            InterfaceName::Admin => Interface::Admin,
        },
        region: given(&section.region),
        node_name_metadata_key: given(&section.node_name_metadata_key),
        compute_endpoint: section.endpoints.compute.as_ref().map(|url| url.url().clone()),
        network_endpoint: section.endpoints.network.as_ref().map(|url| url.url().clone()),
        requests_per_second: section.requests_per_second,
        endpoint: endpoint(secrets, &OPENSTACK, section.timeout, &section.tls)?,
        ..CloudSettings::default()
    })
}

fn notifications(section: &RabbitmqSection, secrets: &dyn Secrets) -> Result<Notifications, ConnectionsError> {
    let password = section.password.as_ref();
    Ok(Notifications {
        password: password
            .map(|reference| fetch(secrets, "rabbitmq.password", reference))
            .transpose()?,
        tls: checks(secrets, &RABBITMQ, &section.tls.checks())?,
        section: section.clone(),
    })
}

/// A section that describes an endpoint.
struct Section {
    name: &'static str,
    ca_secret: &'static str,
}

const CONTRABASS: Section = Section {
    name: "contrabass",
    ca_secret: "contrabass.tls.caSecret",
};
const OPENSTACK: Section = Section {
    name: "openstack",
    ca_secret: "openstack.tls.caSecret",
};
const MANAGEMENT_API: Section = Section {
    name: "managementApi",
    ca_secret: "managementApi.tls.caSecret",
};
const RABBITMQ: Section = Section {
    name: "rabbitmq",
    ca_secret: "rabbitmq.tls.caSecret",
};

fn endpoint(
    secrets: &dyn Secrets,
    section: &Section,
    timeout: Option<Span>,
    tls: &TlsSection,
) -> Result<Endpoint, ConnectionsError> {
    Ok(Endpoint {
        timeout: timeout.map_or_else(|| Endpoint::default().timeout, Span::duration),
        tls: checks(secrets, section, tls)?,
    })
}

fn checks(secrets: &dyn Secrets, section: &Section, tls: &TlsSection) -> Result<Tls, ConnectionsError> {
    let ca_secret = tls.ca_secret.as_ref();
    Ok(Tls {
        ca_file: tls.ca_file.clone(),
        ca_pem: ca_secret.map(|secret| ca_pem(secrets, section, secret)).transpose()?,
        insecure_skip_verify: tls.insecure_skip_verify,
    })
}

fn ca_pem(secrets: &dyn Secrets, section: &Section, reference: &SecretRef) -> Result<Pem, ConnectionsError> {
    match fetch(secrets, section.ca_secret, reference) {
        Ok(pem) => Ok(Pem::new(pem.expose_secret().as_bytes())),
        Err(ConnectionsError::Secret {
            source: SecretError::NoKubernetes(_),
            ..
        }) => Err(ConnectionsError::CaSecret { setting: section.name }),
        Err(error) => Err(error),
    }
}

fn fetch(
    secrets: &dyn Secrets,
    setting: &'static str,
    reference: &SecretRef,
) -> Result<secrecy::SecretString, ConnectionsError> {
    secrets
        .fetch(reference)
        .map_err(|source| ConnectionsError::Secret { setting, source })
}
