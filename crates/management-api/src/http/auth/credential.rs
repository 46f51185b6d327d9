//! From what a request shows to who asks.

use std::fmt;

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{caller::Caller, tokens::Tokens};
use crate::{
    http::{App, Problem},
    tls::Peer,
};

/// What a request shows. A token counts before a certificate, and a wrong one is never made up for by it.
#[derive(Clone)]
pub enum Credential {
    /// Nothing.
    Nothing,
    /// Another scheme than Bearer, or bytes that are no token.
    Unusable,
    /// A bearer token.
    Token(SecretString),
    /// A client certificate that the handshake has verified.
    Certificate(Peer),
}

impl Credential {
    fn of(parts: &Parts) -> Self {
        match (parts.headers.get(header::AUTHORIZATION), parts.extensions.get::<Peer>()) {
            (Some(value), _) => bearer(value).map_or(Self::Unusable, Self::Token),
            (None, Some(peer)) => Self::Certificate(peer.clone()),
            (None, None) => Self::Nothing,
        }
    }
}

fn bearer(value: &HeaderValue) -> Option<SecretString> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().into())
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Unusable => "Unusable",
            Self::Token(_) => "Token",
            Self::Certificate(_) => "Certificate",
        })
    }
}

impl App {
    /// Who shows this now.
    pub(crate) async fn authenticate(&self, credential: &Credential) -> Result<Caller, Problem> {
        let tokens = self.tokens();
        if tokens.is_empty() {
            return Ok(Caller::anybody());
        }
        let known = match credential {
            Credential::Token(token) => match tokens.caller(token.expose_secret()) {
                Some(caller) => Some(caller.clone()),
                None => self.reviewed(&tokens, token).await?,
            },
            Credential::Certificate(peer) if peer.is_current(Timestamp::now()) => tokens.peer(peer).cloned(),
            Credential::Certificate(_) | Credential::Nothing | Credential::Unusable => None,
        };
        known.ok_or_else(unauthorized)
    }

    async fn reviewed(&self, tokens: &Tokens, token: &SecretString) -> Result<Option<Caller>, Problem> {
        let Some(reviewer) = &self.reviewer else {
            return Ok(None);
        };
        let answer = reviewer.review(token, &self.metrics).await;
        let answer = answer.map_err(|_| Problem::busy("Kubernetes could not be asked whose token this is", 5))?;
        let Some(owner) = answer else { return Ok(None) };
        tokens.reviewed(&owner).map(Some).map_err(Problem::forbidden)
    }
}

fn unauthorized() -> Problem {
    let title = "The caller is not known";
    let detail = "there is no bearer token or client certificate that is known here";
    Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", title, detail)
}

/// Who asks, and by what that is known.
#[derive(Clone, Debug)]
pub struct Authenticated {
    /// Who.
    pub caller: Caller,
    /// By what; it is looked at again while a watch is open.
    pub credential: Credential,
}

impl FromRequestParts<App> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let credential = Credential::of(parts);
        let caller = app.authenticate(&credential).await?;
        Ok(Self { caller, credential })
    }
}

/// Ends when the caller is no longer known, or known as something else.
pub(crate) async fn revoked(app: App, who: Authenticated) {
    let mut tokens = app.watch_tokens();
    loop {
        let retired = async {
            match &who.credential {
                Credential::Certificate(peer) => peer.retired().await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            changed = tokens.changed() => if changed.is_err() { return },
            () = retired => return,
            () = tokio::time::sleep(app.limits.recheck) => {}
        }
        match app.authenticate(&who.credential).await {
            Ok(caller) if caller == who.caller => {}
            // Nobody can tell right now: that is no reason to cut who was known a moment ago.
            Err(problem) if problem.status == StatusCode::SERVICE_UNAVAILABLE.as_u16() => {}
            _ => return,
        }
    }
}
