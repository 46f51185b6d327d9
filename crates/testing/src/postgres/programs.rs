//! Debian's programs, run as somebody who is not root.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::programs::{Account, done};

/// PostgreSQL refuses to run as root.
pub(super) const ACCOUNT: Account = Account("postgres");

const MISSING: &str = "PostgreSQL's server programs were not found; install them with: apt-get install postgresql";

/// Where Debian keeps the programs of one version.
#[derive(Clone, Debug)]
pub(super) struct Programs(PathBuf);

impl Programs {
    /// Those of the newest version.
    pub fn find() -> Self {
        Self(newest().expect(MISSING))
    }

    /// A program, to be run by the owner of the data.
    pub fn command(&self, program: &str) -> Command {
        ACCOUNT.command(self.0.join(program))
    }

    /// A client program, as the database's owner, for the server whose socket is in the folder.
    pub fn client(&self, program: &str, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = self.command(program);
        command.arg("-h").arg(folder).args(["-U", "multinic"]).args(arguments);
        command
    }

    /// An empty cluster in `folder/data`.
    pub fn init(&self, folder: &Path) {
        done(self.command("initdb").arg("-D").arg(folder.join("data")).args([
            "-U",
            "multinic",
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]));
    }

    /// Starts the server of `folder/data` with these further settings and waits until it answers.
    pub fn start(&self, folder: &Path, settings: &str) {
        let options = format!("-k {} -c listen_addresses='' {settings}", folder.display());
        done(
            self.command("pg_ctl")
                .arg("-D")
                .arg(folder.join("data"))
                .arg("-l")
                .arg(folder.join("log"))
                .args(["-o", &options, "-w", "start"])
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
    }
}

/// Debian keeps the server's programs beside one another by version.
fn newest() -> Option<PathBuf> {
    let mut versions: Vec<_> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs.join("initdb").exists().then_some((version, programs))
        })
        .collect();
    versions.sort();
    versions.pop().map(|(_, programs)| programs)
}
