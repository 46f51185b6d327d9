//! How a server is set up.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc, time::Duration};

use crate::{
    error::LabError,
    handle::KubernetesLab,
    http::Shared,
    reviews::{ReviewedToken, Reviews},
    server::{Reserved, Server},
    state::State,
    tls::Identity,
};

/// The user whose token the kubeconfig carries when nobody else is named.
pub(crate) const ADMIN: &str = "admin";

/// Sets up a [`KubernetesLab`].
#[derive(Debug)]
pub struct KubernetesLabBuilder {
    port: u16,
    users: BTreeMap<String, String>,
    reviewed: BTreeMap<String, ReviewedToken>,
    history: usize,
    patience: Duration,
}

impl Default for KubernetesLabBuilder {
    fn default() -> Self {
        Self {
            port: 0,
            users: BTreeMap::from([(format!("{ADMIN}-token"), ADMIN.to_owned())]),
            reviewed: BTreeMap::new(),
            history: 4096,
            patience: Duration::from_secs(30),
        }
    }
}

impl KubernetesLabBuilder {
    /// Listens on this port of 127.0.0.1; 0, the default, is any free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Adds a user, known by a bearer token. The user `admin` with the token `admin-token` always exists.
    #[must_use]
    pub fn user(mut self, name: &str, token: &str) -> Self {
        self.users.insert(token.to_owned(), name.to_owned());
        self
    }

    /// Makes a token known to TokenReviews; it opens nothing here.
    #[must_use]
    pub fn reviewed_token(mut self, token: &str, reviewed: ReviewedToken) -> Self {
        self.reviewed.insert(token.to_owned(), reviewed);
        self
    }

    /// How many events of each resource watches can go back to; 4,096 without a word.
    #[must_use]
    pub fn history(mut self, events: usize) -> Self {
        self.history = events;
        self
    }

    /// How long [`KubernetesLab::until`] waits at most; 30 s without a word.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Starts the server.
    ///
    /// # Errors
    ///
    /// When the port cannot be listened on, or no certificate can be made.
    pub async fn start(self) -> Result<KubernetesLab, LabError> {
        let shared = Arc::new(Shared::new(
            State::new(self.history),
            self.users,
            Reviews::new(self.reviewed),
        ));
        let wanted = SocketAddr::from(([127, 0, 0, 1], self.port));
        let identity = Identity::generate()?;
        let failed = |source| LabError::Listen {
            address: wanted,
            source,
        };
        let reserved = Reserved::take(wanted).map_err(failed)?;
        let server = Server::listen(shared.clone(), identity.acceptor.clone(), reserved.address)
            .await
            .map_err(failed)?;
        Ok(KubernetesLab::new(shared, reserved, identity, server, self.patience))
    }
}
