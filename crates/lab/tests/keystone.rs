//! Keystone and Contrabass beyond the recordings. Checked by hand against the real thing where there is one.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::time::Duration;

use multinic_lab::{CloudBuilder, DEMO_ADMIN_PASSWORD, DEMO_RABBIT_PW, Lab, SEED_PROJECT, SEED_PROVIDER, Service};
use serde_json::{Value, json};
use support::{Answer, admin, ask, get, password_body};

fn log_in(lab: &Lab, body: &Value) -> Answer {
    ask(
        "POST",
        &format!("{}/auth/tokens", lab.keystone_url()),
        &[],
        &body.to_string(),
    )
}

fn with_password(user: &Value, scope: &Value) -> Value {
    json!({"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}})
}

#[test]
fn users_domains_and_projects_are_found_by_id_or_by_name_without_regard_to_case() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let by_id = json!({"project": {"id": SEED_PROJECT}});
    let user = |domain: Value| json!({"name": "ADMIN", "domain": domain, "password": DEMO_ADMIN_PASSWORD});
    let status = |user: &Value, scope: &Value| log_in(&lab, &with_password(user, scope)).status;
    assert_eq!(status(&user(json!({"id": "default"})), &by_id), 201);
    assert_eq!(status(&user(json!({"name": "default"})), &by_id), 201);
    assert_eq!(
        status(
            &user(json!({"name": "Default"})),
            &json!({"project": {"name": "BIZ", "domain": {"name": "DEFAULT"}}})
        ),
        201
    );
    assert_eq!(status(&user(json!({"id": "Default"})), &by_id), 401, "ids are exact");
    assert_eq!(status(&user(json!({})), &by_id), 400);
    assert_eq!(
        status(&user(json!({"id": "default"})), &json!({"project": {"name": "biz"}})),
        400
    );
    assert_eq!(status(&user(json!({"id": "default"})), &json!({"project": {}})), 400);
    assert_eq!(
        status(&user(json!({"id": "default"})), &json!({"project": {"id": "no-such"}})),
        401
    );
    assert_eq!(status(&user(json!({"id": "default"})), &json!("unscoped")), 201);
}

#[test]
fn a_token_makes_another_token_that_ends_with_it() {
    let lab = Lab::start(CloudBuilder::seed().project("b", "second")).unwrap();
    let first = admin(&lab);
    let identity = json!({"methods": ["token"], "token": {"id": first}});
    let second = log_in(
        &lab,
        &json!({"auth": {"identity": identity, "scope": {"project": {"id": "b"}}}}),
    );
    assert_eq!(second.status, 201);
    assert_eq!(second.json()["token"]["methods"], json!(["password", "token"]));
    assert_eq!(second.json()["token"]["project"]["id"], "b");
    assert_ne!(second.header("x-subject-token"), Some(first.as_str()));
    let subject = [("X-Auth-Token", first.as_str()), ("X-Subject-Token", first.as_str())];
    let own = ask("GET", &format!("{}/auth/tokens", lab.keystone_url()), &subject, "").json();
    assert_eq!(own["token"]["expires_at"], second.json()["token"]["expires_at"]);
}

#[test]
fn a_token_without_a_lifetime_is_refused_at_once() {
    let lab = Lab::start(CloudBuilder::seed().token_ttl(Duration::ZERO)).unwrap();
    let token = admin(&lab);
    assert_eq!(get(&lab, &token, "/v2.1/servers").status, 401);
    assert_eq!(get(&lab, &token, "/v2.0/ports").status, 401);
}

#[test]
fn the_catalog_has_every_region_and_interface_and_what_a_test_changes() {
    let cloud = CloudBuilder::seed()
        .region("RegionTwo")
        .catalog("network", "internal", "RegionTwo", None)
        .catalog("compute", "public", "RegionOne", Some("http://example.invalid/v2.1"));
    let lab = Lab::start(cloud).unwrap();
    let scope = json!({"project": {"id": SEED_PROJECT}});
    let body = ask(
        "POST",
        &format!("{}/auth/tokens", lab.keystone_url()),
        &[],
        &password_body("admin", DEMO_ADMIN_PASSWORD, &scope),
    )
    .json();
    let endpoints = |kind: &str| -> Vec<(String, String, String)> {
        let catalog = body["token"]["catalog"].as_array().unwrap();
        let service = catalog.iter().find(|service| service["type"] == kind).unwrap();
        let text = |endpoint: &Value, key: &str| endpoint[key].as_str().unwrap().to_owned();
        let all = service["endpoints"].as_array().unwrap().iter();
        all.map(|one| (text(one, "region"), text(one, "interface"), text(one, "url")))
            .collect()
    };
    assert_eq!(endpoints("network").len(), 5);
    assert_eq!(endpoints("compute").len(), 6);
    let public = (
        "RegionOne".to_owned(),
        "public".to_owned(),
        "http://example.invalid/v2.1".to_owned(),
    );
    assert!(endpoints("compute").contains(&public));
    assert!(
        endpoints("identity")
            .iter()
            .all(|(_, _, url)| *url == lab.keystone_url())
    );
}

#[test]
fn a_changed_password_is_needed_from_now_on() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    assert_eq!(get(&lab, &token, "/v2.1/servers").status, 200);
    lab.cloud().set_password("admin", "new").unwrap();
    let scope = json!({"project": {"id": SEED_PROJECT}});
    let status = |password: &str| {
        ask(
            "POST",
            &format!("{}/auth/tokens", lab.keystone_url()),
            &[],
            &password_body("admin", password, &scope),
        )
        .status
    };
    assert_eq!((status(DEMO_ADMIN_PASSWORD), status("new")), (401, 201));
    assert_eq!(
        get(&lab, &token, "/v2.1/servers").status,
        200,
        "Nova has cached the token"
    );
    assert_eq!(get(&lab, &token, "/v2.0/ports").status, 401, "Neutron has not");
}

