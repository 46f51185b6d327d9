//! Nova 2.1 to 2.93: versions and servers, read only.

mod body;
mod filters;
mod list;
mod microversion;

use serde_json::{Value, json};

use crate::{
    Service,
    net::{Json, Reply, Request},
    simulator::Urls,
    state::{Scope, Server, State, TokenState},
};
use microversion::Microversion;

/// Resources of the real thing that the lab does not have: refused, so that no test believes an empty answer.
const NOT_SIMULATED: [&str; 7] = [
    "flavors",
    "images",
    "limits",
    "extensions",
    "os-",
    "ips",
    "server_groups",
];

/// Who asks, and in which version.
struct Caller {
    pub scope: Scope,
    pub version: Microversion,
}

/// Answers for Nova.
pub(crate) fn answer(state: &mut State, urls: &Urls, request: &Request) -> Reply {
    let path = request.path().to_owned();
    if matches!(path.as_str(), "" | "/") {
        return Reply::json(200, &versions(urls));
    }
    let is_version = matches!(path.as_str(), "/v2.1" | "/v2.1/");
    let scope = match authenticate(state, urls, request) {
        Ok(scope) => scope,
        Err(_) if is_version => Scope {
            user: "".into(),
            project: None,
            admin: false,
        },
        Err(reply) => return reply,
    };
    let Some(resource) = path.strip_prefix("/v2.1").map(|path| path.trim_start_matches('/')) else {
        return not_simulated(request);
    };
    let version = match Microversion::of(request) {
        Ok(version) => version,
        Err(reply) => return reply,
    };
    let caller = Caller { scope, version };
    if is_version {
        return finish(version, Ok(Reply::json(200, &json!({"version": current(urls, true)}))));
    }
    match route(state, urls, &caller, request, resource) {
        Some(result) => finish(version, result),
        None if NOT_SIMULATED.iter().any(|known| resource.contains(known)) => not_simulated(request),
        None => resource_404(),
    }
}

fn route(
    state: &State,
    urls: &Urls,
    caller: &Caller,
    request: &Request,
    resource: &str,
) -> Option<Result<Reply, Fail>> {
    let parts: Vec<_> = resource.split('/').collect();
    if request.method != "GET" {
        return parts.starts_with(&["servers"]).then(|| Ok(not_simulated(request)));
    }
    match *parts.as_slice() {
        ["servers"] => Some(list::answer(state, urls, caller, request, false)),
        ["servers", "detail"] => Some(list::answer(state, urls, caller, request, true)),
        ["servers", id] if !id.is_empty() => {
            Some(find(state, caller, id).map(|server| body::show(state, urls, caller, server)))
        }
        ["servers", id, "metadata"] => {
            Some(find(state, caller, id).map(|server| Reply::json(200, &json!({"metadata": server.metadata}))))
        }
        ["servers", id, "os-interface"] => {
            Some(find(state, caller, id).map(|server| json_reply(|json| body::interfaces(state, server, json))))
        }
        _ => None,
    }
}

/// An administrator finds every project's server, anybody else only the own project's.
fn find<'a>(state: &'a State, caller: &Caller, id: &str) -> Result<&'a Server, Fail> {
    let server = state.servers.get(id).filter(|server| caller.may_see(server));
    server.ok_or_else(|| Fail::new(404, "itemNotFound", format!("Instance {id} could not be found.")))
}

impl Caller {
    pub fn may_see(&self, server: &Server) -> bool {
        self.scope.admin || self.scope.project.as_ref() == Some(&server.project)
    }
}

/// An error in Nova's usual form: `{"badRequest": {"code": 400, "message": …}}`.
pub(super) struct Fail {
    code: u16,
    kind: &'static str,
    message: String,
}

impl Fail {
    pub fn new(code: u16, kind: &'static str, message: String) -> Self {
        Self { code, kind, message }
    }

    pub fn bad_request(message: String) -> Self {
        Self::new(400, "badRequest", message)
    }

    pub fn reply(&self) -> Reply {
        let body = json!({self.kind: {"code": self.code, "message": self.message}});
        Reply::text(self.code, "application/json; charset=UTF-8", body.to_string())
    }
}

fn finish(version: Microversion, result: Result<Reply, Fail>) -> Reply {
    version.announce(result.unwrap_or_else(|fail| fail.reply()))
}

fn json_reply(write: impl FnOnce(&mut Json)) -> Reply {
    let mut json = Json::default();
    json.object(write);
    Reply::text(200, "application/json", json.into_bytes())
}

fn authenticate(state: &mut State, urls: &Urls, request: &Request) -> Result<Scope, Reply> {
    let down = state.settings.keystone_down;
    match state
        .identity
        .check(request.header("x-auth-token"), Service::Nova, down)
    {
        TokenState::Valid(scope) => Ok(scope),
        TokenState::Refused => Err(unauthorized(urls, "WWW-Authenticate")),
        TokenState::Unknowable => Err(keystone_away()),
    }
}

/// The 401 of keystonemiddleware, the same in Nova and Neutron but for the header's case.
pub(crate) fn unauthorized(urls: &Urls, header: &'static str) -> Reply {
    let message = "The request you have made requires authentication.";
    Reply::json(
        401,
        &json!({"error": {"code": 401, "title": "Unauthorized", "message": message}}),
    )
    .header(header, format!("Keystone uri=\"{}/v3\"", urls.keystone))
}

/// The 503 of keystonemiddleware: Keystone is away and the token is not in the cache.
pub(crate) fn keystone_away() -> Reply {
    let message = "The server is currently unavailable. Please try again at a later time.<br /><br />\nThe Keystone service is temporarily unavailable.\n\n";
    Reply::json(
        503,
        &json!({"message": message, "code": "503 Service Unavailable", "title": "Service Unavailable"}),
    )
}

fn resource_404() -> Reply {
    let message = "The resource could not be found.<br /><br />\n\n\n";
    Reply::json(
        404,
        &json!({"message": message, "code": "404 Not Found", "title": "Not Found"}),
    )
}

fn not_simulated(request: &Request) -> Reply {
    let message = format!("the lab's Nova does not know {} {}", request.method, request.target);
    Fail::new(501, "notImplemented", message).reply()
}

fn versions(urls: &Urls) -> Value {
    json!({"versions": [
        {
            "id": "v2.0", "status": "SUPPORTED", "version": "", "min_version": "",
            "updated": "2011-01-21T11:33:21Z",
            "links": [{"rel": "self", "href": format!("{}/v2/", urls.nova)}],
        },
        current(urls, false),
    ]})
}

fn current(urls: &Urls, full: bool) -> Value {
    let mut version = json!({
        "id": "v2.1", "status": "CURRENT", "version": "2.93", "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": format!("{}/v2.1/", urls.nova)}],
    });
    if full {
        let docs = json!({"rel": "describedby", "type": "text/html", "href": "http://docs.openstack.org/"});
        version["links"] = json!([version["links"][0], docs]);
        version["media-types"] =
            json!([{"base": "application/json", "type": "application/vnd.openstack.compute+json;version=2.1"}]);
    }
    version
}
