//! Files that change while the server runs: mounted Secrets are swapped under it. What cannot be used leaves what was
//! good in force, and is reported once.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{
    http::{
        App,
        auth::{Accepted, Tokens, TokensError},
    },
    server::pause,
    tls::Tls,
};

/// What is read again.
#[derive(Debug)]
pub(crate) struct Reloading {
    pub tokens: Option<PathBuf>,
    pub accepted: Accepted,
    pub tls: Option<Tls>,
    pub every: Duration,
}

/// What was last reported of each kind of file.
type Reported = BTreeMap<&'static str, String>;

impl Reloading {
    /// Reads again until the shutdown.
    pub async fn run(self, app: &App, shutdown: &CancellationToken) {
        if self.tokens.is_none() && self.tls.is_none() {
            return;
        }
        let mut reported = Reported::new();
        self.note(app);
        while pause(self.every, shutdown).await {
            let tokens = self.tokens(app).map_err(|error| chain(&error));
            report(&mut reported, "tokens", tokens);
            let tls = self.tls.as_ref().map_or(Ok(false), Tls::reload);
            report(&mut reported, "certificates", tls.map_err(|error| chain(&error)));
            app.metrics.rejected_files.set(i64::from(!reported.is_empty()));
            self.note(app);
        }
    }

    fn note(&self, app: &App) {
        let expiry = self.tls.as_ref().map_or(0, Tls::not_after);
        app.metrics.certificate_expiry.set(expiry);
    }

    /// An empty file is no reason to let everybody in.
    fn tokens(&self, app: &App) -> Result<bool, TokensError> {
        let Some(path) = &self.tokens else { return Ok(false) };
        let tokens = Tokens::read(path)?;
        tokens.check(self.accepted)?;
        if tokens.is_empty() && !app.tokens().is_empty() {
            return Err(TokensError::Empty { path: path.clone() });
        }
        let is_other = tokens != *app.tokens();
        if is_other {
            app.set_tokens(tokens);
        }
        Ok(is_other)
    }
}

fn report(reported: &mut Reported, what: &'static str, outcome: Result<bool, String>) {
    match outcome {
        Ok(is_other) => {
            reported.remove(what);
            if is_other {
                tracing::info!("other {what} are in force");
            }
        }
        Err(message) if reported.get(what) == Some(&message) => {}
        Err(message) => {
            tracing::warn!("the {what} stay as they were: {message}");
            reported.insert(what, message);
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
