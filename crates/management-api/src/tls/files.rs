//! From PEM files to what rustls takes. A pair that does not fit is an error here, not at the first handshake.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::{ExposeSecret, SecretSlice};
use tokio_rustls::rustls::{
    self, RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};

use super::{ClientAuth, TlsFiles};

/// Why certificates are of no use.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file.
    #[error("failed to read {path}")]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// What stands in a file.
    #[error("failed to use {path}: {reason}")]
    Content {
        /// Which one.
        path: PathBuf,
        /// Why, without the file's content.
        reason: String,
    },
    /// The certificate and the key, or the authorities, do not fit.
    #[error("failed to use the certificates")]
    Setup(#[from] rustls::Error),
    /// The client authorities.
    #[error("failed to use the client authorities")]
    Clients(#[from] rustls::server::VerifierBuilderError),
}

/// What the files say.
#[derive(Clone)]
pub(super) struct Read {
    chain: Vec<CertificateDer<'static>>,
    /// DER, its PEM text goes nowhere.
    key: Arc<SecretSlice<u8>>,
    pub client_ca: Vec<CertificateDer<'static>>,
}

impl PartialEq for Read {
    fn eq(&self, other: &Self) -> bool {
        self.chain == other.chain
            && self.client_ca == other.client_ca
            && self.key.expose_secret() == other.key.expose_secret()
    }
}

impl Read {
    pub fn all(files: &TlsFiles) -> Result<Self, TlsError> {
        let key = SecretSlice::from(bytes(&files.key)?);
        let key = PrivateKeyDer::from_pem_slice(key.expose_secret());
        let key = key.map_err(|_| content(&files.key, "there is no private key in PEM in it"))?;
        Ok(Self {
            chain: certificates(&files.certificate)?,
            key: Arc::new(SecretSlice::from(key.secret_der().to_vec())),
            client_ca: files
                .client_ca
                .as_deref()
                .map(certificates)
                .transpose()?
                .unwrap_or_default(),
        })
    }

    pub fn config(&self, files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
        let key = PrivateKeyDer::try_from(self.key.expose_secret().to_vec());
        let key = key.map_err(|reason| content(&files.key, reason))?;
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?;
        let builder = match &files.client_ca {
            Some(_) => builder.with_client_cert_verifier(self.clients(files.client_auth)?),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(self.chain.clone(), key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn clients(&self, auth: ClientAuth) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in &self.client_ca {
            roots.add(certificate.clone())?;
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        Ok(match auth {
            ClientAuth::Optional => builder.allow_unauthenticated().build()?,
            ClientAuth::Required => builder.build()?,
        })
    }

    pub fn not_after(&self) -> i64 {
        let parsed = self
            .chain
            .first()
            .and_then(|der| x509_parser::parse_x509_certificate(der).ok());
        parsed.map_or(0, |(_, certificate)| certificate.validity().not_after.timestamp())
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = bytes(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let found = found.map_err(|error| content(path, &error.to_string()))?;
    if found.is_empty() {
        return Err(content(path, "there is no certificate in PEM in it"));
    }
    Ok(found)
}

fn bytes(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

fn content(path: &Path, reason: &str) -> TlsError {
    TlsError::Content {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}
