//! One process `multinic api`.

use std::{
    io::{self, BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
    thread,
};

use tokio::sync::oneshot;

/// A process that was started; dropped, it is killed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    address: oneshot::Receiver<Result<SocketAddr, String>>,
}

impl Process {
    /// Returns at once; it may not even have opened its database.
    pub fn start(database: &str, kubeconfigs: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_multinic"))
            .args([
                "api",
                "--listen",
                "127.0.0.1:0",
                "--database",
                database,
                "--kubeconfigs",
            ])
            .arg(kubeconfigs)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = child.stderr.take().unwrap();
        let (sender, address) = oneshot::channel();
        thread::spawn(move || {
            let mut log = BufReader::new(log);
            let _ = sender.send(find_address(&mut log));
            let _ = io::copy(&mut log, &mut io::sink());
        });
        Self { child, address }
    }

    /// Waits until it listens; where.
    pub async fn address(&mut self) -> SocketAddr {
        let found = (&mut self.address).await.unwrap();
        found.unwrap_or_else(|said| panic!("the server ended: {said}"))
    }

    /// `kill -9`; returns when it is gone.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What it says of its address; all that it said if it ends without.
fn find_address(log: &mut BufReader<ChildStderr>) -> Result<SocketAddr, String> {
    let mut said = String::new();
    while log.read_line(&mut said).is_ok_and(|length| length > 0) {
        let line = said.lines().last().unwrap_or_default();
        if let Some(address) = line.strip_prefix("listening on http://") {
            return Ok(address.parse().unwrap());
        }
    }
    Err(said)
}
