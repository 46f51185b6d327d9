//! Every request's way: known user, log, faults, answer.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::body::Body;
use http::{HeaderMap, Request, Response, header};
use tokio::sync::watch;

use super::{answer::Answer, body, info::Info, query::Query, resources::Call};
use crate::{
    discovery,
    fault::{Effect, Faults},
    log::{Log, LoggedRequest},
    reviews::Reviews,
    state::State,
    status::ApiError,
};

/// What every connection works with.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// Users by token; nobody is asked for a token when there are none.
    pub users: BTreeMap<String, String>,
    pub reviews: Reviews,
    pub log: Log,
    pub faults: Faults,
    /// Counts how often all watches were dropped.
    pub dropped: watch::Sender<u64>,
    /// Counts how often all watches were sent a bookmark.
    pub bookmarks: watch::Sender<u64>,
}

/// The connection is to be closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut on purpose")]
pub(crate) struct Cut;

impl Shared {
    pub fn new(state: State, users: BTreeMap<String, String>, reviews: Reviews) -> Self {
        Self {
            state: Mutex::new(state),
            users,
            reviews,
            log: Log::default(),
            faults: Faults::default(),
            dropped: watch::Sender::new(0),
            bookmarks: watch::Sender::new(0),
        }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn user(&self, headers: &HeaderMap) -> Option<String> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        self.users.get(value.strip_prefix("Bearer ")?).cloned()
    }
}

/// Answers a request.
pub(crate) async fn handle(shared: Arc<Shared>, request: Request<Body>) -> Result<Response<Body>, Cut> {
    let (parts, body) = request.into_parts();
    let query = Query::parse(parts.uri.query().unwrap_or_default());
    let info = Info::parse(&parts.method, parts.uri.path(), &query);
    let user = shared.user(&parts.headers);
    let mut logged = LoggedRequest::new(&parts, &info, user.clone().unwrap_or_default());
    let effect = shared.faults.meet(&logged).await;
    logged.faulted = !matches!(effect, Effect::None);
    let held = matches!(effect, Effect::AnswerHeld);
    match effect {
        Effect::None | Effect::Delayed | Effect::AnswerHeld => {}
        Effect::Answer(error) => {
            logged.status = error.code;
            shared.log.push(logged);
            return Ok(Answer::from(error).into_response());
        }
        Effect::Cut => {
            shared.log.push(logged);
            return Err(Cut);
        }
        Effect::Hang => {
            shared.log.push(logged);
            return std::future::pending().await;
        }
    }
    let answer = match user {
        None => Err(ApiError::unauthorized()),
        Some(_) => answer(&shared, &parts, &info, &query, body).await,
    };
    let answer = answer.unwrap_or_else(Answer::from);
    logged.status = answer.status;
    shared.log.push(logged);
    if held {
        return std::future::pending().await;
    }
    Ok(answer.into_response())
}

async fn answer(
    shared: &Arc<Shared>,
    parts: &http::request::Parts,
    info: &Info,
    query: &Query,
    body: Body,
) -> Result<Answer, ApiError> {
    let body = body::read(body).await?;
    if !info.is_resource {
        return discovery::answer(&shared.state(), parts);
    }
    let agent = parts
        .headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let call = Call {
        shared,
        method: &parts.method,
        path: parts.uri.path(),
        info,
        query,
        headers: &parts.headers,
        user_agent: agent,
        body,
    };
    call.answer()
}
