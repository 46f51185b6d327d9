//! Projects, read only.

use serde_json::{Value, json};

use super::{error, forbidden, is_admin, not_simulated};
use crate::{
    net::{Reply, Request},
    simulator::Urls,
    state::{Project, Scope, State},
};

/// `GET /v3/auth/projects`: where the user has a role.
pub(super) fn own(state: &State, urls: &Urls, scope: &Scope) -> Reply {
    let user = state.identity.user(&scope.user);
    let mine = |project: &&Project| user.is_some_and(|user| !user.roles_in(&project.id).is_empty());
    listing(urls, "/v3/auth/projects", state.identity.projects.values().filter(mine))
}

/// `GET /v3/projects`, with a name or without.
pub(super) fn list(state: &State, urls: &Urls, scope: &Scope, request: &Request) -> Reply {
    if !is_admin(scope) {
        return forbidden("identity:list_projects");
    }
    let query = request.query();
    if query.iter().any(|(key, _)| key != "name") {
        return not_simulated(request);
    }
    let wanted = |project: &&Project| query.iter().all(|(_, name)| same_name(name, &project.name));
    let self_link = request.target.clone();
    listing(urls, &self_link, state.identity.projects.values().filter(wanted))
}

/// `GET /v3/projects/{id}`.
pub(super) fn show(state: &State, urls: &Urls, scope: &Scope, id: &str) -> Reply {
    let project = state
        .identity
        .projects
        .get(id)
        .filter(|_| is_admin(scope) || scope.project.as_deref() == Some(id));
    match project {
        Some(project) => Reply::json(200, &json!({"project": body(urls, project)})),
        None if is_admin(scope) => error(404, "Not Found", &format!("Could not find project: {id}.")),
        None => forbidden("identity:get_project"),
    }
}

/// Keystone compares names without regard to case (its database does).
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn listing<'a>(urls: &Urls, target: &str, projects: impl Iterator<Item = &'a Project>) -> Reply {
    let projects: Vec<_> = projects.map(|project| body(urls, project)).collect();
    let links = json!({"next": null, "self": format!("{}{target}", urls.keystone), "previous": null});
    Reply::json(200, &json!({"projects": projects, "links": links}))
}

fn body(urls: &Urls, project: &Project) -> Value {
    json!({
        "id": &*project.id,
        "name": project.name,
        "domain_id": "default",
        "description": "",
        "enabled": true,
        "parent_id": "default",
        "is_domain": false,
        "tags": [],
        "options": {},
        "links": {"self": format!("{}/v3/projects/{}", urls.keystone, project.id)},
    })
}
