//! Tokens: issued for a password or another token, validated, revoked.

use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{bad_request, catalog, error, forbidden, is_admin, not_simulated, projects::same_name, unauthorized};
use crate::{
    Service,
    ids::{self, Id},
    net::{Reply, Request},
    simulator::Urls,
    state::{Project, Scope, State, Token, TokenState, User},
};

/// Everything under `/v3/auth/tokens`.
pub(super) fn answer(state: &mut State, urls: &Urls, method: &str, request: &Request) -> Reply {
    match method {
        "POST" => issue(state, urls, request).unwrap_or_else(|reply| reply),
        "GET" | "HEAD" => with_subject(state, urls, request, validate),
        "DELETE" => with_subject(state, urls, request, revoke),
        _ => Reply::json(
            405,
            &json!({"message": "The method is not allowed for the requested URL."}),
        )
        .header("Allow", "GET, HEAD, POST, DELETE, OPTIONS"),
    }
}

/// Whether the answer to `POST` or `GET` carries the catalog.
fn wants_catalog(request: &Request) -> bool {
    !request.query().iter().any(|(key, _)| key == "nocatalog")
}

fn issue(state: &mut State, urls: &Urls, request: &Request) -> Result<Reply, Reply> {
    if request.body.is_empty() {
        return Err(bad_request("Expecting to find auth in request body."));
    }
    let body = request
        .json_object()
        .ok_or_else(|| bad_request("Expecting to find valid JSON in request body."))?;
    let (user, methods, expires) = authenticate(state, &body["auth"]["identity"], request)?;
    let user = user.ok_or_else(|| unauthorized(urls))?;
    let scope = scope(state, urls, &user, &body["auth"]["scope"], request)?;
    let expires = expires.unwrap_or_else(|| SystemTime::now() + state.settings.token_ttl);
    let (text, token) = state.identity.issue(scope, methods, expires);
    let token = token.clone();
    let body = token_body(state, urls, &token, wants_catalog(request));
    Ok(Reply::json(201, &body).header("X-Subject-Token", text))
}

/// Who this is, how that was shown, and when it ends if not by the usual lifetime.
type Authenticated = (Option<User>, Vec<&'static str>, Option<SystemTime>);

/// Tries every method that is named; the last one decides.
fn authenticate(state: &mut State, identity: &Value, request: &Request) -> Result<Authenticated, Reply> {
    let missing = "'identity' is a required property\n\nFailed validating 'required' in schema";
    let methods = identity["methods"]
        .as_array()
        .ok_or_else(|| error(400, "Bad Request", missing))?;
    let mut found = (None, Vec::new(), None);
    for method in methods.iter().filter_map(Value::as_str) {
        if identity[method].is_null() {
            return Err(bad_request(&format!("Expecting to find {method} in identity.")));
        }
        found = match method {
            "password" => (by_password(state, &identity[method]["user"])?, vec!["password"], None),
            "token" => by_token(state, &identity[method])?,
            _ => return Err(not_simulated(request)),
        };
    }
    Ok(found)
}

/// The enabled user with that password; `None` for every reason that is a 401.
fn by_password(state: &State, user: &Value) -> Result<Option<User>, Reply> {
    let domain = &user["domain"];
    if user["id"].is_null() && domain["id"].is_null() && domain["name"].is_null() {
        return Err(bad_request("Expecting to find domain in user."));
    }
    let is_meant = |candidate: &&User| match (user["id"].as_str(), user["name"].as_str()) {
        (Some(id), _) => &*candidate.id == id,
        (None, Some(name)) => same_name(&candidate.name, name) && in_domain(domain, &candidate.domain),
        (None, None) => false,
    };
    let found = state.identity.users.iter().find(is_meant);
    Ok(found
        .filter(|found| found.enabled && user["password"].as_str() == Some(&found.password))
        .cloned())
}

/// A domain's id is exact, its name (the id with a capital) is not.
fn in_domain(wanted: &Value, domain: &str) -> bool {
    match (wanted["id"].as_str(), wanted["name"].as_str()) {
        (Some(id), _) => id == domain,
        (None, Some(name)) => same_name(name, domain),
        (None, None) => false,
    }
}

fn by_token(state: &mut State, token: &Value) -> Result<Authenticated, Reply> {
    let text = token["id"].as_str().unwrap_or_default();
    match state.identity.check(Some(text), Service::Keystone, false) {
        TokenState::Valid(scope) => {
            // The new token ends with the old one.
            let expires = state.identity.tokens.get(text).map(|token| token.expires);
            Ok((
                state.identity.user(&scope.user).cloned(),
                vec!["password", "token"],
                expires,
            ))
        }
        _ => Err(error(404, "Not Found", "Could not recognize Fernet token")),
    }
}

fn scope(state: &State, urls: &Urls, user: &User, scope: &Value, request: &Request) -> Result<Scope, Reply> {
    if scope.is_null() || scope == "unscoped" || !scope["unscoped"].is_null() {
        return Ok(Scope {
            user: Id::clone(&user.id),
            project: None,
            admin: false,
        });
    }
    let Some(project) = scope.get("project") else {
        if scope.as_object().is_some_and(|scope| !scope.is_empty()) {
            return Err(not_simulated(request));
        }
        let all = "system, project, domain, OS-TRUST:trust or unscoped";
        return Err(bad_request(&format!("Expecting to find {all} in scope.")));
    };
    let found = project_of_scope(state, project)?;
    let project = found
        .filter(|project| !user.roles_in(&project.id).is_empty())
        .ok_or_else(|| unauthorized(urls))?;
    let admin = user.roles_in(&project.id).contains("admin");
    Ok(Scope {
        user: Id::clone(&user.id),
        project: Some(Id::clone(&project.id)),
        admin,
    })
}

fn project_of_scope<'a>(state: &'a State, wanted: &Value) -> Result<Option<&'a Project>, Reply> {
    let mut projects = state.identity.projects.values();
    match (wanted["id"].as_str(), wanted["name"].as_str()) {
        (Some(id), _) => Ok(projects.find(|project| same_name(&project.id, id))),
        (None, Some(_)) if !wanted["domain"].is_object() => Err(bad_request("Expecting to find domain in project.")),
        (None, Some(name)) => {
            Ok(projects.find(|project| same_name(&project.name, name) && in_domain(&wanted["domain"], "default")))
        }
        (None, None) => {
            let message = "Invalid input for field scope/project: id or name must be present.";
            Err(error(400, "Bad Request", message))
        }
    }
}

