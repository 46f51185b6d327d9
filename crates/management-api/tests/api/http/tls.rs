//! TLS and client certificates. SQLite only: the database is behind all of this.

use std::time::Duration;

use multinic_management_api::{
    server::{Options, Server, ServerError},
    tls::{ClientAuth, TlsFiles},
};
use rcgen::SanType;
use reqwest::{Method, StatusCode, tls::Version};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use crate::support::{
    api::{Api, NODES, PROVIDERS, send},
    certificates::{Authority, Mounted, Pair},
    configs::digest,
    database::TestDatabase,
};

const TOKENS: &str = "tokens:
- {name: by-name, role: viewer, providers: [biz-1], certificate: {commonName: console}}
- {name: by-dns, role: viewer, providers: [biz-1], certificate: {dnsName: console.example.com}}
- {name: by-uri, role: operator, providers: [biz-1], certificate: {uri: 'spiffe://example.com/console'}}
- {name: by-token, role: viewer, providers: [biz-2], sha256: DIGEST}
";

fn tokens() -> String {
    TOKENS.replace("DIGEST", &digest("a-token-that-is-known"))
}

/// A server, who signed its certificate, and who signs its clients'.
struct World {
    api: Api,
    mounted: Mounted,
    server_ca: Authority,
    client_ca: Authority,
}

impl World {
    async fn start(database: &TestDatabase, auth: ClientAuth, change: impl FnOnce(&mut Options)) -> Self {
        let (server_ca, client_ca) = (Authority::new("servers"), Authority::new("clients"));
        let mounted = Mounted::new(&server_ca.server(), &client_ca.pem);
        let tls = TlsFiles {
            certificate: mounted.path("tls.crt"),
            key: mounted.path("tls.key"),
            client_ca: Some(mounted.path("ca.crt")),
            client_auth: auth,
        };
        let tokens = tokens();
        let api = Api::start_with_tokens(database, Some(&tokens), |options| {
            options.tls = Some(tls);
            options.reload = Duration::from_millis(10);
            change(options);
        });
        Self {
            api: api.await.with_client(server_ca.trusted_by(None)),
            mounted,
            server_ca,
            client_ca,
        }
    }

    /// What a client that shows this is answered; `None` if there is no connection.
    async fn ask(&self, shown: &Pair, provider: &str) -> Option<StatusCode> {
        let request = self.server_ca.trusted_by(Some(shown)).get(self.api.url(NODES));
        let answer = request.header("x-provider-id", provider).send().await.ok()?;
        Some(answer.status())
    }

    /// Until the server says so of its files.
    async fn rejected_files(&self, expected: u8) {
        let line = format!("multinic_api_rejected_files {expected}\n");
        while !self.api.get("/metrics").await.json.as_str().unwrap().contains(&line) {
            tokio::task::yield_now().await;
        }
    }
}

fn uri(uri: &str) -> SanType {
    SanType::URI(uri.try_into().unwrap())
}

#[tokio::test]
async fn https_is_spoken_with_tls_1_2_and_1_3() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, ClientAuth::Optional, |_| {}).await;
    let root = reqwest::Certificate::from_pem(world.server_ca.pem.as_bytes()).unwrap();
    for version in [Version::TLS_1_2, Version::TLS_1_3] {
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only([root.clone()])
            .tls_version_min(version)
            .tls_version_max(version)
            .build()
            .unwrap();
        let answer = client.get(world.api.url("/healthz")).send().await.unwrap();
        assert_eq!(
            (answer.status(), answer.version()),
            (StatusCode::OK, http::Version::HTTP_11)
        );
    }
    let metrics = world.api.get("/metrics").await.json;
    let metrics = metrics.as_str().unwrap();
    assert!(
        metrics.contains("multinic_api_tls_handshakes_total{result=\"ok\"} 3"),
        "{metrics}"
    );
    assert!(!metrics.contains("tls_certificate_not_after_seconds 0"), "{metrics}");
}

