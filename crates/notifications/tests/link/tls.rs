//! TLS: whom we trust.

use multinic_notifications::LinkError;
use multinic_testing::rabbitmq::{RabbitServer, RabbitSettings};
use multinic_transport::{Pem, Tls};

use crate::support::{Link, broker, settings};

#[tokio::test(flavor = "multi_thread")]
async fn a_private_authority_is_trusted_when_it_is_given_and_another_is_not() {
    let server = RabbitServer::start_with(&RabbitSettings {
        tls: true,
        ..RabbitSettings::default()
    });
    let mut settings = settings(&server);
    settings.brokers = vec![broker(server.tls_address())];
    settings.brokers[0].tls = true;
    let stranger = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let own = Pem::new(server.authority().as_bytes());
    let another = Pem::new(stranger.cert.pem().as_bytes());

    for refused in [Tls::default(), with(another.clone())] {
        settings.tls = refused;
        let error = Link::start(settings.clone()).lost().await;
        assert!(
            matches!(&error, LinkError::Unreachable { reason, .. } if reason.contains("invalid peer certificate")),
            "{error}"
        );
    }
    let unchecked = Tls {
        insecure_skip_verify: true,
        ..with(another)
    };
    for trusted in [with(own.clone()), unchecked] {
        settings.tls = trusted;
        Link::start(settings.clone()).listening().await;
    }

    settings.tls = with(own);
    settings.brokers[0].host = "127.0.0.2".to_owned();
    assert_eq!(Link::start(settings.clone()).lost().await.category(), "unreachable");
    // Without TLS on a port that wants it, nobody understands a word.
    settings.brokers = vec![broker(server.tls_address())];
    assert_eq!(Link::start(settings).lost().await.category(), "unreachable");
}

fn with(authority: Pem) -> Tls {
    Tls {
        ca_pem: Some(authority),
        ..Tls::default()
    }
}
