//! No secret leaves: everything that any crate says at any level, and everything that a person may print, is searched.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod common;

use std::{
    error::Error,
    fmt::Write as _,
    io,
    sync::{Arc, Mutex},
};

use common::{ADD, Cr, Known, PRUNE, Stage, Staging};
use multinic_lab::{
    CloudBuilder, Cut, DEMO_ADMIN_PASSWORD, DEMO_ADMIN_PW, DEMO_ENCRYPTION_KEY, Fault, Receiver, SEED_SUBNET_ID,
    Service,
};
use multinic_sync::{Connections, Failure, Outcome, Report, doctor::examine};
use tracing_subscriber::fmt::MakeWriter;

const CONTRABASS_TOKEN: &str = "contrabass-bearer-token-1f0e";
const API_TOKEN: &str = "management-bearer-token-9c3d";

/// Every Keystone token begins like this.
const TOKEN_PREFIX: &str = "gAAAA";

/// All that was said.
#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl io::Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Said {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Said {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    fn add(&self, text: &str) {
        self.0.lock().unwrap().extend_from_slice(text.as_bytes());
    }
}

fn check(text: &str) {
    for secret in [
        DEMO_ADMIN_PASSWORD,
        DEMO_ENCRYPTION_KEY,
        DEMO_ADMIN_PW,
        CONTRABASS_TOKEN,
        API_TOKEN,
        TOKEN_PREFIX,
    ] {
        if let Some(place) = text.find(secret) {
            let start = text[..place].rfind('\n').map_or(0, |line| line + 1);
            let end = text[place..].find('\n').map_or(text.len(), |line| place + line);
            panic!("{secret} in: {}", &text[start..end]);
        }
    }
}

fn stage() -> Stage {
    let receiver = Receiver::start().unwrap();
    receiver.require_token(API_TOKEN);
    let staging = Staging {
        receiver,
        contrabass: vec!["token: {env: CONTRABASS}".to_owned()],
        management_api: vec!["token: {env: API}".to_owned()],
        secrets: Known::new(&[
            ("KEY", DEMO_ENCRYPTION_KEY),
            ("CONTRABASS", CONTRABASS_TOKEN),
            ("API", API_TOKEN),
        ]),
        ..Staging::default()
    };
    staging.stage(CloudBuilder::sized(3, 2).contrabass_token(CONTRABASS_TOKEN))
}

fn configs() -> [Cr; 1] {
    [Cr::on_id("all", SEED_SUBNET_ID, &["vm-00001", "vm-00002", "nobody"])]
}

/// Everything of a report that can be printed.
fn print(report: &Report) -> String {
    let mut text = format!("{report:?}\n{report:#?}\n");
    for failure in &report.failures {
        match failure {
            Failure::Place { place, error } => {
                write!(text, "{place} {:?} {}", error.hint(), error.category()).unwrap();
                print_chain(&**error, &mut text);
            }
            Failure::ReadBack { error, .. } => print_chain(&**error, &mut text),
        }
    }
    for (_, node, reason) in report.undelivered() {
        writeln!(text, "{node}: {reason}").unwrap();
    }
    text
}

fn print_chain(error: &dyn Error, text: &mut String) {
    let mut next = Some(error);
    while let Some(error) = next {
        writeln!(text, "{error}\n{error:?}\n{error:#?}").unwrap();
        next = error.source();
    }
}

/// What `doctor` has to say.
async fn examined(stage: &Stage) -> String {
    let config = configs()[0].config();
    let multinic_sync::Config::Present { selection, .. } = config else {
        panic!("a config that is there")
    };
    let mut text = String::new();
    examine(&stage.connections, &[selection], &mut |check| {
        writeln!(text, "{check:?}").unwrap();
    })
    .await;
    text
}

