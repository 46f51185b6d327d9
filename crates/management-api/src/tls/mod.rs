//! TLS: certificates from files that may change at any time, and who the clients are that show one.

mod files;
mod peer;

use std::{
    path::PathBuf,
    sync::{Arc, PoisonError, RwLock},
};

use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use tokio_util::sync::CancellationToken;

use files::Read;
pub use files::TlsError;
pub use peer::{CertificateName, Peer};

/// Where certificates come from, as PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The server's certificate, then those of the authorities between it and its root.
    pub certificate: PathBuf,
    /// Its private key (PKCS#8, PKCS#1 or SEC1).
    pub key: PathBuf,
    /// The authorities whose client certificates are believed; without them none is asked for.
    pub client_ca: Option<PathBuf>,
    /// Whether clients have to show a certificate.
    pub client_auth: ClientAuth,
}

/// Whether clients have to show a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ClientAuth {
    /// A token does as well; the kubelet's probes come in.
    #[default]
    Optional,
    /// Without one the handshake fails.
    Required,
}

/// The certificates in force.
#[derive(Clone)]
pub(crate) struct Tls(Arc<Inner>);

struct Inner {
    files: TlsFiles,
    current: RwLock<Current>,
}

#[derive(Clone)]
struct Current {
    read: Read,
    config: Arc<ServerConfig>,
    /// Ends what was believed because of other authorities.
    retired: CancellationToken,
}

impl Tls {
    /// Reads the files.
    pub fn read(files: TlsFiles) -> Result<Self, TlsError> {
        let read = Read::all(&files)?;
        let config = read.config(&files)?;
        let retired = CancellationToken::new();
        let current = RwLock::new(Current { read, config, retired });
        Ok(Self(Arc::new(Inner { files, current })))
    }

    /// Reads the files again; false if nothing has changed. On an error everything stays as it was.
    pub fn reload(&self) -> Result<bool, TlsError> {
        let read = Read::all(&self.0.files)?;
        let before = self.current();
        if read == before.read {
            return Ok(false);
        }
        let config = read.config(&self.0.files)?;
        let is_other_authority = read.client_ca != before.read.client_ca;
        let retired = if is_other_authority {
            CancellationToken::new()
        } else {
            before.retired.clone()
        };
        let current = Current { read, config, retired };
        *self.0.current.write().unwrap_or_else(PoisonError::into_inner) = current;
        if is_other_authority {
            before.retired.cancel();
        }
        Ok(true)
    }

    /// What the next handshake goes by, and what ends when other client authorities come into force.
    pub fn acceptor(&self) -> (TlsAcceptor, CancellationToken) {
        let current = self.current();
        (current.config.into(), current.retired)
    }

    /// When the server's certificate expires, in seconds since 1970.
    pub fn not_after(&self) -> i64 {
        self.current().read.not_after()
    }

    fn current(&self) -> Current {
        self.0.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.0.files)
            .finish_non_exhaustive()
    }
}
