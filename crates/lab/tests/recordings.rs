//! The lab against a real OpenStack: the recorded requests, asked again of the same cloud, get the recorded answers.
//!
//! Status, headers and body are compared key by key and value by value; only what the real installation made up by
//! chance is compared by its type (the list is in `support/recorded.rs`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use multinic_lab::Lab;
use serde_json::json;
use support::{
    Answer, ask, password_body,
    recorded::{ADMIN, BIZ, Recorded, cloud, differences},
};

/// Recordings made with the administrator's token of the project admin.
const BY_ADMIN: [&str; 14] = [
    "keystone-404",
    "keystone-validate-bad-token",
    "keystone-validate-token",
    "neutron-ports-admin-project-filter",
    "neutron-v2.0",
    "nova-admin-without-all-tenants",
    "nova-all-tenants-admin",
    "nova-all-tenants-project-filter",
    "nova-server-of-other-project-admin",
    "nova-v2.1",
    "nova-max-limit-2-all-tenants",
    "expiry-keystone-projects-after",
    "expiry-keystone-validate-self-after",
    "revoked-keystone-delete",
];
const BY_MEMBER: [&str; 9] = [
    "keystone-auth-projects",
    "keystone-projects-forbidden",
    "neutron-networks-member",
    "neutron-port-member",
    "neutron-port-of-other-project-member",
    "neutron-ports-member",
    "nova-all-tenants-member",
    "nova-detail-member",
    "nova-server-of-other-project-member",
];
const BY_READER: [&str; 2] = ["neutron-ports-reader", "nova-detail-reader"];
/// Recordings made with a token that never was one.
const BY_BAD_TOKEN: [&str; 3] = [
    "keystone-projects-bad-token",
    "neutron-ports-bad-token",
    "nova-servers-bad-token",
];
/// Recordings made without any.
const BY_NOBODY: [&str; 8] = [
    "keystone-projects-no-token",
    "keystone-root",
    "keystone-v3",
    "neutron-ports-no-token",
    "neutron-root",
    "nova-path-404-no-token",
    "nova-root",
    "nova-servers-no-token",
];

/// A lab with the recorded cloud, and the tokens of everybody in it.
struct Replay {
    lab: Lab,
    tokens: BTreeMap<&'static str, String>,
}

impl Replay {
    fn start() -> Self {
        Self::with(Lab::start(cloud()).unwrap())
    }

    fn with(lab: Lab) -> Self {
        let users = [
            ("admin", "admin", "lab-admin", ADMIN),
            ("biz", "admin", "lab-admin", BIZ),
            ("member", "biz-member", "lab-biz", BIZ),
            ("reader", "biz-reader", "lab-biz", BIZ),
        ];
        let log_in = |(caller, user, password, project)| {
            let body = password_body(user, password, &json!({"project": {"id": project}}));
            let answer = ask("POST", &format!("{}/auth/tokens", lab.keystone_url()), &[], &body);
            (caller, answer.header("x-subject-token").unwrap().to_owned())
        };
        let mut tokens: BTreeMap<_, _> = users.map(log_in).into();
        tokens.insert("bad", "gAAAAAbad".to_owned());
        Self { lab, tokens }
    }

    fn ask(&self, recorded: &Recorded, token: Option<&str>, subject: &str) -> Answer {
        let mut headers: Vec<_> = recorded
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        for (name, value) in &mut headers {
            if *name == "X-Subject-Token" && value.contains("masked") {
                *value = subject;
            }
        }
        headers.extend(token.map(|token| ("X-Auth-Token", token)));
        ask(&recorded.method, &recorded.url_in(&self.lab), &headers, &recorded.body)
    }

    /// Asks again as the one who asked then, and compares.
    fn check(&self, name: &str) -> Vec<String> {
        let recorded = Recorded::read(name);
        let token = caller(&recorded).map(|caller| self.tokens[caller].as_str());
        let answer = self.ask(&recorded, token, &self.tokens["admin"]);
        differences(&recorded, &answer, &self.lab)
    }

