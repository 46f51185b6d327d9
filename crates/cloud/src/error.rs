//! Everything that can make a reading fail. Each variant knows where it happened, and most of them what to do.

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use jiff::Timestamp;
use multinic_model::ProjectId;
use multinic_transport::EndpointError;
use strum::{Display, IntoStaticStr};

use crate::{retry::Cause, settings::Interface};

/// A part of OpenStack.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Display, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Service {
    /// Keystone.
    Identity,
    /// Nova.
    Compute,
    /// Neutron.
    Network,
}

impl Service {
    /// What people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "Keystone",
            Self::Compute => "Nova",
            Self::Network => "Neutron",
        }
    }
}

/// Where a request went. Never with a query: it is long, and the path says enough.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Who was asked.
    pub service: Service,
    /// GET, or POST for a login.
    pub method: &'static str,
    /// Scheme, host and path.
    pub url: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.method, self.url, self.service.name())
    }
}

/// Why an OpenStack project could not be read.
#[derive(Clone, Debug, thiserror::Error, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum CloudError {
    /// The CA file of the settings cannot be used.
    #[error("failed to prepare the connection to OpenStack")]
    Endpoint(#[source] Arc<EndpointError>),
    /// Keystone refused to issue a token. Nothing is tried again until the credentials change or the back-off passes.
    #[error(
        "failed to log in at {auth_url} as {username:?} for project {project}: Keystone says {message:?} ({status})"
    )]
    Login {
        /// Keystone.
        auth_url: String,
        /// The user's name.
        username: String,
        /// The project the token was to be scoped to.
        project: ProjectId,
        /// 401 or 403.
        status: StatusCode,
        /// Keystone's words, the same for every cause.
        message: String,
    },
    /// These credentials were rejected before; nothing was sent, so that the account is not locked.
    #[error("failed to log in at {auth_url} as {username:?}: rejected at {since}, not tried again before {retry_at}")]
    RejectedEarlier {
        /// Keystone.
        auth_url: String,
        /// The user's name.
        username: String,
        /// When Keystone rejected them.
        since: Timestamp,
        /// When the next attempt is allowed.
        retry_at: Timestamp,
    },
    /// A token that was issued a moment ago is refused.
    #[error("failed to use a fresh token for {place}: {message:?}")]
    TokenRefused {
        /// Who refused it.
        place: Place,
        /// Its words.
        message: String,
    },
    /// Keystone scoped the token to something else than was asked for.
    #[error("failed to get a token for project {asked}: it is for {got}")]
    WrongProject {
        /// What was asked for.
        asked: ProjectId,
        /// What came, as Keystone gives it.
        got: String,
    },
    /// The chosen region does not have the service.
    #[error("failed to find {} in region {region:?}: the catalog has it in {}", service.name(), list(regions))]
    NoSuchRegion {
        /// The service.
        service: Service,
        /// The chosen region.
        region: String,
        /// The regions that have the service.
        regions: Vec<String>,
    },
    /// None is chosen and there are several.
    #[error("failed to choose a region for {}: the catalog has it in {}", service.name(), list(regions))]
    SeveralRegions {
        /// The service.
        service: Service,
        /// The regions that have the service.
        regions: Vec<String>,
    },
    /// The catalog has no usable address of the service.
    #[error("failed to find the {interface} endpoint of {} in the catalog: it has {}", service.name(), list(available))]
    NoEndpoint {
        /// The service.
        service: Service,
        /// The chosen interface.
        interface: Interface,
        /// The service's interfaces and regions, as in "internal in RegionOne".
        available: Vec<String>,
    },
    /// A service answered with an error.
    #[error("failed to ask {place}: {status}{}", said(message))]
    Status {
        /// Who answered.
        place: Place,
        /// Its status.
        status: StatusCode,
        /// OpenStack's words; empty when there are none (a 414 has no body).
        message: String,
        /// For the cloud's own logs. Not in the message: it would make each failure look new.
        request_id: Option<String>,
        /// What the server asked for and we could not wait for.
        retry_after: Option<Duration>,
    },
    /// No complete answer in time.
    #[error("failed to ask {place}: no answer within the time-out")]
    Timeout {
        /// Who was asked.
        place: Place,
        /// What the HTTP client said.
        source: Arc<reqwest::Error>,
    },
    /// Nobody there, or no TLS with them.
    #[error("failed to connect for {place}")]
    Connect {
        /// Who was asked.
        place: Place,
        /// What the HTTP client said.
        source: Arc<reqwest::Error>,
    },
    /// The connection broke off, again and again.
    #[error("failed to ask {place}: the connection broke")]
    Broken {
        /// Who was asked.
        place: Place,
        /// What the HTTP client said.
        source: Arc<reqwest::Error>,
    },
    /// An answer that ends too early.
    #[error("failed to read the answer of {place}: it is cut short")]
    Truncated {
        /// Who answered.
        place: Place,
        /// How much came.
        bytes: usize,
    },
    /// An answer that is not what the API promises.
    #[error("failed to understand the answer of {place}")]
    Body {
        /// Who answered.
        place: Place,
        /// What is wrong and where.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// Nova knows of a server but cannot describe it now (its cell is down), so nothing says what else is missing.
    #[error("failed to read all servers: Nova gives server {id} without a name (its cell does not answer)")]
    PartialAnswer {
        /// The server.
        id: String,
    },
    /// A listing whose next page is a page that was read before.
    #[error("failed to list {place}: page after {marker:?} comes twice")]
    PageLoop {
        /// The listing.
        place: Place,
        /// The marker.
        marker: String,
    },
    /// A link to a next page that cannot be followed.
    #[error("failed to list {place}: the link to the next page has no marker")]
    PageWithoutMarker {
        /// The listing.
        place: Place,
    },
    /// A listing without end.
    #[error("failed to list {place}: more than {max} pages")]
    TooManyPages {
        /// The listing.
        place: Place,
        /// The cap.
        max: u32,
    },
    /// Something inside the OpenStack library.
    #[error("failed to use the OpenStack session for {place}: {message}")]
    Session {
        /// What it was for.
        place: Place,
        /// The library's words.
        message: String,
    },
}

