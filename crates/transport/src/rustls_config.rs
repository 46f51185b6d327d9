//! The same options for what is TLS but not HTTP.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

use crate::{EndpointError, Tls};

impl Tls {
    /// How a client speaks TLS under these options. Reads the CA file and the system's roots, which takes milliseconds.
    pub fn client_config(&self) -> Result<ClientConfig, EndpointError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = self.verifier(&provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(EndpointError::Tls)?;
        Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth())
    }

    fn verifier(&self, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, EndpointError> {
        if self.insecure_skip_verify {
            return Ok(Arc::new(TrustsAnybody(provider.signature_verification_algorithms)));
        }
        let own = self.authorities()?;
        Verifier::new_with_extra_roots(own, Arc::clone(provider))
            .map(|verifier| Arc::new(verifier) as Arc<dyn ServerCertVerifier>)
            .map_err(EndpointError::Tls)
    }

    /// The certificates of `ca_file` and `ca_pem`.
    fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, EndpointError> {
        // Says what is wrong with either bundle.
        self.certificates()?;
        CertificateDer::pem_slice_iter(&self.bundle()?)
            .collect::<Result<_, _>>()
            .map_err(|_| EndpointError::ParseCaPem { source: None })
    }
}

/// Checks only that the server has the key of the certificate that it shows.
#[derive(Debug)]
struct TrustsAnybody(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for TrustsAnybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
