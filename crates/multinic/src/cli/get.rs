//! The grammar of `multinic get`.

use std::{path::PathBuf, time::SystemTime};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use multinic_model::{ClusterId, NodeName};

use super::OutputFormat;

/// What `--help` ends with.
pub const EXAMPLES: &str = "\
Examples:
  multinic get providers                                     the clusters that the server knows
  multinic get nodes --provider biz-1                        every node, how far it is delivered, what its agent says
  multinic get nodes --provider biz-1 --mac fa:16:3e:00:00:01
  multinic get nodes --provider biz-1 --since 2h -o json | jq -r '.[].nodeName'
  multinic get nodes --provider biz-1 --watch                changes as they happen, until Ctrl-C
  multinic get node worker-1 --provider biz-1                one node in full
  multinic get revisions worker-1 --provider biz-1           who changed what, and when

With MULTINIC_SERVER, MULTINIC_PROVIDER and MULTINIC_TOKEN_FILE in the environment the flags can be left out. The token itself
may stand in MULTINIC_TOKEN. Of one cluster only, --provider is not needed. json and yaml show items as the server gives them.";

#[derive(Args, Debug)]
pub struct GetArgs {
    #[command(subcommand)]
    pub what: GetCommand,

    #[command(flatten)]
    pub server: ServerArgs,

    /// Form of the output
    #[arg(short, long, value_enum, default_value_t, global = true)]
    pub output: OutputFormat,
}

#[derive(Args, Debug)]
pub struct ServerArgs {
    /// Address of the management API
    #[arg(
        long,
        env = "MULTINIC_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        global = true
    )]
    pub server: String,

    /// File that holds the bearer token
    #[arg(long, env = "MULTINIC_TOKEN_FILE", value_name = "FILE", global = true)]
    pub token_file: Option<PathBuf>,

    /// File of CA certificates (PEM), trusted in addition to the system's
    #[arg(long, env = "MULTINIC_CA_FILE", value_name = "FILE", global = true)]
    pub ca_file: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub enum GetCommand {
    /// The nodes of a cluster
    #[command(after_help = EXAMPLES)]
    Nodes(NodesArgs),
    /// One node: interfaces, delivery, the agent's report, last revisions
    #[command(after_help = EXAMPLES)]
    Node(NodeArgs),
    /// The clusters
    #[command(after_help = EXAMPLES)]
    Providers,
    /// The history of one node, the newest change first
    #[command(after_help = EXAMPLES)]
    Revisions(RevisionsArgs),
}

#[derive(Args, Debug)]
pub struct ProviderArg {
    /// The cluster (x-provider-id)
    #[arg(long, env = "MULTINIC_PROVIDER", value_name = "ID")]
    pub provider: Option<ClusterId>,
}

#[derive(Args, Debug)]
pub struct NodesArgs {
    #[command(flatten)]
    pub provider: ProviderArg,

    /// Only this node
    #[arg(long, value_name = "NAME")]
    pub node: Option<NodeName>,

    /// Only the nodes of this server
    #[arg(long, value_name = "ID", conflicts_with = "watch")]
    pub instance: Option<String>,

    /// Only the node with this MAC address
    #[arg(long, value_name = "MAC", conflicts_with = "watch")]
    pub mac: Option<String>,

    /// Only the node with this IPv4 or IPv6 address
    #[arg(long, value_name = "IP", conflicts_with = "watch")]
    pub address: Option<String>,

    /// Only nodes that changed since: a time (2026-01-08T00:00:00Z) or how long ago (90m, 2h, 3d)
    #[arg(long, value_name = "WHEN", value_parser = since, conflicts_with = "watch")]
    pub since: Option<Timestamp>,

    /// At most so many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "watch")]
    pub limit: Option<u32>,

    /// Go on with every change; taken up again when the connection breaks
    #[arg(short, long)]
    pub watch: bool,
}

#[derive(Args, Debug)]
pub struct NodeArgs {
    /// The node
    pub name: NodeName,

    #[command(flatten)]
    pub provider: ProviderArg,
}

#[derive(Args, Debug)]
pub struct RevisionsArgs {
    /// The node; also one that was taken out
    pub name: NodeName,

    #[command(flatten)]
    pub provider: ProviderArg,

    /// At most so many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
}

fn since(text: &str) -> Result<Timestamp, String> {
    let refuse = || "expected a time such as 2026-01-08T00:00:00Z or how long ago, such as 90m, 2h or 3d".to_owned();
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let ago = humantime::parse_duration(text).map_err(|_| refuse())?;
    let then = SystemTime::now().checked_sub(ago).ok_or_else(refuse)?;
    Timestamp::try_from(then).map_err(|_| refuse())
}
