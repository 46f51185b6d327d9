//! One process `multinic operator`, the binary beside ours.

use std::{
    fs::{self, File, OpenOptions},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

pub use rustix::process::Signal;
use rustix::process::{Pid, kill_process};

use crate::{Failure, NAMESPACE, Stage, Usage};

/// A running replica. Dropped, it is killed.
#[derive(Debug)]
pub struct Replica {
    child: Child,
    log: PathBuf,
    address: String,
}

impl Replica {
    /// Starts one that asks for the lease as this user of the Kubernetes API. Its log goes on where an earlier one's of
    /// the same user ended.
    pub fn start(stage: &Stage, user: &str, more: &[&str]) -> Result<Self, Failure> {
        let log = stage.folder.path().join(format!("{user}.log"));
        let output: File = OpenOptions::new().create(true).append(true).open(&log)?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let child = Command::new(std::env::current_exe()?.with_file_name("multinic"))
            .args([
                "operator",
                "--namespace",
                NAMESPACE,
                "--identity",
                user,
                "--listen",
                &address,
            ])
            .arg("--kubeconfig")
            .arg(stage.kubeconfig(user)?)
            .args(more)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        Ok(Self { child, log, address })
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let pid = Pid::from_raw(self.child.id().cast_signed()).ok_or("no such process")?;
        Ok(kill_process(pid, signal)?)
    }

    /// `kill -9`; returns when it is gone.
    pub fn kill(mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM; how it ended, if it did within half a minute.
    pub async fn end(mut self) -> Result<ExitStatus, Failure> {
        self.signal(Signal::TERM)?;
        for _ in 0..300 {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(format!("the operator does not end; its log: {}", self.log()?).into())
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, Failure> {
        Ok(self.child.try_wait()?)
    }

    /// What the kernel says about it.
    pub fn usage(&self) -> Result<Usage, Failure> {
        Usage::of(self.child.id())
    }

    /// Its metrics.
    pub async fn metrics(&self) -> Result<String, Failure> {
        let answer = reqwest::get(format!("http://{}/metrics", self.address)).await?;
        Ok(answer.text().await?)
    }

    /// What it and its predecessors of the same name have logged.
    pub fn log(&self) -> Result<String, Failure> {
        Ok(fs::read_to_string(&self.log)?)
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
