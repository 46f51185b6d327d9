//! TLS against a real handshake: whom we trust, and what the error says when we do not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{io::Write, net::SocketAddr, num::NonZeroU32, sync::Arc};

use multinic_transport::{ApiClient, Endpoint, Pem, RetryPolicy, SendError, SendErrorKind, Tls};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::NamedTempFile;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// A server with a certificate for `name` that nobody signed; gives its address and the certificate as a PEM file.
async fn tls_server(name: &str) -> (SocketAddr, NamedTempFile) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    let mut pem = NamedTempFile::new().unwrap();
    pem.write_all(cert.pem().as_bytes()).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(ANSWER).await;
            let _ = stream.shutdown().await;
        }
    });
    (address, pem)
}

async fn get(address: &str, tls: Tls) -> Result<u16, SendError> {
    let endpoint = Endpoint {
        tls,
        ..Endpoint::default()
    };
    let retry = RetryPolicy {
        attempts: NonZeroU32::MIN,
        ..RetryPolicy::default()
    };
    let client = ApiClient::new(address.parse().unwrap(), None, &endpoint, retry).unwrap();
    let url = client.base().url().clone();
    client
        .send(NonZeroU32::MAX, 1024, |http| http.get(url.clone()))
        .await
        .map(|answer| answer.status.as_u16())
}

fn with_ca(pem: &NamedTempFile) -> Tls {
    Tls {
        ca_file: Some(pem.path().to_owned()),
        ..Tls::default()
    }
}

#[tokio::test]
async fn an_unknown_certificate_is_refused_and_the_error_says_what_to_do() {
    let (address, _pem) = tls_server("127.0.0.1").await;
    let error = get(&format!("https://{address}"), Tls::default()).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::Tls);
    assert!(error.hint().contains("tls.caFile"), "{}", error.hint());
}

#[tokio::test]
async fn a_certificate_of_the_ca_file_is_trusted() {
    let (address, pem) = tls_server("127.0.0.1").await;
    assert_eq!(get(&format!("https://{address}"), with_ca(&pem)).await.unwrap(), 200);
}

#[tokio::test]
async fn a_certificate_of_a_bundle_in_memory_is_trusted() {
    let (address, pem) = tls_server("127.0.0.1").await;
    let bundle = std::fs::read(pem.path()).unwrap();
    let tls = Tls {
        ca_pem: Some(Pem::new(&bundle)),
        ..Tls::default()
    };
    assert_eq!(get(&format!("https://{address}"), tls).await.unwrap(), 200);
}

#[tokio::test]
async fn a_trusted_certificate_for_another_name_is_refused() {
    let (address, pem) = tls_server("another.example").await;
    let error = get(&format!("https://{address}"), with_ca(&pem)).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::Tls);
}

#[tokio::test]
async fn without_verification_any_certificate_will_do() {
    let (address, _pem) = tls_server("another.example").await;
    let tls = Tls {
        insecure_skip_verify: true,
        ..Tls::default()
    };
    assert_eq!(get(&format!("https://{address}"), tls).await.unwrap(), 200);
}

#[tokio::test]
async fn https_to_a_server_without_tls_is_a_tls_error() {
    let server = multinic_testing::server::Server::scripted([]).await;
    let address = server.url().as_str().replace("http://", "https://");
    let error = get(&address, Tls::default()).await.unwrap_err();
    assert_eq!(error.kind, SendErrorKind::Tls, "{error:?}");
}
