//! Log lines, on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::cli::LogFormat;

/// `RUST_LOG` wins over `-v`. The OpenStack library's own lines repeat ours at every request, and the
/// TLS library's at every certificate that is refused, so they stay behind.
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
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(by_flag));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().init(),
    }
}
