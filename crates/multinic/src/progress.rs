//! Progress on a terminal, nothing when piped.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use multinic_sync::observer::{Observer, Step};

/// A spinner with the current step. Draws only on a terminal; disappears at the end.
pub struct Progress(ProgressBar);

impl Progress {
    /// Begins to spin.
    pub fn start() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} [{elapsed}]") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }
}

impl Observer for Progress {
    fn step(&self, step: Step) {
        self.0.set_message(match step {
            Step::Resolving { providers } => format!("asking Contrabass about {providers} provider(s)"),
            Step::Reading { projects } => format!("reading {projects} OpenStack project(s)"),
            Step::Planning => "planning".to_owned(),
            Step::Confirming { pause } => {
                format!("a removal was seen; reading again after {} s", pause.as_secs_f32())
            }
            Step::Delivering { nodes } => format!("delivering {nodes} node config(s)"),
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
