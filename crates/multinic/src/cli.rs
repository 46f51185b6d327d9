//! The command line's grammar.

pub mod get;

use std::{net::SocketAddr, path::PathBuf, str::FromStr};

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use multinic_sync::once::Pruning;

/// Gives Kubernetes nodes that run as OpenStack VMs their extra NICs.
#[derive(Parser, Debug)]
#[command(version, max_term_width = 110, after_help = EXAMPLES)]
pub struct Cli {
    /// Say more: -v the causes of an error and a summary of requests, -vv what is done, -vvv every request
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,

    /// Form of the log lines on standard error
    #[arg(long, value_enum, default_value_t, global = true, value_name = "FORMAT")]
    pub log_format: LogFormat,

    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  multinic doctor -f cr.yaml --config settings.yaml     check every hop from Contrabass to the management API
  multinic plan -f cr.yaml -o json | jq .               what would be sent
  kubectl get osc -A -o yaml | multinic sync -f -       one full pass
  multinic operator --help                              the same, for good, in Kubernetes
  multinic get nodes --provider biz-1                   what the management API holds
  multinic demo                                         everything on this machine, nothing to install

Exit codes: 0 done; 1 failed; 2 bad usage or bad input; 3 done, with findings of severity error (--strict: or warning)";

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show what would be sent; nothing is sent
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(PlanArgs),
    /// Make one full pass and deliver it
    #[command(after_help = SYNC_EXAMPLES)]
    Sync(SyncArgs),
    /// Check each hop in turn: fine, or what failed and what to do
    Doctor(DoctorArgs),
    /// Run the Kubernetes operator: one replica, until SIGTERM
    #[command(after_help = OPERATOR_EXAMPLES)]
    Operator(OperatorArgs),
    /// Run the management API, or look after its database
    #[command(after_help = API_EXAMPLES)]
    Api(ApiArgs),
    /// Show what the management API holds
    #[command(after_help = get::EXAMPLES)]
    Get(get::GetArgs),
    /// Print a CRD
    Crd(CrdArgs),
    /// Show everything on this machine with a simulated cloud
    Demo(DemoArgs),
    /// Print completions for a shell
    #[command(after_help = "Example:\n  multinic completions bash > /etc/bash_completion.d/multinic")]
    Completions(CompletionsArgs),
}

const PLAN_EXAMPLES: &str = "\
Examples:
  multinic plan -f cr.yaml
  multinic plan -f a.yaml -f b.yaml -o json     the POST bodies, grouped by cluster
  multinic plan -f cr.yaml --prune              with the removals that `sync --prune` would make";

const SYNC_EXAMPLES: &str = "\
Examples:
  multinic sync -f cr.yaml             add and update; keep (and list) interfaces the files do not account for
  multinic sync -f cr.yaml --prune     the files are the whole truth for the nodes they name";

const OPERATOR_EXAMPLES: &str = "\
Examples:
  multinic operator                                            in a pod, with POD_NAME and POD_NAMESPACE
  multinic operator --kubeconfig ~/.kube/config --namespace multinic-system --no-leader-election
  multinic operator --log-format json --otlp-endpoint http://collector:4318

Everything about clouds and clusters is in the ConfigMap, key config.yaml; it is read again when it changes.
/metrics, /healthz and /readyz are served on --listen.";

const API_EXAMPLES: &str = "\
Examples:
  multinic api --database sqlite:///var/lib/multinic/api.db                  on 127.0.0.1:8080, for everybody on this machine
  multinic api --kubeconfigs /etc/multinic/kubeconfigs                       deliver into the clusters that it names
  multinic api --database-file /etc/multinic/database --tokens /etc/multinic/tokens.yaml --listen 0.0.0.0:8443 \
      --tls-cert /etc/multinic/tls/tls.crt --tls-key /etc/multinic/tls/tls.key --client-ca /etc/multinic/clients/ca.crt
  multinic api migrate --database postgres://multinic@db/multinic
  multinic api backup --database sqlite:///var/lib/multinic/api.db /backup/api.db

