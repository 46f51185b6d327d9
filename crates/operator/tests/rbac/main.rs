//! The permissions of deploy/operator/rbac.yaml against the requests that the operator makes: nothing is missing, and
//! nothing is superfluous.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod life;
mod rules;

use std::collections::BTreeSet;

use life::{NAMESPACE, USER};
use rules::{Need, Permission, Scope};

#[tokio::test]
async fn the_permissions_are_exactly_those_that_a_life_needs() {
    let lab = life::live().await;
    let permissions = rules::permissions(&lab);
    let needs = rules::needs(&lab.requests(), USER);

    let missing: Vec<_> = needs.iter().filter(|need| !granted(&permissions, need)).collect();
    assert!(missing.is_empty(), "not permitted: {missing:#?}");

    let superfluous: Vec<_> = permissions
        .iter()
        .filter(|permission| {
            let others = permissions.iter().filter(|other| other != permission);
            let others: Vec<Permission> = others.cloned().collect();
            needs.iter().all(|need| granted(&others, need))
        })
        .collect();
    assert!(superfluous.is_empty(), "needed by nothing: {superfluous:#?}");

    let loose: Vec<_> = permissions
        .iter()
        .filter(|permission| is_loose(permission, &needs))
        .collect();
    assert!(loose.is_empty(), "could be narrower: {loose:#?}");
}

#[tokio::test]
async fn no_secret_and_no_config_map_of_another_namespace_can_be_read() {
    let lab = life::cluster().await;
    let everywhere: Vec<_> = rules::permissions(&lab)
        .into_iter()
        .filter(|permission| permission.scope == Scope::Everywhere)
        .collect();
    assert!(!everywhere.is_empty());
    for permission in everywhere {
        let group = permission.group.as_str();
        assert!(
            ["multinic.example.com", "events.k8s.io"].contains(&group),
            "{permission:?}"
        );
    }
}

fn granted(permissions: &[Permission], need: &Need) -> bool {
    permissions.iter().any(|permission| permission.grants(need))
}

/// Whether it covers one namespace or one name only, and could say so. Names of users' objects are their choice.
fn is_loose(permission: &Permission, needs: &[Need]) -> bool {
    let met: Vec<_> = needs.iter().filter(|need| permission.grants(need)).collect();
    let names: BTreeSet<_> = met.iter().map(|need| need.name.as_str()).collect();
    match permission.scope {
        Scope::Everywhere => met.iter().all(|need| need.namespace == NAMESPACE),
        Scope::OwnNamespace => {
            let said = permission.name.is_some() || names.contains("") || permission.resource == "secrets";
            !said && names.len() == 1
        }
    }
}
