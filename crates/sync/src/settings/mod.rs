//! The controller-level settings (design section 6): one YAML text, checked as a whole.
//!
//! [`Settings::parse`] is the only way in. An unknown key or a bad value is an error that names the path, what was
//! found and what is allowed; a value of [`Settings`] is therefore usable as it is. Secrets are named here, never held:
//! [`SecretRef`] says where each one lies.

mod parse;
mod rabbitmq;
mod secret_ref;
mod values;

use std::{collections::BTreeSet, num::NonZeroU32, num::NonZeroUsize, time::Duration};

use multinic_contrabass::ProviderPath;
use multinic_model::inventory::PortStatus;
use serde::Deserialize;

pub use parse::SettingsError;
pub use rabbitmq::{BindingSection, QueueKindName, QueueSection, RabbitmqEnabled, RabbitmqSection, RabbitmqTlsSection};
pub use secret_ref::{LocalSecrets, SecretError, SecretRef, Secrets};
pub use values::{HttpUrl, Span};
use values::{endpoint_override, port_statuses, provider_path};

/// Everything that can be set.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// Where the clouds' credentials come from.
    pub contrabass: ContrabassSection,
    /// How OpenStack is read.
    #[serde(default)]
    pub openstack: OpenstackSection,
    /// Where node configs go. `plan` and `doctor` do without; `sync` does not.
    #[serde(default)]
    pub management_api: Option<ManagementApiSection>,
    /// When and how passes are made.
    #[serde(default)]
    pub sync: SyncSection,
    /// Notifications; read by the operator only.
    #[serde(default)]
    pub rabbitmq: RabbitmqSection,
}

/// `contrabass:`
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContrabassSection {
    /// Base URL.
    pub endpoint: HttpUrl,
    /// Path of one provider, with `{id}` once.
    #[serde(default, deserialize_with = "provider_path")]
    pub provider_path: ProviderPath,
    /// Bearer token.
    #[serde(default)]
    pub token: Option<SecretRef>,
    /// How `adminPw` is decrypted.
    pub password: PasswordSection,
    /// For one whole request.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// How its certificate is checked.
    #[serde(default)]
    pub tls: TlsSection,
}

/// `contrabass.password:`
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PasswordSection {
    /// The passphrase or raw key.
    pub key: SecretRef,
    /// `auto`, `aes-128-cbc` or `aes-256-cbc`.
    #[serde(default)]
    pub cipher: CipherName,
    /// `auto`, `md5`, `sha256` or `pbkdf2-sha256`.
    #[serde(default)]
    pub digest: DigestName,
    /// Rounds of `pbkdf2-sha256`; not used by the others.
    #[serde(default)]
    pub iterations: Option<NonZeroU32>,
}

/// The block cipher, by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum CipherName {
    /// Both are tried.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// 128-bit key.
    #[serde(rename = "aes-128-cbc")]
    Aes128Cbc,
    /// 256-bit key: CryptoJS with a passphrase.
    #[serde(rename = "aes-256-cbc")]
    Aes256Cbc,
}

/// The key derivation's digest, by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum DigestName {
    /// md5 and sha256 are tried.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// CryptoJS, OpenSSL before 1.1.
    #[serde(rename = "md5")]
    Md5,
    /// OpenSSL from 1.1.
    #[serde(rename = "sha256")]
    Sha256,
    /// `openssl enc -pbkdf2`.
    #[serde(rename = "pbkdf2-sha256")]
    Pbkdf2Sha256,
}

/// `openstack:`
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OpenstackSection {
    /// Which catalog interface: `public`, `internal` or `admin`.
    pub interface: InterfaceName,
    /// Empty: the only one in the catalog.
    pub region: String,
    /// Empty: node names are server names.
    pub node_name_metadata_key: String,
    /// Which *new* ports are taken up.
    #[serde(deserialize_with = "port_statuses")]
    pub port_statuses: BTreeSet<PortStatus>,
    /// Overrides of the catalog.
    pub endpoints: EndpointsSection,
    /// Requests per second and endpoint, on average.
    pub requests_per_second: NonZeroU32,
    /// For one whole request.
    pub timeout: Option<Span>,
    /// How its certificates are checked.
    pub tls: TlsSection,
}

impl Default for OpenstackSection {
    fn default() -> Self {
        Self {
            interface: InterfaceName::default(),
            region: String::new(),
            node_name_metadata_key: String::new(),
            port_statuses: BTreeSet::from([PortStatus::Active, PortStatus::Down, PortStatus::Build]),
            endpoints: EndpointsSection::default(),
            requests_per_second: NonZeroU32::MIN.saturating_add(9),
            timeout: None,
            tls: TlsSection::default(),
        }
    }
}

/// `openstack.interface`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InterfaceName {
    /// For everybody.
    #[default]
    Public,
    /// For the cloud's own services.
    Internal,
    /// For administrators.
    Admin,
}

/// `openstack.endpoints:`
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EndpointsSection {
    /// Neutron's URL; empty: from the catalog.
    #[serde(deserialize_with = "endpoint_override")]
    pub network: Option<HttpUrl>,
    /// Nova's URL; empty: from the catalog.
    #[serde(deserialize_with = "endpoint_override")]
    pub compute: Option<HttpUrl>,
}

/// `managementApi:`
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManagementApiSection {
    /// Base URL.
    pub endpoint: HttpUrl,
    /// Bearer token.
    #[serde(default)]
    pub token: Option<SecretRef>,
    /// Nodes per POST.
    #[serde(default)]
    pub batch_size: Option<NonZeroUsize>,
    /// `auto` or `required`.
    #[serde(default)]
    pub read_back: ReadBackName,
    /// For one whole request.
    #[serde(default)]
    pub timeout: Option<Span>,
    /// How its certificate is checked.
    #[serde(default)]
    pub tls: TlsSection,
}

/// `managementApi.readBack`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReadBackName {
    /// A server that never answered a GET is taken for one that has none.
    #[default]
    Auto,
    /// A server without GET is an error.
    Required,
}

/// `sync:`
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SyncSection {
    /// Between two passes of the operator; from a second to a day.
    pub interval: Span,
    /// Complete readings that must agree before a removal seen by reading alone is delivered.
    pub removal_confirmations: NonZeroU32,
    /// The same for a removal of more than half of a cluster's interfaces; absent: never by itself.
    pub held_removal_confirmations: Option<NonZeroU32>,
    /// Between the readings of one `sync`.
    pub confirmation_pause: Span,
    /// So long a deleted config waits for the management API; then it goes, and what it leaves behind is queued.
    pub deletion_timeout: Span,
}

impl Default for SyncSection {
    fn default() -> Self {
        Self {
            interval: Span(Duration::from_mins(5)),
            removal_confirmations: NonZeroU32::MIN.saturating_add(1),
            held_removal_confirmations: None,
            confirmation_pause: Span(Duration::from_secs(5)),
            deletion_timeout: Span(Duration::from_mins(10)),
        }
    }
}

/// `tls:` of an endpoint.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TlsSection {
    /// A PEM bundle, trusted in addition to the system's roots.
    pub ca_file: Option<std::path::PathBuf>,
    /// The same from a Kubernetes Secret.
    pub ca_secret: Option<SecretRef>,
    /// Checks nothing.
    pub insecure_skip_verify: bool,
}
