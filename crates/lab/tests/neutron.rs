//! Neutron beyond the recordings: pages to the end and back, shared networks, refusals. Checked by hand against the real
//! thing (OpenStack Zed).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use multinic_lab::{CloudBuilder, Lab, SEED_PROJECT};
use serde_json::json;
use support::{Answer, admin, ask, get, token};

const NETWORKS: &str = "/v2.0/networks?fields=name&fields=shared";

fn link(answer: &Answer, rel: &str) -> Option<String> {
    let body = answer.json();
    let links = body["ports_links"].as_array().cloned().unwrap_or_default();
    let found = links.iter().find(|link| link["rel"] == rel)?;
    Some(found["href"].as_str().unwrap().to_owned())
}

#[test]
fn following_next_gives_every_port_once_and_previous_leads_back() {
    let lab = Lab::start(CloudBuilder::sized(5, 4)).unwrap();
    let token = admin(&lab);
    let all = get(&lab, &token, "/v2.0/ports").column("ports", "id");
    assert!(all.is_sorted() && all.len() == 20);
    for limit in [1, 3, 5, 19, 20, 21] {
        let (mut seen, mut pages) = (Vec::new(), 0);
        let mut next = Some(format!("{}/v2.0/ports?limit={limit}&fields=id", lab.neutron_url()));
        let mut last = None;
        while let Some(url) = next {
            let answer = ask("GET", &url, &[("X-Auth-Token", &token)], "");
            seen.extend(answer.column("ports", "id"));
            pages += 1;
            next = link(&answer, "next");
            last = Some(answer);
        }
        assert_eq!(seen, all, "limit {limit}");
        // A full last page is followed by an empty one.
        assert_eq!(pages, 20 / limit + 1, "limit {limit}");
        let back = ask(
            "GET",
            &link(&last.unwrap(), "previous").unwrap(),
            &[("X-Auth-Token", &token)],
            "",
        );
        assert_eq!(back.column("ports", "id").is_empty(), pages == 1, "limit {limit}");
    }
}

#[test]
fn the_way_back_is_the_pages_in_reverse() {
    let lab = Lab::start(CloudBuilder::sized(3, 2)).unwrap();
    let token = admin(&lab);
    let all = get(&lab, &token, "/v2.0/ports").column("ports", "id");
    let last = get(&lab, &token, "/v2.0/ports?limit=2&page_reverse=True");
    assert_eq!(last.column("ports", "id"), all[4..]);
    let before = ask(
        "GET",
        &link(&last, "previous").unwrap(),
        &[("X-Auth-Token", &token)],
        "",
    );
    assert_eq!(before.column("ports", "id"), all[2..4]);
    let on = ask("GET", &link(&before, "next").unwrap(), &[("X-Auth-Token", &token)], "");
    assert_eq!(on.column("ports", "id"), all[4..]);
}

#[test]
fn a_marker_without_a_limit_is_ignored_and_of_several_limits_the_last_counts() {
    let lab = Lab::start(CloudBuilder::sized(3, 1)).unwrap();
    let token = admin(&lab);
    let all = get(&lab, &token, "/v2.0/ports").column("ports", "id");
    assert_eq!(
        get(&lab, &token, &format!("/v2.0/ports?marker={}", all[1])).column("ports", "id"),
        all
    );
    assert_eq!(get(&lab, &token, "/v2.0/ports?marker=nope").column("ports", "id"), all);
    assert_eq!(
        get(&lab, &token, "/v2.0/ports?limit=1&limit=2").column("ports", "id"),
        all[..2]
    );
}

#[test]
fn filters_compare_without_regard_to_case_and_the_values_of_one_are_alternatives() {
    let lab = Lab::start(CloudBuilder::sized_over(4, 2)).unwrap();
    let token = admin(&lab);
    let count = |query: &str| {
        get(&lab, &token, &format!("/v2.0/ports?{query}"))
            .column("ports", "id")
            .len()
    };
    let ids = get(&lab, &token, "/v2.1/servers").column("servers", "id");
    assert_eq!(
        count(&format!("device_id={}&device_id={}", ids[0].to_uppercase(), ids[1])),
        4
    );
    assert_eq!(count("fixed_ips=subnet_id%3Dsub-1&fixed_ips=subnet_id%3Dsub-2"), 8);
    assert_eq!(count("fixed_ips=subnet_id%3Dsub-1&fixed_ips=ip_address%3D10.1.0.10"), 1);
    assert_eq!(count("fixed_ips=subnet_id%3Dsub-2&fixed_ips=ip_address%3D10.1.0.10"), 0);
    assert_eq!(count("fixed_ips=foo%3D1"), 8, "unknown kinds are ignored");
    assert_eq!(count("status=active"), 8);
    assert_eq!(count(&format!("device_id={}&status=DOWN", ids[0])), 0);
    let subnets = get(&lab, &token, "/v2.0/subnets?name=SUB-1&name=sub-2").column("subnets", "name");
    assert_eq!(subnets, ["sub-1", "sub-2"]);
    let bad = get(&lab, &token, "/v2.0/ports?fixed_ips=foo");
    assert_eq!(
        (bad.status, bad.json()["NeutronError"]["type"].as_str()),
        (400, Some("InvalidInput"))
    );
}

