//! Nova beyond the recordings. Checked by hand against the real thing (OpenStack Zed).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use multinic_lab::{CloudBuilder, Lab, SEED_PROJECT};
use support::{Answer, admin, ask, get, token};

fn names(answer: &Answer) -> Vec<String> {
    answer.column("servers", "name")
}

fn next(answer: &Answer) -> Option<String> {
    answer.json()["servers_links"][0]["href"]
        .as_str()
        .map(ToOwned::to_owned)
}

fn two_projects() -> Lab {
    let cloud = CloudBuilder::seed()
        .user("member", "member")
        .project("b", "second")
        .vm("foreign")
        .id("foreign-id");
    Lab::start(cloud).unwrap()
}

#[test]
fn following_next_gives_every_server_once_newest_first() {
    let lab = Lab::start(CloudBuilder::sized(12, 0).nova_max_limit(5)).unwrap();
    let token = admin(&lab);
    let expected: Vec<_> = (1..=12).rev().map(CloudBuilder::sized_vm_name).collect();
    for (query, pages) in [("", 3), ("?limit=3", 5), ("?limit=4&name=vm", 4), ("?limit=100", 3)] {
        let (mut seen, mut count) = (Vec::new(), 0);
        let mut url = Some(format!("{}/servers/detail{query}", lab.nova_url()));
        while let Some(page) = url {
            let answer = ask("GET", &page, &[("X-Auth-Token", &token)], "");
            seen.extend(names(&answer));
            count += 1;
            url = next(&answer);
        }
        assert_eq!(seen, expected, "{query}");
        assert_eq!(count, pages, "{query}");
    }
}

#[test]
fn the_next_link_sorts_the_query_and_moves_the_marker() {
    let lab = Lab::start(CloudBuilder::sized(3, 0)).unwrap();
    let token = admin(&lab);
    let first = get(&lab, &token, "/v2.1/servers?name=vm&limit=1");
    let id = &first.column("servers", "id")[0];
    assert_eq!(
        next(&first).unwrap(),
        format!("{}/servers?limit=1&name=vm&marker={id}", lab.nova_url())
    );
}

#[test]
fn without_all_tenants_the_tokens_project_counts_whatever_is_asked_for() {
    let lab = two_projects();
    let token = admin(&lab);
    assert_eq!(names(&get(&lab, &token, "/v2.1/servers?project_id=b")).len(), 3);
    assert_eq!(
        names(&get(&lab, &token, "/v2.1/servers?all_tenants=1&project_id=b")),
        ["foreign"]
    );
    assert_eq!(
        names(&get(&lab, &token, "/v2.1/servers?all_tenants=1&tenant_id=b")),
        ["foreign"]
    );
    assert_eq!(names(&get(&lab, &token, "/v2.1/servers?all_tenants=")).len(), 4);
    assert_eq!(names(&get(&lab, &token, "/v2.1/servers?all_tenants=no")).len(), 3);
    assert_eq!(get(&lab, &token, "/v2.1/servers?all_tenants=abc").status, 400);
    assert_eq!(names(&get(&lab, &token, "/v2.1/servers?uuid=foreign-id")).len(), 0);
    assert_eq!(
        names(&get(&lab, &token, "/v2.1/servers?all_tenants=1&uuid=FOREIGN-ID")),
        ["foreign"]
    );
    assert_eq!(get(&lab, &token, "/v2.1/servers/foreign-id").status, 200);
}

#[test]
fn a_members_uuid_filter_is_dropped_and_foreign_servers_do_not_exist() {
    let lab = two_projects();
    let member = token(&lab, "member", SEED_PROJECT);
    assert_eq!(names(&get(&lab, &member, "/v2.1/servers?uuid=foreign-id")).len(), 3);
    assert_eq!(get(&lab, &member, "/v2.1/servers/foreign-id").status, 404);
    assert_eq!(get(&lab, &member, "/v2.1/servers?marker=foreign-id").status, 400);
    assert_eq!(get(&lab, &member, "/v2.1/servers?all_tenants=1").status, 403);
    assert_eq!(get(&lab, &member, "/v2.1/servers?metadata=x").status, 200);
    assert_eq!(get(&lab, &admin(&lab), "/v2.1/servers?_x=1").status, 400);
}

#[test]
fn names_are_patterns_without_regard_to_case() {
    let lab = two_projects();
    let token = admin(&lab);
    let found = |pattern: &str| names(&get(&lab, &token, &format!("/v2.1/servers?name={pattern}")));
    assert_eq!(found("%5EMEASURE-biz-worker-2%24"), ["measure-biz-worker-2"]);
    assert_eq!(found(r"%5Emeasure%5C-biz%5C-worker%5C-2%24"), ["measure-biz-worker-2"]);
    assert_eq!(
        found("worker-%5B23%5D"),
        ["measure-biz-worker-3", "measure-biz-worker-2"]
    );
    assert_eq!(found("worker-2%7Cworker-3"), [""; 0]);
    assert_eq!(
        found("master&name=worker-2"),
        ["measure-biz-worker-2"],
        "of several the last counts"
    );
    assert_eq!(found("%5Emeasure-biz-worker-2"), ["measure-biz-worker-2"]);
    for bad in ["*", "(", "%5B", ""] {
        assert_eq!(
            get(&lab, &token, &format!("/v2.1/servers?name={bad}")).status,
            400,
            "{bad}"
        );
    }
}

#[test]
fn a_rename_moves_the_server_in_the_index_of_names() {
    let lab = two_projects();
    let token = admin(&lab);
    lab.cloud().rename_vm("measure-biz-worker-2", "other").unwrap();
    assert!(names(&get(&lab, &token, "/v2.1/servers?name=%5Emeasure-biz-worker-2%24")).is_empty());
    assert_eq!(names(&get(&lab, &token, "/v2.1/servers?name=%5Eother%24")), ["other"]);
}

#[test]
fn what_the_lab_does_not_know_is_refused_loudly() {
    let lab = two_projects();
    let token = admin(&lab);
    let refused = [
        "/v2.1/flavors",
        "/v2.1/limits",
        "/v2.1/os-hypervisors",
        "/v2.1/servers?changes-since=2020-01-01T00:00:00Z",
        "/v2.1/servers?sort_key=name",
        "/v2.1/servers?deleted=true",
        "/v2.1/servers?host=compute-1",
        "/v2.1/servers?name=(%3F%3Da)",
        "/v2.1/servers?name=a%7B",
        "/v2.1/servers?name=a**",
        r"/v2.1/servers?name=%5Cq",
        "/v2.1/servers/foreign-id/ips",
    ];
    for path in refused {
        let answer = get(&lab, &token, path);
        assert_eq!(answer.status, 501, "{path}");
        assert!(
            answer.body.contains("the lab's Nova does not know"),
            "{path}: {}",
            answer.body
        );
    }
    for method in ["POST", "PUT", "DELETE"] {
        let url = format!("{}/servers/foreign-id", lab.nova_url());
        assert_eq!(
            ask(method, &url, &[("X-Auth-Token", &token)], "{}").status,
            501,
            "{method}"
        );
    }
}