A file of tokens:
  tokens:
  - {name: operator, role: operator, providers: ['*'], tokenFile: operator-token}
  - {name: worker-1, role: agent, providers: [biz-1], nodes: [worker-1], sha256: <the token's SHA-256 in hex>}
  - {name: console, role: viewer, providers: ['*'], certificate: {commonName: console}}      or dnsName, uri
  - {name: agents, role: agent, providers: [biz-1], nodes: own,      the node that the token is bound to
     kubernetes: {user: 'system:serviceaccount:multinic-system:multinic-agent'}}      or group";

#[derive(Args, Debug)]
pub struct ApiArgs {
    /// Without one: serve
    #[command(subcommand)]
    pub command: Option<ApiCommand>,

    #[command(flatten)]
    pub database: DatabaseArgs,

    /// Where to listen; without --tokens only loopback is possible
    #[arg(
        long,
        env = "MULTINIC_API_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8080"
    )]
    pub listen: std::net::SocketAddr,

    /// File of the bearer tokens; read again when it changes
    #[arg(long, env = "MULTINIC_API_TOKENS", value_name = "FILE")]
    pub tokens: Option<PathBuf>,

    /// Folder of kubeconfigs, one for each cluster to deliver into; a file named like a cluster is used for it by itself
    #[arg(long, env = "MULTINIC_API_KUBECONFIGS", value_name = "DIR")]
    pub kubeconfigs: Option<PathBuf>,
    #[command(flatten)]
    pub tls: TlsArgs,

    #[command(flatten)]
    pub review: ReviewArgs,

    /// Whether an unknown cluster registers itself with its first node config
    #[arg(
        long,
        env = "MULTINIC_API_REGISTRATION",
        value_enum,
        default_value_t,
        value_name = "HOW"
    )]
    pub registration: Registration,

    /// Days that history is kept
    #[arg(long, env = "MULTINIC_API_HISTORY_DAYS", value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..))]
    pub history_days: u32,
}

#[derive(Args, Debug)]
pub struct TlsArgs {
    /// PEM file of the server's certificate and those behind it; read again when it changes
    #[arg(long, env = "MULTINIC_API_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// PEM file of its private key
    #[arg(long, env = "MULTINIC_API_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// PEM file of the authorities whose client certificates are believed
    #[arg(long, env = "MULTINIC_API_CLIENT_CA", value_name = "FILE", requires = "tls_cert")]
    pub client_ca: Option<PathBuf>,

    /// Whether clients have to show a certificate (with `required` the kubelet's HTTP probes fail)
    #[arg(
        long,
        env = "MULTINIC_API_CLIENT_AUTH",
        value_enum,
        default_value_t,
        value_name = "HOW"
    )]
    pub client_auth: ClientAuth,

    /// Speak plain HTTP beyond loopback: something in front of the server speaks TLS
    #[arg(long, env = "MULTINIC_API_INSECURE_HTTP", conflicts_with = "tls_cert")]
    pub insecure_http: bool,
}

#[derive(Args, Debug)]
#[expect(clippy::struct_field_names, reason = "they are the flags' names")]
pub struct ReviewArgs {
    /// Let in tokens of Kubernetes ServiceAccounts that --tokens names, after a TokenReview
    #[arg(long, env = "MULTINIC_API_TOKEN_REVIEW", requires = "tokens")]
    pub token_review: bool,

    /// Kubeconfig of the Kubernetes API that reviews them [default: the pod's own]
    #[arg(
        long,
        env = "MULTINIC_API_TOKEN_REVIEW_KUBECONFIG",
        value_name = "FILE",
        requires = "token_review"
    )]
    pub token_review_kubeconfig: Option<PathBuf>,

    /// Whom the tokens have to be meant for [default: the Kubernetes API itself]
    #[arg(
        long,
        env = "MULTINIC_API_TOKEN_REVIEW_AUDIENCE",
        value_name = "NAME",
        requires = "token_review"
    )]
    pub token_review_audience: Option<String>,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ClientAuth {
    /// A token does as well
    #[default]
    Optional,
    /// Without one there is no connection
    Required,
}

