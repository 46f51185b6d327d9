//! What every client of multinic shares: time-outs, TLS; and for HTTP, bounded bodies and `Retry-After`.
//!
//! Contrabass and the management API are reached through [`Endpoint::client`]; OpenStack is reached through
//! `openstack_sdk`, which builds its own client from the same [`Endpoint`] options; RabbitMQ through [`Tls::client_config`].

mod api_client;
mod base_url;
mod body;
mod ca;
mod gate;
mod printable;
mod retry;
mod retry_after;
mod rustls_config;
mod send_error;
mod stream;
mod tally;

use std::{io, path::PathBuf, time::Duration};

use url::Url;

pub use api_client::{Answer, ApiClient};
pub use base_url::{BaseUrl, BaseUrlError};
pub use body::{BodyError, read_body};
pub use ca::{CaFile, Pem};
pub use gate::{AlwaysOpen, Gate};
pub use printable::{error_detail, printable};
pub use retry::{Pause, Pauses, RetryPolicy};
pub use retry_after::retry_after;
pub use send_error::{SendError, SendErrorKind};
pub use stream::{Opened, Stream};
pub use tally::Tally;

/// How an endpoint is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// For one whole request, connecting and body included.
    pub timeout: Duration,
    /// How its certificate is checked.
    pub tls: Tls,
}

/// How a server's certificate is checked. The default trusts the system's roots only.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tls {
    /// A PEM bundle, trusted in addition to the system's roots.
    pub ca_file: Option<PathBuf>,
    /// The same, where the bundle is no file; trusted in addition to `ca_file`.
    pub ca_pem: Option<Pem>,
    /// Checks nothing. For one endpoint, only when its setting says so.
    pub insecure_skip_verify: bool,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(30),
            tls: Tls::default(),
        }
    }
}

/// Why no client could be built.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The bundle is missing or unreadable.
    #[error("failed to read the CA file {}", path.display())]
    ReadCaFile {
        /// The setting's value.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bundle is not PEM.
    #[error("failed to read certificates from the CA file {}: expected PEM", path.display())]
    ParseCaFile {
        /// The setting's value.
        path: PathBuf,
        /// What was wrong.
        source: Option<reqwest::Error>,
    },
    /// The bundle that is no file is not PEM.
    #[error("failed to read certificates from the CA bundle of caSecret: expected PEM")]
    ParseCaPem {
        /// What was wrong.
        source: Option<reqwest::Error>,
    },
    /// A library wants the bundle as a file, and none can be written.
    #[error("failed to write a CA file below the folder for temporary files")]
    WriteCaFile(#[source] io::Error),
    /// The TLS library refused.
    #[error("failed to build the HTTP client")]
    Build(#[source] reqwest::Error),
    /// The TLS library refused, where it is used without HTTP.
    #[error("failed to set up TLS")]
    Tls(#[source] rustls::Error),
    /// The address is of no use.
    #[error("failed to use the address")]
    Address(#[source] BaseUrlError),
    /// The token cannot stand in a header.
    #[error("failed to use the token: expected visible ASCII characters, at least one")]
    Token,
}

/// How long a TCP connection and its TLS handshake may take, at most; the whole request has [`Endpoint::timeout`].
///
/// A [`Gate`] that closes meanwhile is noticed when the connection is there. Five seconds lie between the closing of a
/// leader's fence and the earliest moment at which another may lead, so even what was written just before has arrived.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

impl Endpoint {
    /// Builds the client. It follows no redirects (a redirected POST would lose its body, and a bearer token must not
    /// travel to another host) and keeps idle connections for 30 seconds.
    ///
    /// `address` decides whether the system's certificates are read, which takes milliseconds: a client that follows
    /// no redirects from `http://` never needs them.
    pub fn client(&self, address: &Url) -> Result<reqwest::Client, EndpointError> {
        let mut builder = reqwest::Client::builder()
            .timeout(self.timeout)
            .connect_timeout(self.timeout.min(CONNECT_TIMEOUT))
            .pool_idle_timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("multinic/", env!("CARGO_PKG_VERSION")))
            .tls_danger_accept_invalid_certs(self.tls.insecure_skip_verify);
        for certificate in self.tls.certificates()? {
            builder = builder.add_root_certificate(certificate);
        }
        if address.scheme() == "http" {
            builder = builder.tls_certs_only([]);
        }
        builder.build().map_err(EndpointError::Build)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_empty_ca_file_is_an_error_that_names_it() {
        for path in ["/nonexistent/ca.pem", "/dev/null"] {
            let tls = Tls {
                ca_file: Some(path.into()),
                ..Tls::default()
            };
            let error = tls.certificates().unwrap_err().to_string();
            assert!(error.contains(path), "{error}");
        }
    }
}