#[tokio::test]
async fn a_swapped_secret_is_taken_and_a_broken_one_is_not() {
    let database = TestDatabase::sqlite();
    let mut world = World::start(&database, ClientAuth::Optional, |_| {}).await;
    let old = world.mounted.path("tls.crt");
    let (old, other) = (std::fs::read_to_string(old).unwrap(), Authority::new("others"));
    let client_ca = world.client_ca.pem.clone();
    let server = world.server_ca.server();
    let torn = Pair {
        certificate: old.clone(),
        key: server.key.clone(),
    };
    let garbage = Pair {
        certificate: "no PEM at all".to_owned(),
        key: server.key.clone(),
    };
    for broken in [torn, garbage] {
        world.mounted.swap(&broken, &client_ca);
        world.rejected_files(1).await;
        let fresh = world.server_ca.trusted_by(None).get(world.api.url("/healthz"));
        assert_eq!(fresh.send().await.unwrap().status(), StatusCode::OK);
        world.mounted.swap(&server, &client_ca);
        world.rejected_files(0).await;
    }
    world.mounted.swap(&other.server(), &client_ca);
    loop {
        let fresh = other.trusted_by(None).get(world.api.url("/healthz"));
        if fresh.send().await.is_ok() {
            break;
        }
    }
    let old = world.server_ca.trusted_by(None).get(world.api.url("/healthz"));
    assert!(old.send().await.is_err());
}

#[tokio::test]
async fn a_client_is_known_by_any_name_that_its_certificate_carries() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, ClientAuth::Optional, |_| {}).await;
    let client = |names: &[&str], other| world.client_ca.client(names, other);
    let dns = SanType::DnsName("console.example.com".try_into().unwrap());
    let spiffe = "spiffe://example.com/console";
    let cases = [
        (client(&["console"], vec![]), 200),
        (client(&[], vec![dns]), 200),
        (client(&["other"], vec![uri(spiffe)]), 200),
        (client(&["other"], vec![]), 401),
        (client(&["Console"], vec![]), 401),
        (client(&[spiffe], vec![]), 401),
        (client(&["console.example.com"], vec![]), 401),
        (client(&["other"], vec![uri("spiffe://example.com/console/more")]), 401),
    ];
    for (pair, expected) in cases {
        assert_eq!(world.ask(&pair, "biz-1").await.unwrap(), expected);
        assert_eq!(
            world.ask(&pair, "biz-2").await.unwrap(),
            if expected == 200 { 403 } else { 401 }
        );
    }
    assert_eq!(world.api.get(NODES).await.problem().0, 401);
}

#[tokio::test]
async fn certificates_of_strangers_and_expired_ones_end_the_handshake() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, ClientAuth::Optional, |_| {}).await;
    let stranger = Authority::new("clients").client(&["console"], Vec::new());
    assert_eq!(world.ask(&stranger, "biz-1").await, None);
    assert_eq!(
        world.ask(&world.client_ca.expired_client("console"), "biz-1").await,
        None
    );
    let plain = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("http://{}/healthz", world.api.address);
    assert!(plain.get(url).send().await.is_err(), "plain HTTP is no TLS");
}

#[tokio::test]
async fn a_token_counts_before_a_certificate() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, ClientAuth::Optional, |_| {}).await;
    let console = world.client_ca.client(&["console"], Vec::new());
    let api = world.api.with_client(world.server_ca.trusted_by(Some(&console)));
    for (authorization, biz_1, biz_2) in [
        ("Bearer a-token-that-is-known", 403, 200),
        ("Bearer a-token-that-is-not-known", 401, 401),
        ("Basic Y29uc29sZQ==", 401, 401),
    ] {
        for (provider, expected) in [("biz-1", biz_1), ("biz-2", biz_2)] {
            let request = reqwest::Client::clone(api.client()).get(api.url(NODES));
            let request = request
                .header("x-provider-id", provider)
                .header("authorization", authorization);
            assert_eq!(
                request.send().await.unwrap().status(),
                expected,
                "{authorization} {provider}"
            );
        }
    }
}

