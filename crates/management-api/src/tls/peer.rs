//! Who a client is by its certificate, once the handshake has verified it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;
use tokio_rustls::rustls::{ServerConnection, pki_types::CertificateDer};
use tokio_util::sync::CancellationToken;
use x509_parser::{extensions::GeneralName, prelude::X509Certificate};

/// A name that a certificate gives its owner.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CertificateName {
    /// The subject's common name; of a certificate with several of them, none.
    CommonName(String),
    /// A DNS name among the subject's alternative names.
    DnsName(String),
    /// A URI among the subject's alternative names, such as a SPIFFE id.
    Uri(String),
}

/// A client that showed a certificate of one of our client authorities.
#[derive(Clone, Debug)]
pub struct Peer {
    names: BTreeSet<CertificateName>,
    not_after: i64,
    retired: CancellationToken,
}

impl Peer {
    /// The client of a finished handshake; `None` if it showed no certificate.
    pub(crate) fn of(connection: &ServerConnection, retired: CancellationToken) -> Option<Self> {
        let shown = connection.peer_certificates()?.first()?;
        Self::read(shown, retired)
    }

    fn read(certificate: &CertificateDer<'_>, retired: CancellationToken) -> Option<Self> {
        let (_, certificate) = x509_parser::parse_x509_certificate(certificate).ok()?;
        Some(Self {
            names: names(&certificate),
            not_after: certificate.validity().not_after.timestamp(),
            retired,
        })
    }

    /// What its certificate calls it.
    pub const fn names(&self) -> &BTreeSet<CertificateName> {
        &self.names
    }

    /// Whether the certificate is still good: not expired, and its authority still one of ours. The handshake alone
    /// would say so for as long as the connection lasts.
    pub fn is_current(&self, now: Timestamp) -> bool {
        now.as_second() <= self.not_after && !self.retired.is_cancelled()
    }

    /// Until its authority is no longer one of ours.
    pub(crate) async fn retired(&self) {
        self.retired.cancelled().await;
    }
}

fn names(certificate: &X509Certificate<'_>) -> BTreeSet<CertificateName> {
    let mut names = BTreeSet::new();
    let common: Vec<_> = certificate.subject().iter_common_name().collect();
    if let [common] = common.as_slice()
        && let Ok(name) = common.as_str()
    {
        names.insert(CertificateName::CommonName(name.to_owned()));
    }
    if let Ok(Some(alternative)) = certificate.subject_alternative_name() {
        for name in &alternative.value.general_names {
            match name {
                GeneralName::DNSName(name) => names.insert(CertificateName::DnsName((*name).to_owned())),
                GeneralName::URI(uri) => names.insert(CertificateName::Uri((*uri).to_owned())),
                _ => false,
            };
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn peer(common_names: &[&str], retired: &CancellationToken) -> Peer {
        let mut params = CertificateParams::new(["a.example.com".to_owned()]).unwrap();
        params.distinguished_name.remove(DnType::CommonName);
        for name in common_names {
            params.distinguished_name.push(DnType::CommonName, *name);
        }
        params.not_after = date_time_ymd(2030, 1, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Peer::read(certificate.der(), retired.clone()).unwrap()
    }

    #[test]
    fn a_certificate_is_good_until_it_expires_or_its_authority_goes() {
        let retired = CancellationToken::new();
        let peer = peer(&["console"], &retired);
        assert!(peer.is_current("2029-12-31T23:59:59Z".parse().unwrap()));
        assert!(!peer.is_current("2030-01-01T00:00:01Z".parse().unwrap()));
        retired.cancel();
        assert!(!peer.is_current("2029-12-31T23:59:59Z".parse().unwrap()));
    }

    #[test]
    fn bytes_that_are_no_certificate_name_nobody() {
        let bytes = CertificateDer::from(vec![0x30, 0x82, 0xff, 0xff, 0x00]);
        assert!(Peer::read(&bytes, CancellationToken::new()).is_none());
    }
}