#[test]
fn values_of_the_wrong_kind_are_refused_as_neutron_does() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    let refused = [
        ("networks?mtu=abc", "'abc' is not an integer."),
        ("subnets?ip_version=", "'' is not an integer."),
        ("subnets?cidr=x", "x is not in a CIDR format."),
        ("ports?fixed_ips==", "'=' is not of the form <key>=[value]."),
        ("networks?router:external=foo", "'foo' cannot be converted to boolean."),
    ];
    for (query, message) in refused {
        let answer = get(&lab, &token, &format!("/v2.0/{query}"));
        let expected = format!("Invalid input for operation: {message}");
        assert_eq!(answer.json()["NeutronError"]["message"], expected, "{query}");
        assert_eq!(answer.status, 400, "{query}");
    }
    let found = |cidr: &str| get(&lab, &token, &format!("/v2.0/subnets?cidr={cidr}")).column("subnets", "name");
    assert_eq!(found("192.168.10.7/24"), ["test-sub"], "host bits are cut off");
    assert_eq!(found("192.168.10.0"), [""; 0]);
    let first = get(&lab, &token, "/v2.0/ports?limit=1&marker=").column("ports", "id");
    assert_eq!(first.len(), 1, "an empty marker is none");
}

/// Two projects; one network is shared by nobody, one with everybody, one with the second project only.
fn shared_cloud() -> CloudBuilder {
    CloudBuilder::new()
        .provider("p")
        .project("b", "second")
        .user("second-member", "member")
        .project("c", "third")
        .user("third-member", "member")
        .project(SEED_PROJECT, "first")
        .network("private")
        .subnet("private-sub", "10.1.0.0/24")
        .id("private-sub")
        .network("public")
        .shared()
        .subnet("public-sub", "10.2.0.0/24")
        .id("public-sub")
        .network("rbac")
        .shared_with("b")
        .subnet("rbac-sub", "10.3.0.0/24")
        .id("rbac-sub")
        .vm("owner")
        .port("private-sub")
        .in_project("b")
        .vm("guest")
        .port("public-sub")
}

#[test]
fn a_member_sees_own_and_shared_networks_and_their_subnets() {
    let lab = Lab::start(shared_cloud()).unwrap();
    let names = |token: &str, path: &str, key: &str| {
        let mut names = get(&lab, token, path).column(key, "name");
        names.sort();
        names
    };
    let second = token(&lab, "second-member", "b");
    let third = token(&lab, "third-member", "c");
    assert_eq!(names(&second, "/v2.0/networks", "networks"), ["public", "rbac"]);
    assert_eq!(names(&third, "/v2.0/networks", "networks"), ["public"]);
    assert_eq!(names(&second, "/v2.0/subnets", "subnets"), ["public-sub", "rbac-sub"]);
    assert_eq!(get(&lab, &third, "/v2.0/subnets/rbac-sub").status, 404);
    assert_eq!(
        names(&admin(&lab), "/v2.0/networks", "networks"),
        ["private", "public", "rbac"]
    );
}

#[test]
fn shared_says_whether_it_is_shared_with_the_one_who_asks() {
    let lab = Lab::start(shared_cloud()).unwrap();
    let shared = |token: &str, query: &str| {
        let mut names = get(&lab, token, &format!("{NETWORKS}&{query}")).column("networks", "name");
        names.sort();
        names
    };
    let in_first = admin(&lab);
    let in_second = token(&lab, "admin", "b");
    assert_eq!(shared(&in_first, "shared=true"), ["public"]);
    assert_eq!(shared(&in_second, "shared=true"), ["public", "rbac"]);
    assert_eq!(shared(&in_second, "shared=false"), ["private"]);
    let subnets = get(&lab, &in_second, "/v2.0/subnets?shared=true")
        .column("subnets", "name")
        .len();
    assert_eq!(subnets, 2);
    let bad = get(&lab, &in_first, "/v2.0/networks?shared=foo").json();
    assert_eq!(
        bad["NeutronError"]["message"],
        "Invalid input for operation: 'foo' cannot be converted to boolean."
    );
}

#[test]
fn a_network_owner_sees_foreign_ports_on_it_and_a_guest_only_its_own() {
    let lab = Lab::start(shared_cloud()).unwrap();
    let guest = token(&lab, "second-member", "b");
    assert_eq!(get(&lab, &guest, "/v2.0/ports").column("ports", "project_id"), ["b"]);
    let third = token(&lab, "third-member", "c");
    assert_eq!(get(&lab, &third, "/v2.0/ports").json(), json!({"ports": []}));
}

#[test]
fn what_the_lab_does_not_know_is_refused_loudly() {
    let lab = Lab::start(CloudBuilder::seed()).unwrap();
    let token = admin(&lab);
    let refused = [
        "/v2.0/routers",
        "/v2.0/security-groups",
        "/v2.0/extensions",
        "/v2.0/agents",
        "/v2.0/ports?tags=a",
        "/v2.0/ports?sort_key=name&sort_dir=asc",
        "/v2.0/networks?provider:network_type=vxlan",
        "/v2.0/ports/x/bindings",
    ];
    for path in refused {
        let answer = get(&lab, &token, path);
        assert_eq!(answer.status, 501, "{path}");
        assert!(
            answer.body.contains("the lab's Neutron does not know"),
            "{path}: {}",
            answer.body
        );
    }
    for method in ["POST", "PUT", "DELETE"] {
        let url = format!("{}/v2.0/ports", lab.neutron_url());
        assert_eq!(
            ask(method, &url, &[("X-Auth-Token", &token)], "{}").status,
            501,
            "{method}"
        );
    }
}