#[tokio::test]
async fn where_certificates_are_required_nobody_gets_in_without() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, ClientAuth::Required, |_| {}).await;
    let without = world.server_ca.trusted_by(None).get(world.api.url("/healthz"));
    assert!(without.send().await.is_err());
    let console = world.client_ca.client(&["console"], Vec::new());
    assert_eq!(world.ask(&console, "biz-1").await.unwrap(), StatusCode::OK);
    let unnamed = world.client_ca.client(&["somebody"], Vec::new());
    let api = world.api.with_client(world.server_ca.trusted_by(Some(&unnamed)));
    let with_token = api.request(Method::GET, PROVIDERS).bearer_auth("a-token-that-is-known");
    assert_eq!(
        send(with_token).await.status,
        StatusCode::OK,
        "any good certificate, then the token"
    );
}

#[tokio::test]
async fn another_client_authority_ends_what_the_old_one_had_vouched_for() {
    let database = TestDatabase::sqlite();
    let mut world = World::start(&database, ClientAuth::Optional, |_| {}).await;
    let console = world.client_ca.client(&["console"], Vec::new());
    let client = world.server_ca.trusted_by(Some(&console));
    let watch = client.get(world.api.url(&format!("{NODES}?watch=true")));
    let mut watch = watch.header("x-provider-id", "biz-1").send().await.unwrap();
    assert_eq!(watch.status(), StatusCode::OK);
    let other = Authority::new("other clients");
    world.mounted.swap(&world.server_ca.server(), &other.pem);
    while watch.chunk().await.unwrap().is_some() {}
    assert_eq!(world.ask(&console, "biz-1").await, None);
    let new = other.client(&["console"], Vec::new());
    assert_eq!(world.ask(&new, "biz-1").await.unwrap(), StatusCode::OK);
}

#[tokio::test]
async fn who_dawdles_over_a_handshake_gives_up_the_place_that_it_took() {
    let database = TestDatabase::sqlite();
    let world = World::start(&database, ClientAuth::Optional, |options| {
        options.connections.connections = 1;
        options.connections.handshake_time = Duration::from_millis(100);
    })
    .await;
    let mut silent = TcpStream::connect(world.api.address).await.unwrap();
    let mut half = TcpStream::connect(world.api.address).await.unwrap();
    // The beginning of a handshake record that never goes on.
    half.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await.unwrap();
    for stream in [&mut silent, &mut half] {
        let ended = stream.read(&mut [0; 16]).await;
        assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    }
    let metrics = world.api.get("/metrics").await.json;
    assert!(
        metrics
            .as_str()
            .unwrap()
            .contains("handshakes_total{result=\"late\"} 2"),
        "{metrics}"
    );
}

#[tokio::test]
async fn plain_http_beyond_loopback_has_to_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.yaml");
    let digest = "0".repeat(64);
    std::fs::write(
        &file,
        format!("tokens: [{{name: a, role: viewer, providers: ['*'], sha256: {digest}}}]"),
    )
    .unwrap();
    let database = TestDatabase::sqlite();
    let mut options = Options::new("0.0.0.0:0".parse().unwrap(), database.settings());
    options.tokens = Some(file);
    let refused = Server::start(options.clone(), CancellationToken::new()).await;
    assert!(matches!(refused, Err(ServerError::Plain { .. })), "{refused:?}");
    options.insecure_http = true;
    let taken = Server::start(options, CancellationToken::new()).await;
    assert_eq!(taken.unwrap().scheme(), "http");
}

#[tokio::test]
async fn an_entry_that_could_never_match_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens.yaml");
    let database = TestDatabase::sqlite();
    let mut options = Options::new("127.0.0.1:0".parse().unwrap(), database.settings());
    options.tokens = Some(file.clone());
    for (evidence, option) in [
        ("certificate: {commonName: a}", "--client-ca"),
        ("kubernetes: {user: a}", "--token-review"),
    ] {
        std::fs::write(
            &file,
            format!("tokens: [{{name: a, role: viewer, providers: ['*'], {evidence}}}]"),
        )
        .unwrap();
        let refused = Server::start(options.clone(), CancellationToken::new())
            .await
            .unwrap_err();
        let ServerError::Tokens(refused) = refused else {
            panic!("{refused:?}")
        };
        assert!(refused.to_string().contains(option), "{refused}");
    }
}
