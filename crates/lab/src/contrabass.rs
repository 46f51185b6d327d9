//! Contrabass: which Keystone, which administrator, which password envelope.
//!
//! Two shapes are deployed: `/api/providers/{id}` answers `{"data": …}`, `/v1/contrabass/admin/infra/provider/{id}`
//! wraps the same in `returnCode`/`returnMessage`, gives the URL without `/v3` and adds RabbitMQ.

use serde_json::{Value, json};

use crate::{
    net::{Reply, Request},
    state::{Provider, State},
};

const PLAIN: &str = "/api/providers/";
const WRAPPED: &str = "/v1/contrabass/admin/infra/provider/";

/// Answers for Contrabass; `keystone` is the lab's own, without `/v3`.
pub(crate) fn answer(state: &State, keystone: &str, request: &Request) -> Reply {
    let path = request.path();
    let (id, wrapped) = match (path.strip_prefix(PLAIN), path.strip_prefix(WRAPPED)) {
        (Some(id), _) => (id, false),
        (None, Some(id)) => (id, true),
        (None, None) => return Reply::json(501, &json!({"error": format!("the lab does not know {path}")})),
    };
    if request.method != "GET" {
        return Reply::json(405, &json!({"error": "only GET"}));
    }
    if state
        .settings
        .contrabass_token
        .as_deref()
        .is_some_and(|token| request.bearer() != Some(token))
    {
        return refusal(wrapped, 401, "Unauthorized");
    }
    match state.providers.get(id) {
        Some(provider) if wrapped => Reply::json(200, &wrapped_body(id, provider, keystone)),
        Some(provider) => Reply::json(200, &json!({"data": data(provider, &format!("{keystone}/v3"))})),
        None => refusal(wrapped, 404, "provider not found"),
    }
}

fn data(provider: &Provider, own_url: &str) -> Value {
    json!({
        "url": provider.url.as_deref().unwrap_or(own_url),
        "attributes": {"adminId": provider.admin_id, "adminPw": provider.admin_pw, "domain": provider.domain},
    })
}

fn wrapped_body(id: &str, provider: &Provider, keystone: &str) -> Value {
    let mut data = data(provider, keystone);
    data["providerId"] = id.into();
    if let Some((id, envelope, addresses)) = &provider.rabbit {
        data["attributes"]["rabbitMQId"] = id.as_str().into();
        data["attributes"]["rabbitMQPw"] = envelope.as_str().into();
        data["attributes"]["rabbitMQUrls"] = json!(addresses);
    }
    json!({"returnCode": "200", "returnMessage": "success", "data": data})
}

fn refusal(wrapped: bool, status: u16, message: &str) -> Reply {
    let body = if wrapped {
        json!({"returnCode": status.to_string(), "returnMessage": message, "data": null})
    } else {
        json!({"error": message})
    };
    Reply::json(status, &body)
}