fn with_subject(
    state: &mut State,
    urls: &Urls,
    request: &Request,
    act: fn(&mut State, &Urls, &Request, &str, &Scope) -> Reply,
) -> Reply {
    let caller = state
        .identity
        .check(request.header("x-auth-token"), Service::Keystone, false);
    let TokenState::Valid(caller) = caller else {
        return unauthorized(urls);
    };
    match request.header("x-subject-token") {
        Some(subject) => {
            let subject = subject.to_owned();
            act(state, urls, request, &subject, &caller)
        }
        None => error(404, "Not Found", "No token in the request"),
    }
}

fn validate(state: &mut State, urls: &Urls, request: &Request, subject: &str, caller: &Scope) -> Reply {
    let own = request.header("x-auth-token") == Some(subject);
    if !own && !is_admin(caller) {
        return forbidden("identity:validate_token");
    }
    let Some(token) = state.identity.tokens.get(subject).cloned() else {
        return error(404, "Not Found", "Could not recognize Fernet token");
    };
    let allow_expired = request
        .query()
        .iter()
        .any(|(key, value)| key == "allow_expired" && value != "0");
    if token.revoked || (token.expires <= SystemTime::now() && !allow_expired) {
        return error(404, "Not Found", "Failed to validate token");
    }
    let body = token_body(state, urls, &token, wants_catalog(request));
    Reply::json(200, &body).header("X-Subject-Token", subject)
}

fn revoke(state: &mut State, _: &Urls, request: &Request, subject: &str, caller: &Scope) -> Reply {
    if request.header("x-auth-token") != Some(subject) && !is_admin(caller) {
        return forbidden("identity:revoke_token");
    }
    match state.identity.tokens.get_mut(subject) {
        Some(token) => {
            token.revoked = true;
            Reply::empty(204)
        }
        None => error(404, "Not Found", "Could not recognize Fernet token"),
    }
}

fn token_body(state: &State, urls: &Urls, token: &Token, catalog: bool) -> Value {
    let Scope { user, project, .. } = &token.scope;
    let user = state.identity.user(user);
    let domain = user.map_or("default", |user| &user.domain);
    let mut body = json!({
        "methods": token.methods,
        "user": {
            "domain": {"id": domain, "name": capitalised(domain)},
            "id": user.map(|user| &*user.id),
            "name": user.map(|user| &user.name),
            "password_expires_at": null,
        },
        "audit_ids": [&ids::hex("audit", token.number)[..22]],
        "expires_at": micros(token.expires),
        "issued_at": micros(token.issued),
    });
    if let Some(project) = project
        .as_ref()
        .and_then(|project| state.identity.projects.get(project))
    {
        let roles = user.map(|user| user.roles_in(&project.id)).unwrap_or_default();
        body["project"] = json!({
            "domain": {"id": "default", "name": "Default"},
            "id": &*project.id,
            "name": project.name,
        });
        body["is_domain"] = false.into();
        body["roles"] = roles
            .iter()
            .map(|role| json!({"id": &*ids::hex(role, 0), "name": role}))
            .collect();
        if catalog {
            body["catalog"] = catalog::entries(&state.settings, urls);
        }
    }
    json!({"token": body})
}

fn capitalised(domain: &str) -> String {
    let mut letters = domain.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// Keystone gives whole seconds with six zeros.
fn micros(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S.000000Z").to_string()
}
