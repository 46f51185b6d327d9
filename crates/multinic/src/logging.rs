//! Log lines, on standard error.

use std::{
    env,
    io::{self, IsTerminal},
};

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// `RUST_LOG` wins over `-v`. The OpenStack library's own lines repeat ours at every request, and the
/// TLS library's at every certificate that is refused, so they stay behind. RabbitMQ's client shows whole messages, which
/// may hold somebody's token, so it is only heard when it is asked for by name.
pub fn init(verbose: u8, format: LogFormat) {
    let by_flag = match verbose {
        0 | 1 => "error,rustls_platform_verifier=off",
        2 => "info,rustls_platform_verifier=off",
        3 => {
            "debug,openstack_sdk=warn,openstack_sdk_core=warn,hyper=info,reqwest=info,hyper_util=info,rustls=info,\
             rustls_platform_verifier=off"
        }
        _ => "trace",
    };
    let asked = env::var(EnvFilter::DEFAULT_ENV).ok().filter(|asked| !asked.is_empty());
    let filter = asked
        .and_then(|asked| EnvFilter::try_new(quiet(&asked)).ok())
        .unwrap_or_else(|| EnvFilter::new(quiet(by_flag)));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().init(),
    }
}

fn quiet(filter: &str) -> String {
    format!("lapin=off,{filter}")
}
