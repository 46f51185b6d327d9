//! One replica, put together: clients, watches, settings, leadership, engine, metrics and probes.

use std::{net::SocketAddr, sync::Arc};

use kube::{Client, Config};
use tokio::{sync::watch, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    announce::Announcer,
    client::{ClientError, Clients},
    engine::{self, EngineContext, EngineError},
    leader::{BootClock, Election, Elector, Fence, Leadership, TermError, Terms},
    observe::{Heartbeat, ListenError, Listener, Metrics, Pages},
    options::Options,
    settings::{self, SettingsHandle, SettingsSource},
    watch::Caches,
};

/// A replica that is ready to run.
pub struct Operator {
    config: Config,
    options: Options,
    listener: Option<Listener>,
    leads: watch::Sender<bool>,
    metrics: Metrics,
}

/// Why an operator cannot start, or ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// No client of the Kubernetes API.
    #[error("failed to start")]
    Client(#[from] ClientError),
    /// The address of metrics and probes.
    #[error("failed to start")]
    Listen(#[from] ListenError),
    /// The engine.
    #[error("failed to go on leading")]
    Engine(#[from] TermError<EngineError>),
    /// A task beside the engine.
    #[error("failed to go on: {0} ended although nobody asked it to")]
    Task(&'static str),
}

impl Operator {
    /// Binds the address of metrics and probes; nothing else is done before [`Operator::run`].
    pub async fn new(config: Config, options: Options) -> Result<Self, OperatorError> {
        let listener = match options.listen {
            Some(address) => Some(Listener::bind(address).await?),
            None => None,
        };
        Ok(Self {
            config,
            options,
            listener,
            leads: watch::Sender::new(false),
            metrics: Metrics::default(),
        })
    }

    /// Where metrics and probes are served.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref()?.address()
    }

    /// Whether this replica leads, as it changes.
    pub fn leads(&self) -> watch::Receiver<bool> {
        self.leads.subscribe()
    }

    /// Its numbers.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Runs until `shutdown`; then finishes or abandons what is under way, releases the lease and returns. An error
    /// means that the replica is of no use any more and the process should end.
    pub async fn run(mut self, shutdown: CancellationToken) -> Result<(), OperatorError> {
        let fence = match self.options.election {
            Some(_) => Fence::closed(Arc::new(BootClock)),
            None => Fence::always_open(),
        };
        let clients = Clients::new(&self.config, &fence)?;
        let leadership = self.leadership(&clients, &fence);
        let background = CancellationToken::new();
        let _background = background.clone().drop_guard();
        let mut tasks = Tasks::default();
        let context = self.start(&clients, fence, &mut tasks, &background);
        let terms = Terms {
            leadership,
            leads: self.leads.clone(),
            grace: self.options.pace.grace,
        };
        tracing::info!(
            namespace = self.options.namespace,
            version = env!("CARGO_PKG_VERSION"),
            "the operator starts"
        );
        // A task that ends stops the work in order, so that the lease is released all the same.
        let stop = shutdown.child_token();
        let work = terms.run(stop.clone(), |stop| context.work(stop));
        let mut work = std::pin::pin!(work);
        tokio::select! {
            ended = &mut work => Ok(ended?),
            name = tasks.ended() => {
                stop.cancel();
                work.await?;
                Err(OperatorError::Task(name))
            }
        }
    }

    fn leadership(&self, clients: &Clients, fence: &Fence) -> Leadership {
        let Some(lease) = &self.options.election else {
            return Leadership::Alone;
        };
        let election = Election {
            namespace: self.options.namespace.clone(),
            name: lease.name.clone(),
            identity: self.options.identity.clone(),
            timing: lease.timing,
        };
        let elector = Elector::new(clients.lease.clone(), &election, Arc::new(BootClock), fence.clone());
        Leadership::Elected(Box::new(elector))
    }

    /// Starts what every replica does, whether it leads or not.
    fn start(&mut self, clients: &Clients, fence: Fence, tasks: &mut Tasks, background: &CancellationToken) -> Context {
        let client = &clients.gated;
        let options = &self.options;
        let source = SettingsSource {
            namespace: options.namespace.clone(),
            config_map: options.config_map.clone(),
            pace: options.pace.requests,
            readings: options.pace.readings,
            quiet: options.pace.settings_quiet,
        };
        let (settings, follow) = settings::follow(client.clone(), source, self.metrics.clone());
        let (announcer, write_events) = Announcer::new(client.clone(), &options.identity);
        let namespace = options.watch_namespace.as_deref();
        let (caches, watch) = Caches::start(client.clone(), namespace, background.clone());
        tasks.spawn("the watch of the settings", follow);
        tasks.spawn("the writer of Events", write_events);
        tasks.spawn("the watch of OpenstackConfigs", watch);
        let context = Context {
            client: client.clone(),
            fence,
            settings,
            caches,
            metrics: self.metrics.clone(),
            heartbeat: Heartbeat::default(),
            announcer,
            pace: options.pace.engine,
            namespace: options.namespace.clone(),
        };
        if let Some(listener) = self.listener.take() {
            tasks.spawn(
                "the server of metrics and probes",
                listener.serve(context.pages(), background.clone()),
            );
        }
        context
    }
}

/// What each term begins with.
struct Context {
    client: Client,
    fence: Fence,
    settings: SettingsHandle,
    caches: Caches,
    metrics: Metrics,
    heartbeat: Heartbeat,
    announcer: Announcer,
    pace: engine::Pace,
    namespace: String,
}

impl Context {
    /// One term's work.
    fn work(&self, stop: CancellationToken) -> impl Future<Output = Result<(), EngineError>> + Send + 'static {
        let settings = settings::announce(self.settings.clone(), self.announcer.clone());
        let term = Term::begin(self.metrics.clone(), self.heartbeat.clone());
        let engine = EngineContext {
            client: self.client.clone(),
            fence: self.fence.clone(),
            settings: self.settings.state.clone(),
            configs: self.caches.clone(),
            metrics: self.metrics.clone(),
            heartbeat: self.heartbeat.clone(),
            announcer: self.announcer.clone(),
            pace: self.pace,
            namespace: self.namespace.clone(),
            shutdown: stop,
        };
        async move {
            let _term = term;
            tokio::select! {
                ended = engine::run(engine) => ended,
                () = settings => Ok(()),
            }
        }
    }

    fn pages(&self) -> Pages {
        let (caches, settings) = (self.caches.clone(), self.settings.state.clone());
        Pages {
            metrics: self.metrics.clone(),
            heartbeat: self.heartbeat.clone(),
            ready: Arc::new(move || {
                let settings = settings.borrow();
                if !caches.is_synced() {
                    Err("the OpenstackConfigs have not been listed yet")
                } else if settings.current.is_none() && settings.rejected.is_none() {
                    Err("the settings have not been read yet")
                } else {
                    Ok(())
                }
            }),
        }
    }
}

/// However a term ends, metrics and probes no longer speak of it.
struct Term {
    metrics: Metrics,
    heartbeat: Heartbeat,
}

impl Term {
    fn begin(metrics: Metrics, heartbeat: Heartbeat) -> Self {
        metrics.leading(true);
        heartbeat.beat();
        Self { metrics, heartbeat }
    }
}

impl Drop for Term {
    fn drop(&mut self) {
        self.metrics.leading(false);
        self.heartbeat.stop();
    }
}

/// What runs beside the engine. Dropped, it ends all of it.
#[derive(Default)]
struct Tasks(JoinSet<&'static str>);

impl Tasks {
    fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(async move {
            task.await;
            name
        });
    }

    /// The first that ends.
    async fn ended(&mut self) -> &'static str {
        match self.0.join_next().await {
            Some(Ok(name)) => name,
            Some(Err(_)) => "a task",
            None => std::future::pending().await,
        }
    }
}
