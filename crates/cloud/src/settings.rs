//! What a user may set about OpenStack, with the defaults.

use std::{num::NonZeroU32, time::Duration};

use multinic_transport::Endpoint;
use strum::{Display, EnumString, IntoStaticStr};
use url::Url;

use crate::retry::RetryPolicy;

/// Which of a service's addresses in the catalog is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Display, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Interface {
    /// For everybody.
    #[default]
    Public,
    /// For the cloud's own network.
    Internal,
    /// For administrators; few clouds still keep it apart.
    Admin,
}

/// How OpenStack is reached and how hard it may be asked.
#[derive(Clone, Debug)]
pub struct CloudSettings {
    /// Which addresses of the catalog are used.
    pub interface: Interface,
    /// The region; `None` means the only one in the catalog.
    pub region: Option<String>,
    /// The server metadata key whose value is the node name. With a key, servers are listed with details, which is
    /// several times as slow.
    pub node_name_metadata_key: Option<String>,
    /// Nova's address, instead of the catalog's.
    pub compute_endpoint: Option<Url>,
    /// Neutron's address, instead of the catalog's.
    pub network_endpoint: Option<Url>,
    /// For each service of each provider; as many may be sent at once.
    pub requests_per_second: NonZeroU32,
    /// Time-out and TLS of every request. The CA file is read at each login.
    pub endpoint: Endpoint,
    /// Items asked for in one page of Neutron.
    pub page_size: NonZeroU32,
    /// Pages of one listing after which the reading is given up.
    pub max_pages: u32,
    /// What is tried again, and for how long.
    pub retry: RetryPolicy,
    /// How long a rejected password is not tried again unless the credentials change.
    pub rejection_backoff: Duration,
}

impl Default for CloudSettings {
    fn default() -> Self {
        Self {
            interface: Interface::default(),
            region: None,
            node_name_metadata_key: None,
            compute_endpoint: None,
            network_endpoint: None,
            requests_per_second: NonZeroU32::MIN.saturating_add(9),
            endpoint: Endpoint::default(),
            page_size: NonZeroU32::MIN.saturating_add(999),
            max_pages: 200,
            retry: RetryPolicy::default(),
            rejection_backoff: Duration::from_mins(15),
        }
    }
}
