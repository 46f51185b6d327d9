//! Keystone v3: versions, tokens, the catalog, and as much about projects as a client asks.

mod catalog;
mod projects;
mod tokens;

use serde_json::{Value, json};

use crate::{
    Service,
    net::{Reply, Request},
    simulator::Urls,
    state::{Scope, State, TokenState},
};

/// Answers for Keystone.
pub(crate) fn answer(state: &mut State, urls: &Urls, request: &Request) -> Reply {
    if state.settings.keystone_down {
        return Reply::text(503, "text/html", "<html><body>Service Unavailable</body></html>");
    }
    let path = request.path().to_owned();
    let reply = match (request.method.as_str(), path.as_str()) {
        ("GET", "" | "/") => versions(urls),
        ("GET", "/v3" | "/v3/") => Reply::json(200, &json!({"version": version(urls)})),
        (method, "/v3/auth/tokens") => tokens::answer(state, urls, method, request),
        ("GET", path) if path.starts_with("/v3/") => scoped(state, urls, request, path),
        _ => not_simulated(request),
    };
    reply.header("Vary", "X-Auth-Token")
}

fn scoped(state: &mut State, urls: &Urls, request: &Request, path: &str) -> Reply {
    let known = path == "/v3/auth/catalog" || path == "/v3/auth/projects" || path.starts_with("/v3/projects");
    if !known {
        return not_simulated(request);
    }
    let token = request.header("x-auth-token");
    let TokenState::Valid(scope) = state.identity.check(token, Service::Keystone, false) else {
        return unauthorized(urls);
    };
    match path {
        "/v3/auth/catalog" => catalog::answer(state, urls, &scope),
        "/v3/auth/projects" => projects::own(state, urls, &scope),
        "/v3/projects" => projects::list(state, urls, &scope, request),
        path => projects::show(state, urls, &scope, path.trim_start_matches("/v3/projects/")),
    }
}

fn versions(urls: &Urls) -> Reply {
    Reply::json(300, &json!({"versions": {"values": [version(urls)]}}))
        .header("Location", format!("{}/v3/", urls.keystone))
}

fn version(urls: &Urls) -> Value {
    json!({
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{}/v3/", urls.keystone)}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    })
}

fn error(code: u16, title: &str, message: &str) -> Reply {
    Reply::json(
        code,
        &json!({"error": {"code": code, "message": message, "title": title}}),
    )
}

/// Wrong password, unknown user, wrong project, no role, disabled user, bad token: always the same.
fn unauthorized(urls: &Urls) -> Reply {
    error(
        401,
        "Unauthorized",
        "The request you have made requires authentication.",
    )
    .header("WWW-Authenticate", format!("Keystone uri=\"{}/v3\"", urls.keystone))
}

fn forbidden(action: &str) -> Reply {
    let message = format!("You are not authorized to perform the requested action: {action}.");
    error(403, "Forbidden", &message)
}

fn bad_request(what: &str) -> Reply {
    let rest = "The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.";
    error(400, "Bad Request", &format!("{what} {rest}"))
}

fn not_simulated(request: &Request) -> Reply {
    error(
        501,
        "Not Implemented",
        &format!("the lab's Keystone does not know {} {}", request.method, request.path()),
    )
}

/// The roles as a token and the policies see them.
fn is_admin(scope: &Scope) -> bool {
    scope.admin
}
