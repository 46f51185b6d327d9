//! One process `multinic operator`.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

use super::stage::{NAMESPACE, Stage};

/// A running replica. Dropped, it is killed.
pub struct Replica {
    child: Child,
    log: Log,
}

/// Where a replica logs.
#[derive(Clone)]
pub struct Log(PathBuf);

impl Log {
    /// Everything so far.
    pub fn read(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Replica {
    /// One that asks for the lease, as this user of the Kubernetes API.
    pub fn contender(stage: &Stage, user: &str) -> Self {
        Self::start(stage, user, &[])
    }

    /// One that leads at once.
    pub fn alone(stage: &Stage) -> Self {
        Self::start(stage, "a", &["--no-leader-election"])
    }

    fn start(stage: &Stage, user: &str, more: &[&str]) -> Self {
        let log = stage.folder.path().join(format!("{user}-{}.log", stage.count()));
        let output = File::create(&log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_multinic"))
            .args([
                "operator",
                "--namespace",
                NAMESPACE,
                "--listen",
                "off",
                "--identity",
                user,
            ])
            .arg("--kubeconfig")
            .arg(stage.kubeconfig(user))
            .args(more)
            .env_clear()
            .env(
                "RUST_LOG",
                "info,multinic=debug,openstack_sdk=error,openstack_sdk_auth_core=warn",
            )
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        Self { child, log: Log(log) }
    }

    /// `kill -9`; returns when it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGSTOP.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// SIGTERM; returns when it has ended.
    pub async fn end(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let status = tokio::task::spawn_blocking(move || self.child.wait().unwrap());
        status.await.unwrap()
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.read()
    }

    /// What it logs, also after its end.
    pub fn log_file(&self) -> Log {
        self.log.clone()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
