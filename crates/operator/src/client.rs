//! The ways to the Kubernetes API: one client that asks the fence before each write, one for the lease alone.

use std::{
    future::poll_fn,
    path::{Path, PathBuf},
    pin::{Pin, pin},
    task::{Context, Poll},
    time::Duration,
};

use http::{HeaderValue, Method, Request, Response, header::USER_AGENT};
use kube::{
    Client, Config,
    client::{Body, ClientBuilder},
    config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use tower::{BoxError, Layer, Service};

use crate::leader::Fence;

/// The clients of one replica.
#[derive(Clone)]
pub struct Clients {
    /// For everything but the lease. A write that meets a closed fence fails with [`Fenced`].
    pub gated: Client,
    /// For the lease and nothing else.
    pub lease: Client,
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// `--kubeconfig`.
    #[error("failed to use the kubeconfig {}", path.display())]
    Kubeconfig {
        /// Its path.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<KubeconfigError>,
    },
    /// Neither a kubeconfig nor a service account.
    #[error("failed to find a Kubernetes API: give --kubeconfig or KUBECONFIG, or run in a pod")]
    Infer(#[source] Box<InferConfigError>),
    /// Certificates or credentials.
    #[error("failed to build the client of the Kubernetes API")]
    Build(#[source] Box<kube::Error>),
}

/// A write that was not sent, or given up half-way: this replica may not write any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this replica does not lead and writes nothing")]
pub struct Fenced;

/// The API server did not begin to answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the Kubernetes API did not answer within {0:?}")]
pub struct Unanswered(pub Duration);

/// To the beginning of an answer. Watches have it too: their headers come at once.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two pieces of an answer. A watch ends itself after less than this.
const READ_TIMEOUT: Duration = Duration::from_secs(310);

/// Where the API is: the given file, or else `KUBECONFIG`, `~/.kube/config` or the pod's service account.
pub async fn find(kubeconfig: Option<&Path>) -> Result<Config, ClientError> {
    let Some(path) = kubeconfig else {
        return Config::infer()
            .await
            .map_err(|source| ClientError::Infer(Box::new(source)));
    };
    let failed = |source| ClientError::Kubeconfig {
        path: path.to_owned(),
        source: Box::new(source),
    };
    let file = Kubeconfig::read_from(path).map_err(failed)?;
    Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
        .await
        .map_err(failed)
}

impl Clients {
    /// Builds both.
    pub fn new(config: &Config, fence: &Fence) -> Result<Self, ClientError> {
        let gate = GateLayer {
            fence: Some(fence.clone()),
        };
        Ok(Self {
            gated: client(config, &gate)?,
            lease: client(config, &GateLayer { fence: None })?,
        })
    }
}

/// Whether a write was refused by the fence.
pub fn is_fenced(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Service(inner) if inner.is::<Fenced>())
}

fn client(config: &Config, gate: &GateLayer) -> Result<Client, ClientError> {
    let mut config = config.clone();
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(READ_TIMEOUT);
    config.reset_reader_on_write = true;
    config.write_timeout = Some(WRITE_TIMEOUT);
    // A repetition inside the client would not ask the fence again.
    config.default_retry = false;
    config.headers.retain(|(name, _)| name != USER_AGENT);
    config.headers.push((
        USER_AGENT,
        HeaderValue::from_static(concat!("multinic-operator/", env!("CARGO_PKG_VERSION"))),
    ));
    let builder = ClientBuilder::try_from(config).map_err(|source| ClientError::Build(Box::new(source)))?;
    Ok(builder.with_layer(gate).build())
}

/// Asks the fence at each step of a write, and bounds the wait for each answer.
#[derive(Clone)]
struct GateLayer {
    fence: Option<Fence>,
}

impl<S> Layer<S> for GateLayer {
    type Service = Gated<S>;

    fn layer(&self, inner: S) -> Gated<S> {
        Gated {
            fence: self.fence.clone(),
            inner,
        }
    }
}

struct Gated<S> {
    fence: Option<Fence>,
    inner: S,
}

type Answering<B> = Pin<Box<dyn Future<Output = Result<Response<B>, BoxError>> + Send>>;

impl<S, B> Service<Request<Body>> for Gated<S>
where
    S: Service<Request<Body>, Response = Response<B>>,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    B: 'static,
{
    type Response = Response<B>;
    type Error = BoxError;
    type Future = Answering<B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<Body>) -> Answering<B> {
        let fence = self.fence.clone().filter(|_| request.method() != Method::GET);
        let answer = self.inner.call(request);
        Box::pin(async move {
            match tokio::time::timeout(ANSWER_TIMEOUT, behind(fence, answer)).await {
                Ok(answer) => answer,
                Err(_) => Err(Unanswered(ANSWER_TIMEOUT).into()),
            }
        })
    }
}

/// Nothing is sent before the request is polled, and connecting takes several polls: the fence is asked at each one, so
/// that a process that is stopped while it connects does not send when it wakes up.
async fn behind<B, E: Into<BoxError>>(
    fence: Option<Fence>,
    answer: impl Future<Output = Result<Response<B>, E>>,
) -> Result<Response<B>, BoxError> {
    let mut answer = pin!(answer);
    poll_fn(|context| match &fence {
        Some(fence) if !fence.is_open() => Poll::Ready(Err(Fenced.into())),
        _ => answer.as_mut().poll(context).map_err(Into::into),
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    };

    use super::*;
    use crate::leader::Clock;

    /// Two libraries in one process speak TLS, and either may come first.
    #[tokio::test]
    async fn clients_for_https_can_be_built_beside_those_of_a_pass() {
        let config = Config::new("https://127.0.0.1:9".parse().unwrap());
        assert!(Clients::new(&config, &Fence::always_open()).is_ok());
        let endpoint = multinic_transport::Endpoint::default();
        assert!(endpoint.client(&"https://127.0.0.1:9".parse().unwrap()).is_ok());
        assert!(Clients::new(&config, &Fence::always_open()).is_ok());
    }

    #[derive(Debug, Default)]
    struct Hand(AtomicU64);

    impl Clock for Hand {
        fn now(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::SeqCst))
        }
    }

    #[tokio::test]
    async fn a_write_that_is_under_way_when_the_fence_closes_goes_no_further() {
        let clock = Arc::new(Hand::default());
        let fence = Fence::closed(clock.clone());
        fence.open_until(Duration::from_secs(10));
        let mut connecting = true;
        let sent = poll_fn(|context| {
            // The process sleeps through the rest of its term between two polls.
            if std::mem::take(&mut connecting) {
                clock.0.store(11, Ordering::SeqCst);
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(Ok::<_, BoxError>(Response::new(())))
        });
        let refused = behind(Some(fence), sent).await.unwrap_err();
        assert!(refused.is::<Fenced>(), "{refused}");
    }
}