#[test]
fn unknown_paths_and_methods_of_authentication_are_refused_loudly() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    for path in ["/users", "/roles", "/projects?domain_id=default", "/services"] {
        let answer = ask(
            "GET",
            &format!("{}{path}", lab.keystone_url()),
            &[("X-Auth-Token", &token)],
            "",
        );
        assert_eq!(answer.status, 501, "{path}");
    }
    let secret = json!({"id": "x", "secret": "y"});
    let identity = json!({"methods": ["application_credential"], "application_credential": secret});
    assert_eq!(log_in(&lab, &json!({"auth": {"identity": identity}})).status, 501);
    let user = json!({"name": "admin", "domain": {"id": "default"}, "password": DEMO_ADMIN_PASSWORD});
    assert_eq!(
        log_in(&lab, &with_password(&user, &json!({"system": {"all": true}}))).status,
        501
    );
}

#[test]
fn no_password_and_no_token_is_in_the_log() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    let identity = json!({"methods": ["token"], "token": {"id": token}});
    log_in(&lab, &json!({"auth": {"identity": identity}}));
    get(&lab, &token, "/v2.1/servers");
    let log = format!("{:?}", lab.requests());
    assert!(!log.contains(DEMO_ADMIN_PASSWORD) && !log.contains(&token), "{log}");
    let servers = lab.requests_to(Service::Nova).pop().unwrap();
    assert_eq!(
        (servers.path(), servers.query(), servers.authenticated),
        ("/v2.1/servers", "", true)
    );
    assert_eq!(servers.header("openstack-api-version"), Some("compute 2.90"));
}

#[test]
fn the_second_shape_of_contrabass_wraps_the_same_data() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let url = format!(
        "{}/v1/contrabass/admin/infra/provider/{SEED_PROVIDER}",
        lab.contrabass_url()
    );
    let body = ask("GET", &url, &[], "").json();
    assert_eq!(
        (body["returnCode"].as_str(), body["data"]["url"].as_str()),
        (Some("200"), Some(lab.keystone_url().trim_end_matches("/v3")))
    );
    assert_eq!(body["data"]["attributes"]["rabbitMQPw"], DEMO_RABBIT_PW);
    assert_eq!(
        body["data"]["attributes"]["rabbitMQUrls"],
        json!(["rabbitmq.example.com:5672"])
    );
    let unknown = ask("GET", &url.replace(SEED_PROVIDER, "nobody"), &[], "");
    assert_eq!(
        (unknown.status, unknown.json()["returnCode"].as_str()),
        (404, Some("404"))
    );
    assert_eq!(
        ask("GET", &format!("{}/nothing", lab.contrabass_url()), &[], "").status,
        501
    );
}

#[test]
fn contrabass_may_ask_for_a_token_and_gives_whatever_envelope_it_was_told() {
    let lab = Lab::start(CloudBuilder::seed().contrabass_token("t0ken")).unwrap();
    let url = format!("{}/api/providers/{SEED_PROVIDER}", lab.contrabass_url());
    assert_eq!(ask("GET", &url, &[], "").status, 401);
    assert_eq!(ask("GET", &url, &[("Authorization", "Bearer wrong")], "").status, 401);
    lab.cloud().set_envelope(SEED_PROVIDER, "not an envelope").unwrap();
    let body = ask("GET", &url, &[("Authorization", "Bearer t0ken")], "").json();
    assert_eq!(body["data"]["attributes"]["adminPw"], "not an envelope");
    assert!(!format!("{:?}", lab.requests()).contains("t0ken"));
}
