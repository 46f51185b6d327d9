//! The Kubernetes API, for TokenReviews and nothing else.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, TokenReviewStatus, UserInfo};
use kube::{
    Api, Client, Config,
    api::PostParams,
    config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use secrecy::{ExposeSecret, SecretString};

use super::Reviewed;

/// Why tokens of Kubernetes cannot be reviewed.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The kubeconfig.
    #[error("failed to use the kubeconfig {path}")]
    Kubeconfig {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: Box<KubeconfigError>,
    },
    /// There is none, and no pod around the process.
    #[error("failed to find the Kubernetes API around this process: name a kubeconfig, or run in a pod")]
    InCluster(#[source] Box<InClusterError>),
    /// Certificates or credentials.
    #[error("failed to build the client of the Kubernetes API")]
    Build(#[source] Box<kube::Error>),
}

/// Which node the pod of a ServiceAccount's token runs on, since Kubernetes 1.30.
const NODE: &str = "authentication.kubernetes.io/node-name";

pub(super) async fn client(kubeconfig: Option<&Path>) -> Result<Client, ReviewError> {
    let mut config = config(kubeconfig).await?;
    config.connect_timeout = Some(Duration::from_secs(3));
    config.read_timeout = Some(Duration::from_secs(10));
    config.default_retry = false;
    Client::try_from(config).map_err(|source| ReviewError::Build(Box::new(source)))
}

async fn config(kubeconfig: Option<&Path>) -> Result<Config, ReviewError> {
    let Some(path) = kubeconfig else {
        return Config::incluster().map_err(|source| ReviewError::InCluster(Box::new(source)));
    };
    let failed = |source| ReviewError::Kubeconfig {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let file = Kubeconfig::read_from(path).map_err(failed)?;
    let options = KubeConfigOptions::default();
    Config::from_custom_kubeconfig(file, &options).await.map_err(failed)
}

/// Whose token it is; `None`: nobody's, or not meant for us. An error says why nobody could tell.
pub(super) async fn ask(
    api: &Api<TokenReview>,
    token: &SecretString,
    audience: Option<&str>,
) -> Result<Option<Reviewed>, String> {
    let review = TokenReview {
        spec: TokenReviewSpec {
            token: token.expose_secret().to_owned(),
            audiences: audience.map(|audience| vec![audience.to_owned()]),
        },
        ..TokenReview::default()
    };
    let answer = api
        .create(&PostParams::default(), &review)
        .await
        .map_err(|error| reason(&error))?;
    Ok(read(answer.status.unwrap_or_default(), audience))
}

/// Without what the answer says: it could quote the token.
fn reason(error: &kube::Error) -> String {
    match error {
        kube::Error::Api(status) if status.code == 403 => {
            "it does not let us (ClusterRole system:auth-delegator)".to_owned()
        }
        kube::Error::Api(status) => format!("it answered {}", status.code),
        _ => "it cannot be reached".to_owned(),
    }
}

/// A server that knows no audiences answers without any: then the token was not checked for ours.
fn read(status: TokenReviewStatus, audience: Option<&str>) -> Option<Reviewed> {
    let meant = status.audiences.unwrap_or_default();
    let is_meant = audience.is_none_or(|audience| meant.iter().any(|one| one == audience));
    let user = status.user.filter(|_| status.authenticated == Some(true) && is_meant)?;
    let UserInfo {
        username,
        groups,
        extra,
        ..
    } = user;
    let nodes = extra.unwrap_or_default().remove(NODE).unwrap_or_default();
    Some(Reviewed {
        user: username.filter(|name| !name.is_empty())?,
        groups: groups.unwrap_or_default().into_iter().collect(),
        node: match nodes.as_slice() {
            [node] => node.parse().ok(),
            _ => None,
        },
    })
}
