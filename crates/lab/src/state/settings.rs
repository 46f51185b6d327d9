//! Switches of the installation, and what Contrabass knows about it.

use std::time::Duration;

/// One provider as Contrabass has it.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    /// `attributes.adminId`.
    pub admin_id: String,
    /// `attributes.adminPw`: an envelope, not the password.
    pub admin_pw: String,
    /// `attributes.domain`.
    pub domain: String,
    /// `url`; the lab's own Keystone if `None`.
    pub url: Option<String>,
    /// `rabbitMQId`, `rabbitMQPw` (encrypted alike), `rabbitMQUrls`.
    pub rabbit: Option<(String, String, Vec<String>)>,
}

/// One changed line of the catalog.
#[derive(Clone, Debug)]
pub(crate) struct CatalogOverride {
    /// `compute`, `network`, `identity`, …
    pub service_type: String,
    /// `public`, `internal`, `admin`.
    pub interface: String,
    /// `RegionOne`, …
    pub region: String,
    /// `None` takes the line out.
    pub url: Option<String>,
}

/// Switches.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Contrabass asks for this bearer token.
    pub contrabass_token: Option<String>,
    /// How long a Keystone token lives.
    pub token_ttl: Duration,
    /// Nova's `max_limit`.
    pub nova_max_limit: usize,
    /// Keystone answers 503, and so do services that have to ask it.
    pub keystone_down: bool,
    /// Regions in the catalog, in order.
    pub regions: Vec<String>,
    /// Changed lines of the catalog; the last one that fits wins.
    pub catalog: Vec<CatalogOverride>,
    /// Keystone and Nova speak as under Debian's uWSGI; otherwise with lengths and kept connections.
    pub uwsgi: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            contrabass_token: None,
            token_ttl: Duration::from_hours(1),
            nova_max_limit: 1000,
            keystone_down: false,
            regions: vec!["RegionOne".to_owned()],
            catalog: Vec::new(),
            uwsgi: true,
        }
    }
}