impl CloudError {
    /// A short, bounded name for metrics and conditions.
    pub fn category(&self) -> &'static str {
        self.into()
    }

    /// What to do about it, if that is known.
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Endpoint(_) => "check openstack.tls.caFile and openstack.tls.caSecret",
            Self::Login { .. } => {
                "Keystone gives this same answer for a wrong password, an unknown or disabled user, a wrong domain, a \
                 wrong project id and a missing role on the project: check adminId, adminPw and domain in Contrabass \
                 and spec.credentials.projectID"
            }
            Self::RejectedEarlier { .. } => {
                "correct the credentials in Contrabass; they are tried again as soon as they change"
            }
            Self::TokenRefused { .. } => {
                "the service cannot validate tokens of this Keystone: check that the catalog's endpoints and the \
                 Keystone URL belong to one cloud, and the clocks of the cloud's hosts"
            }
            Self::WrongProject { .. } => "check spec.credentials.projectID",
            Self::NoSuchRegion { .. } | Self::SeveralRegions { .. } => "set openstack.region to one of these",
            Self::NoEndpoint { .. } => {
                "set openstack.interface to one that is there, or the address itself in openstack.endpoints"
            }
            Self::Status { status, place, .. } => return status_hint(*status, place.service),
            Self::Timeout { .. } => "check openstack.timeout and the load of the cloud",
            Self::Connect { .. } => {
                "check that the address is reachable from here; another one can be chosen by openstack.interface or \
                 openstack.endpoints, a private CA by openstack.tls.caFile or .caSecret"
            }
            Self::Body { .. } => "check that the address is an OpenStack API and not a proxy's page",
            Self::PartialAnswer { .. } => "a Nova cell is down: wait for it, nothing is changed until then",
            _ => return None,
        })
    }
}

impl CloudError {
    /// Why the same request may well succeed a little later; `None` if it will not.
    pub(crate) fn cause(&self) -> Option<Cause> {
        match self {
            Self::Broken { .. } | Self::Truncated { .. } => Some(Cause::Broken),
            Self::Timeout { .. } | Self::Connect { .. } => Some(Cause::Silent),
            Self::Status {
                status, retry_after, ..
            } => matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504).then_some(Cause::Busy(*retry_after)),
            _ => None,
        }
    }
}

fn status_hint(status: StatusCode, service: Service) -> Option<&'static str> {
    Some(match (status.as_u16(), service) {
        (404, Service::Identity) => "check the Keystone URL in Contrabass",
        (403, _) => "the user lacks a role on the project: reader or admin is needed",
        (404, _) => "check openstack.endpoints and the catalog: this is not the API's address",
        (406, Service::Compute) => "Nova is older than microversion 2.69 (Stein, 2019), which is needed",
        (429, _) => "lower openstack.requestsPerSecond or raise the cloud's rate limit",
        (503, _) => "Keystone or the service itself is down",
        _ => return None,
    })
}

fn list(items: &[String]) -> String {
    if items.is_empty() {
        "none".to_owned()
    } else {
        items.join(", ")
    }
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(", {message:?}")
    }
}
