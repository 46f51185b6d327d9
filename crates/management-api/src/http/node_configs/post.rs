//! Taking node configs in.

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use crate::{
    http::{
        App, Fault, Problem,
        auth::{Scope, Write},
        json::{NodeConfigJson, ResultJson, ResultStatus, ResultsJson},
        openapi::Problems,
        parse::{Entry, parse},
    },
    metrics::{Metrics, ResultLabels},
    store::{
        content::digest,
        idempotency::{Answer, IdempotencyKey},
        upsert::{Candidate, Outcome, Place, Rejection, Upsert},
    },
};

const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Take node configs in, each wholly or not at all.
///
/// Identical content is `unchanged` and writes nothing. Two nodes may swap an address within one request. A request with an
/// `Idempotency-Key` is answered as the first one with this key was, for a day.
#[utoipa::path(post, path = "/v1/k8s/multinic/node-configs", tag = "node configs",
    params(("x-provider-id" = String, Header, description = "The cluster", pattern = r"^(?!\.{1,2}$)[!-.0-~]{1,128}$"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters",
            pattern = r"^[!-~]{1,255}$")),
    request_body(content = Vec<NodeConfigJson>, content_type = "application/json"),
    responses((status = 200, description = "All were taken", body = ResultsJson),
        (status = 207, description = "Some were rejected", body = ResultsJson),
        (status = 415, description = "The body is not JSON", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "All were rejected, or the key was used for another request",
            content((ResultsJson = "application/json"), (Problem = "application/problem+json"))),
        Problems))]
pub(in crate::http) async fn post(
    State(app): State<App>,
    scope: Scope<Write>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let key = key(&headers)?;
    let held = app.body(&headers, body, app.limits.body).await?;
    let entries = parse(&held.bytes, app.limits.nodes)?;
    let key = key.map(|key| IdempotencyKey {
        key_digest: digest(key.as_bytes()),
        request_digest: digest(&held.bytes),
    });
    drop(held);
    let candidates: Vec<_> = entries.iter().filter_map(Entry::candidate).cloned().collect();
    let upsert = Upsert {
        cluster: &scope.cluster,
        candidates: &candidates,
        caller: &scope.caller.name,
        key: key.as_ref(),
    };
    let upserted = app
        .store
        .upsert(upsert, |outcomes| answer(&app.metrics, &entries, outcomes))
        .await?;
    if upserted.changed > 0 {
        app.changed();
    }
    Ok(respond(upserted.answer, upserted.replayed))
}

fn respond(answer: Answer, replayed: bool) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(CONTENT_TYPE, "application/json")], answer.body).into_response();
    if replayed {
        response
            .headers_mut()
            .insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() || text.len() > 255 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        let fault = Fault::new("idempotency-key", "this cannot be a key");
        return Err(Problem::bad(fault.allowed("1 to 255 visible ASCII characters")));
    }
    Ok(Some(text.to_owned()))
}

/// Puts the outcomes of the good entries and the faults of the bad ones into words, in the order of the request.
fn answer(metrics: &Metrics, entries: &[Entry], outcomes: &[Outcome]) -> Answer {
    let mut outcomes = outcomes.iter();
    let results: Vec<_> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| match entry {
            Entry::Good(candidate) => result(index, candidate, outcomes.next()),
            Entry::Bad { node_name, fault } => rejected(index, node_name.clone(), fault.clone()),
        })
        .collect();
    for result in &results {
        let labels = ResultLabels {
            result: format!("{:?}", result.status).to_lowercase(),
        };
        metrics.node_configs.get_or_create(&labels).inc();
    }
    let bad = results
        .iter()
        .filter(|result| result.status == ResultStatus::Rejected)
        .count();
    let status = match bad {
        0 => StatusCode::OK,
        all if all == results.len() => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::MULTI_STATUS,
    };
    Answer {
        status: status.as_u16(),
        body: serde_json::to_string(&ResultsJson { results }).unwrap_or_default(),
    }
}

fn result(index: usize, candidate: &Candidate, outcome: Option<&Outcome>) -> ResultJson {
    let node_name = candidate.config.node_name.to_string();
    let (status, revision) = match outcome {
        Some(Outcome::Created { revision }) => (ResultStatus::Created, *revision),
        Some(Outcome::Updated { revision }) => (ResultStatus::Updated, *revision),
        Some(Outcome::Unchanged { revision }) => (ResultStatus::Unchanged, *revision),
        Some(Outcome::Rejected(rejection)) => return rejected(index, node_name, fault(index, candidate, rejection)),
        None => {
            return rejected(
                index,
                node_name,
                Fault::new(format!("/{index}"), "it was not looked at"),
            );
        }
    };
    ResultJson {
        index,
        node_name,
        status,
        revision: Some(revision),
        error: None,
        fault: None,
    }
}

fn rejected(index: usize, node_name: String, fault: Fault) -> ResultJson {
    ResultJson {
        index,
        node_name,
        status: ResultStatus::Rejected,
        revision: None,
        error: Some(fault.line()),
        fault: Some(fault),
    }
}

fn fault(index: usize, candidate: &Candidate, rejection: &Rejection) -> Fault {
    let at = |interface, key| {
        let position = candidate
            .config
            .interfaces
            .iter()
            .position(|known| known.id == interface);
        format!("/{index}/interfaces/{}/{key}", position.unwrap_or_default())
    };
    let holder = |place: &Place| format!("interface {} of node {}", place.interface, place.node);
    match rejection {
        Rejection::MacTaken {
            interface,
            mac,
            holder: place,
        } => Fault::new(
            at(*interface, "macAddress"),
            "another interface of the cluster has this MAC address",
        )
        .found(&mac.to_string())
        .other(holder(place)),
        Rejection::AddressTaken {
            interface,
            address,
            holder: place,
        } => Fault::new(
            at(*interface, "address"),
            "another interface of the cluster has this address",
        )
        .found(&address.to_string())
        .other(holder(place)),
        Rejection::Stale { made_from, current } => {
            Fault::new(format!("/{index}/revision"), "somebody else changed the node since")
                .found(&made_from.to_string())
                .allowed(current.to_string())
        }
    }
}