#[derive(Args, Debug)]
pub struct DatabaseArgs {
    /// sqlite://FILE or postgres://USER[:PASSWORD]@HOST/NAME [default: sqlite:///var/lib/multinic/api.db]
    #[arg(
        long,
        env = "MULTINIC_API_DATABASE",
        value_name = "URL",
        global = true,
        hide_env_values = true
    )]
    pub database: Option<String>,

    /// File that holds the database's address, such as a mounted Secret
    #[arg(
        long,
        env = "MULTINIC_API_DATABASE_FILE",
        value_name = "FILE",
        global = true,
        conflicts_with = "database"
    )]
    pub database_file: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum ApiCommand {
    /// Bring the database's schema up to date and end
    Migrate,
    /// Copy a SQLite database while it is in use (PostgreSQL: use pg_dump)
    Backup {
        /// The copy; must not exist
        to: PathBuf,
    },
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Registration {
    /// It does
    #[default]
    Automatic,
    /// It has to be registered before
    Strict,
}

#[derive(Args, Debug)]
pub struct OperatorArgs {
    /// The operator's own namespace: settings, Secrets and lease [default: the kubeconfig's or the pod's]
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAMESPACE")]
    pub namespace: Option<String>,

    /// ConfigMap with the settings
    #[arg(
        long,
        env = "MULTINIC_CONFIG_MAP",
        value_name = "NAME",
        default_value = "multinic-operator-config"
    )]
    pub config_map: String,

    /// Look after the OpenstackConfigs of this namespace only [default: of all]
    #[arg(long, env = "MULTINIC_WATCH_NAMESPACE", value_name = "NAMESPACE")]
    pub watch_namespace: Option<String>,

    /// Address of /metrics, /healthz and /readyz, or `off`
    #[arg(
        long,
        env = "MULTINIC_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080"
    )]
    pub listen: Listen,

    /// Which log lines, as in RUST_LOG
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,

    /// Send traces to this OTLP collector over HTTP
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// Lease of the replicas
    #[arg(long, value_name = "NAME", default_value = "multinic-operator")]
    pub lease_name: String,

    /// This replica's name [default: the host's]
    #[arg(long, env = "POD_NAME", value_name = "NAME")]
    pub identity: Option<String>,

    /// Lead without asking: only where there is one replica
    #[arg(long)]
    pub no_leader_election: bool,

    /// Kubeconfig file [default: KUBECONFIG, ~/.kube/config or the pod's service account]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
}

/// An address, or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listen {
    On(SocketAddr),
    Off,
}

impl Listen {
    /// `None`: nothing is served.
    pub fn address(self) -> Option<SocketAddr> {
        match self {
            Self::On(address) => Some(address),
            Self::Off => None,
        }
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let address = text.parse().map(Self::On);
        address.map_err(|_| "expected an address with a port, such as 0.0.0.0:8080 or [::]:8080, or `off`".to_owned())
    }
}

#[derive(Args, Debug)]
pub struct InputArgs {
    /// File with OpenstackConfigs, several documents allowed; `-` is standard input; may be repeated
    #[arg(short, long = "file", required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Settings file
    #[arg(long, value_name = "FILE", env = "MULTINIC_CONFIG", default_value = "multinic.yaml")]
    pub config: PathBuf,
}

#[derive(Args, Debug)]
pub struct PassArgs {
    #[command(flatten)]
    pub input: InputArgs,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t)]
    pub output: OutputFormat,

    /// Remove interfaces of the named nodes that the files do not account for, after a second reading agrees
    #[arg(long)]
    pub prune: bool,

    /// With --prune: also when more than half of a cluster's interfaces would go
    #[arg(long, requires = "prune")]
    pub allow_mass_removal: bool,

    /// Exit with 3 on warnings too
    #[arg(long)]
    pub strict: bool,
}

impl PassArgs {
    /// What the flags say about removals.
    pub fn pruning(&self) -> Pruning {
        Pruning {
            prune: self.prune,
            allow_mass_removal: self.allow_mass_removal,
        }
    }
}

#[derive(Args, Debug)]
pub struct PlanArgs {
    #[command(flatten)]
    pub pass: PassArgs,

    /// Also print the nodes that are as they should be
    #[arg(long)]
    pub all: bool,
}

#[derive(Args, Debug)]
pub struct SyncArgs {
    #[command(flatten)]
    pub pass: PassArgs,
}

#[derive(Args, Debug)]
pub struct DoctorArgs {
    #[command(flatten)]
    pub input: InputArgs,
}

#[derive(Args, Debug)]
pub struct CrdArgs {
    /// Which one; both without it
    #[arg(value_enum)]
    pub kind: Option<CrdKind>,
}

#[derive(Args, Debug)]
pub struct DemoArgs {
    /// End by itself
    #[arg(long)]
    pub once: bool,
}

#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
#[value(rename_all = "lower")]
pub enum CrdKind {
    OpenstackConfig,
    MultiNicNodeConfig,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OutputFormat {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
    /// The same as YAML
    Yaml,
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}