/// Servers that repeat what they were sent, wherever they can.
fn parrots() -> Vec<(Service, Fault)> {
    vec![
        (
            Service::Contrabass,
            Fault::status(500).body(&format!("{{\"error\": \"Bearer {CONTRABASS_TOKEN}\"}}")),
        ),
        (Service::Contrabass, Fault::status(403).body(CONTRABASS_TOKEN)),
        (Service::ManagementApi, Fault::status(403).body(API_TOKEN)),
        (
            Service::ManagementApi,
            Fault::status(500).body(&format!("{{\"error\": \"Bearer {API_TOKEN}\"}}")),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_is_said_at_any_level_holds_a_secret() {
    let said = Said::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(said.clone())
        .try_init()
        .unwrap();

    let mut stage = stage();
    for pruning in [ADD, PRUNE] {
        said.add(&print(&stage.pass(&configs(), pruning).await));
    }
    stage.lab.cloud().expire_tokens();
    said.add(&print(&stage.pass(&configs(), ADD).await));
    let log = said.text();
    assert!(
        log.contains("TRACE") && log.contains("multinic_cloud"),
        "the subscriber hears everything"
    );
    check(&log);

    let statuses = [400, 401, 403, 404, 409, 429, 500, 503].map(Fault::status);
    let broken = [
        Fault::Reset,
        Fault::Truncate(Cut::After(9)),
        Fault::Garbage("<html>".to_owned()),
        Fault::LoopingPages,
    ];
    let faults = statuses.into_iter().chain(broken);
    let services = [
        Service::Contrabass,
        Service::Keystone,
        Service::Nova,
        Service::Neutron,
        Service::ManagementApi,
    ];
    for fault in faults {
        for service in services {
            let faults = if service == Service::ManagementApi {
                stage.receiver.faults()
            } else {
                stage.lab.faults()
            };
            // Busy ones would be waited for.
            faults.at(service).times(2).inject(fault.clone());
            stage.restart();
            let report = stage.pass(&configs(), PRUNE).await;
            said.add(&print(&report));
            said.add(&examined(&stage).await);
            stage.lab.faults().clear();
            stage.receiver.faults().clear();
        }
    }
    check(&said.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_repeats_a_token_does_not_bring_it_into_a_report() {
    for (service, fault) in parrots() {
        let stage = stage();
        let faults = if service == Service::ManagementApi {
            stage.receiver.faults()
        } else {
            stage.lab.faults()
        };
        faults.at(service).always().inject(fault);
        let report = stage.pass(&configs(), ADD).await;
        assert_eq!(report.outcome(), Outcome::Failed, "{service}");
        check(&print(&report));
    }
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_password_are_told_without_either() {
    let wrong = Staging {
        secrets: Known::new(&[("KEY", "another-encryption-key")]),
        ..Staging::default()
    };
    let stage = wrong.stage(CloudBuilder::sized(3, 2));
    let report = stage.pass(&configs(), ADD).await;
    assert_eq!(report.outcome(), Outcome::Failed);
    let text = print(&report);
    check(&text);
    assert!(!text.contains("another-encryption-key"), "{text}");

    let stage = self::stage();
    stage.lab.cloud().set_password("admin", "changed-meanwhile").unwrap();
    let report = stage.pass(&configs(), ADD).await;
    assert_eq!(report.outcome(), Outcome::Failed);
    check(&print(&report));
}

#[test]
fn settings_name_secrets_and_never_hold_them() {
    let stage = stage();
    check(&format!(
        "{:?} {:#?} {:?}",
        stage.settings,
        stage.settings,
        stage.connections.requests()
    ));
    let missing = Connections::new(
        &stage.settings,
        &Known::new(&[("KEY", DEMO_ENCRYPTION_KEY), ("API", API_TOKEN)]),
    )
    .err()
    .unwrap();
    let mut text = String::new();
    print_chain(&missing, &mut text);
    assert!(text.contains("CONTRABASS"), "{text}");
    check(&text);
    let broken = Known::new(&[
        ("KEY", DEMO_ENCRYPTION_KEY),
        ("CONTRABASS", "a\nb-secret"),
        ("API", API_TOKEN),
    ]);
    let refused = Connections::new(&stage.settings, &broken).err().unwrap();
    let mut text = String::new();
    print_chain(&refused, &mut text);
    assert!(!text.contains("b-secret"), "{text}");
    check(&text);
}