    fn assert(&self, name: &str, token: Option<&str>, subject: &str) {
        let recorded = Recorded::read(name);
        let found = differences(&recorded, &self.ask(&recorded, token, subject), &self.lab);
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}

fn caller(recorded: &Recorded) -> Option<&'static str> {
    let name = recorded.name.as_str();
    let is_log_in = recorded.method == "POST";
    match name {
        _ if BY_ADMIN.contains(&name) => Some("admin"),
        _ if BY_MEMBER.contains(&name) => Some("member"),
        _ if BY_READER.contains(&name) => Some("reader"),
        _ if BY_BAD_TOKEN.contains(&name) => Some("bad"),
        _ if BY_NOBODY.contains(&name) || is_log_in || name == "nova-v2.1-no-token" => None,
        _ => Some("biz"),
    }
}

/// Recordings of another installation or another moment, which have their own tests below.
fn is_special(name: &str) -> bool {
    ["expiry-", "revoked-", "keystone-down-", "nova-max-limit-2-"]
        .iter()
        .any(|start| name.starts_with(start))
}

#[test]
fn every_recorded_request_gets_the_recorded_answer() {
    let replay = Replay::start();
    let names: BTreeSet<_> = Recorded::all().into_iter().filter(|name| !is_special(name)).collect();
    assert!(names.len() > 100, "only {} recordings", names.len());
    let failed: BTreeMap<_, _> = names
        .iter()
        .map(|name| (name, replay.check(name)))
        .filter(|(_, found)| !found.is_empty())
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {} differ: {failed:#?}",
        failed.len(),
        names.len()
    );
}

#[test]
fn a_list_is_cut_at_novas_own_maximum_as_recorded() {
    let replay = Replay::with(Lab::start(cloud().nova_max_limit(2).without_uwsgi()).unwrap());
    // It was gone by then.
    replay.lab.cloud().delete_vm("clone-template").unwrap();
    for name in ["default-page", "limit-5", "next", "all-tenants"] {
        let found = replay.check(&format!("nova-max-limit-2-{name}"));
        assert!(found.is_empty(), "{name}: {found:#?}");
    }
}

#[test]
fn an_expired_token_is_refused_as_recorded() {
    let replay = Replay::start();
    // The servers that were made later were not there yet.
    replay.lab.cloud().delete_vm("clone-template").unwrap();
    let old = replay.tokens["biz"].clone();
    replay.assert("expiry-nova-before", Some(&old), "");
    replay.assert("expiry-neutron-before", Some(&old), "");
    replay.lab.cloud().expire_tokens();
    let fresh = Replay::with(replay.lab);
    let new = fresh.tokens["admin"].clone();
    fresh.assert("expiry-nova-after", Some(&old), "");
    fresh.assert("expiry-neutron-after", Some(&old), "");
    fresh.assert("expiry-keystone-projects-after", Some(&old), "");
    fresh.assert("expiry-keystone-validate-self-after", Some(&old), &old);
    fresh.assert("expiry-keystone-validate-by-fresh-after", Some(&new), &old);
    fresh.assert("expiry-keystone-validate-allow-expired", Some(&new), &old);
}

#[test]
fn a_revoked_token_goes_on_working_only_where_it_is_cached() {
    let replay = Replay::start();
    replay.lab.cloud().delete_vm("clone-template").unwrap();
    let (seen, unseen) = (replay.tokens["biz"].clone(), replay.tokens["admin"].clone());
    let fresh = Replay::with(replay.lab);
    fresh.assert("revoked-nova-before", Some(&seen), "");
    for token in [&seen, &unseen] {
        fresh.assert("revoked-keystone-delete", Some(&fresh.tokens["admin"]), token);
    }
    fresh.assert("revoked-nova-before", Some(&seen), "");
    fresh.assert("revoked-nova-after", Some(&unseen), "");
    fresh.assert("revoked-neutron-after", Some(&unseen), "");
}

#[test]
fn without_keystone_only_cached_tokens_work() {
    let replay = Replay::start();
    let (seen, unseen) = (replay.tokens["biz"].clone(), replay.tokens["admin"].clone());
    replay.assert("nova-path-404", Some(&seen), "");
    replay.lab.cloud().set_keystone_down(true);
    replay.assert("keystone-down-nova-uncached-token", Some(&unseen), "");
    replay.assert("keystone-down-neutron-uncached-token", Some(&unseen), "");
    replay.assert("nova-path-404", Some(&seen), "");
    replay.lab.cloud().set_keystone_down(false);
    replay.assert("nova-path-404", Some(&unseen), "");
}
