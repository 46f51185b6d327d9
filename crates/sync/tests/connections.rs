//! What the connections are built from, and what they count.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::{collections::BTreeMap, error::Error};

use common::{ADD, Stage, cast};
use multinic_lab::{Fault, Service};
use multinic_sync::{
    Connections, ConnectionsError,
    settings::{LocalSecrets, SecretError, SecretRef, Secrets, Settings},
};
use secrecy::SecretString;

/// A Kubernetes with one Secret for everything.
struct Cluster(String);

impl Secrets for Cluster {
    fn fetch(&self, _: &SecretRef) -> Result<SecretString, SecretError> {
        Ok(self.0.as_str().into())
    }
}

fn settings(section: &str) -> Settings {
    let tls = "{caSecret: {secret: ca, key: ca.crt}}";
    let tls_of = |name| if name == section { tls } else { "{}" };
    let text = format!(
        "contrabass: {{endpoint: 'https://c', password: {{key: {{env: HOME}}}}, tls: {}}}\n\
         openstack: {{tls: {}}}\n\
         managementApi: {{endpoint: 'https://m', tls: {}}}\n\
         rabbitmq: {{tls: {}}}\n",
        tls_of("contrabass"),
        tls_of("openstack"),
        tls_of("managementApi"),
        tls_of("rabbitmq"),
    );
    Settings::parse(&text).unwrap()
}

const SECTIONS: [&str; 4] = ["contrabass", "openstack", "managementApi", "rabbitmq"];

#[test]
fn a_ca_in_a_secret_is_used_where_there_are_secrets() {
    let signed = rcgen::generate_simple_self_signed(["c".to_owned()]).unwrap();
    for section in SECTIONS {
        Connections::new(&settings(section), &Cluster(signed.cert.pem())).unwrap();
    }
}

#[test]
fn outside_kubernetes_the_error_names_the_alternative() {
    for section in SECTIONS {
        let error = Connections::new(&settings(section), &LocalSecrets).err().unwrap();
        let expected = format!("failed to use the setting {section}.tls.caSecret: use caFile outside Kubernetes");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_secret_that_is_no_certificate_is_an_error_that_does_not_show_it() {
    for section in ["contrabass", "managementApi"] {
        let error = Connections::new(&settings(section), &Cluster("hidden".to_owned()))
            .err()
            .unwrap();
        let causes = std::iter::successors(Some(&error as &dyn Error), |error| (*error).source());
        let cause = causes.last().unwrap();
        assert!(cause.to_string().ends_with("expected PEM"), "{cause}");
        assert!(!format!("{error:?}").contains("hidden"));
        assert!(!matches!(error, ConnectionsError::CaSecret { .. }));
    }
}

#[tokio::test]
async fn requests_are_counted_by_service_and_class() {
    let stage = Stage::new(cast::cloud());
    assert!(stage.connections.counts().requests.is_empty());
    let faults = stage.lab.faults();
    faults.at(Service::Contrabass).inject(Fault::status(503));
    faults.at(Service::Nova).inject(Fault::Reset);
    stage
        .receiver
        .faults()
        .at(Service::ManagementApi)
        .method("POST")
        .inject(Fault::status(429));
    stage.good_pass(&cast::all(), ADD).await;
    let counts = stage.connections.counts();
    let service = |name| {
        let of = counts.requests.iter().filter(move |((service, _), _)| *service == name);
        of.map(|((_, class), count)| (*class, *count))
            .collect::<BTreeMap<_, _>>()
    };
    assert_eq!(service("contrabass"), BTreeMap::from([("2xx", 1), ("5xx", 1)]));
    assert_eq!(service("keystone"), BTreeMap::from([("2xx", 1)]));
    assert_eq!(service("nova")["none"], 1);
    assert_eq!(service("management-api"), BTreeMap::from([("2xx", 2), ("4xx", 1)]));
    let all: u64 = counts.requests.values().sum();
    let sent = stage.connections.requests();
    assert_eq!(all, sent.contrabass + sent.openstack + sent.management_api);
    assert_eq!(counts.budget_waits, 0);
}
