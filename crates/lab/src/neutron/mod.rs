//! Neutron v2.0: ports, subnets and networks, read only.

mod networks;
mod page;
mod ports;
mod query;
mod resource;
mod subnets;

use serde_json::{Value, json};

use crate::{
    Service,
    net::{Reply, Request},
    nova::{keystone_away, unauthorized},
    simulator::Urls,
    state::{Network, Port, Scope, State, Subnet, TokenState},
};

/// Collections of the real thing that the lab does not have: refused, so that no test believes an empty answer.
const NOT_SIMULATED: [&str; 16] = [
    "address-",
    "agents",
    "auto-allocated",
    "availability_zones",
    "extensions",
    "flavors",
    "floatingips",
    "metering",
    "network-ip",
    "qos",
    "quotas",
    "rbac-policies",
    "routers",
    "security-group",
    "service-p",
    "subnetpools",
];

/// Answers for Neutron.
pub(crate) fn answer(state: &mut State, urls: &Urls, request: &Request) -> Reply {
    let path = request.path().to_owned();
    if matches!(path.as_str(), "" | "/") {
        return Reply::json(200, &versions(urls));
    }
    let down = state.settings.keystone_down;
    let scope = match state
        .identity
        .check(request.header("x-auth-token"), Service::Neutron, down)
    {
        TokenState::Valid(scope) => scope,
        TokenState::Refused => return unauthorized(urls, "Www-Authenticate"),
        TokenState::Unknowable => return keystone_away(),
    };
    let Some(resource) = path.strip_prefix("/v2.0") else {
        return Fail::no_such_path().reply();
    };
    let resource = resource.trim_matches('/');
    if resource.is_empty() {
        return Reply::json(200, &collections(urls));
    }
    route(state, urls, &scope, request, resource).unwrap_or_else(|fail| fail.reply())
}

fn route(state: &State, urls: &Urls, scope: &Scope, request: &Request, resource: &str) -> Result<Reply, Fail> {
    if NOT_SIMULATED.iter().any(|known| resource.starts_with(known)) {
        return Err(Fail::not_simulated(request));
    }
    let (collection, id) = resource
        .split_once('/')
        .map_or((resource, None), |(name, id)| (name, Some(id)));
    let known = matches!(collection, "ports" | "subnets" | "networks");
    if known && (request.method != "GET" || id.is_some_and(|id| id.contains('/'))) {
        return Err(Fail::not_simulated(request));
    }
    match (collection, id) {
        ("ports", None) => page::list::<Port>(state, urls, scope, request),
        ("ports", Some(id)) => page::show::<Port>(state, scope, request, id),
        ("subnets", None) => page::list::<Subnet>(state, urls, scope, request),
        ("subnets", Some(id)) => page::show::<Subnet>(state, scope, request, id),
        ("networks", None) => page::list::<Network>(state, urls, scope, request),
        ("networks", Some(id)) => page::show::<Network>(state, scope, request, id),
        _ => Err(Fail::no_such_path()),
    }
}

/// An error in Neutron's form.
#[derive(Debug)]
pub(super) struct Fail {
    code: u16,
    kind: String,
    message: String,
}

impl Fail {
    pub fn bad_request(kind: &str, message: String) -> Self {
        Self {
            code: 400,
            kind: kind.to_owned(),
            message,
        }
    }

    /// An id that is not there, or not for this caller to see.
    pub fn not_found(resource: &str, id: &str) -> Self {
        Self {
            code: 404,
            kind: format!("{resource}NotFound"),
            message: format!("{resource} {id} could not be found."),
        }
    }

    /// The real thing would answer; the lab cannot.
    pub fn not_simulated(request: &Request) -> Self {
        let message = format!("the lab's Neutron does not know {} {}", request.method, request.target);
        Self {
            code: 501,
            kind: "NotSimulated".to_owned(),
            message,
        }
    }

    fn no_such_path() -> Self {
        let message = "The resource could not be found.".to_owned();
        Self {
            code: 404,
            kind: "HTTPNotFound".to_owned(),
            message,
        }
    }

    fn reply(&self) -> Reply {
        let error = json!({"type": self.kind, "message": self.message, "detail": ""});
        Reply::json(self.code, &json!({"NeutronError": error}))
    }
}

fn versions(urls: &Urls) -> Value {
    let link = json!({"rel": "self", "href": format!("{}/v2.0/", urls.neutron)});
    json!({"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})
}

fn collections(urls: &Urls) -> Value {
    let resource = |(name, collection): (&str, &str)| {
        let link = json!({"rel": "self", "href": format!("{}/v2.0/{collection}", urls.neutron)});
        json!({"name": name, "collection": collection, "links": [link]})
    };
    let all = [
        ("network", "networks"),
        ("subnet", "subnets"),
        ("subnetpool", "subnetpools"),
        ("port", "ports"),
    ];
    json!({"resources": all.map(resource)})
}
