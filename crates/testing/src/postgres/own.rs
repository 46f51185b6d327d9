//! A server of one's own: to be stopped, killed, and replaced by its standby.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use super::programs::{ACCOUNT, Programs};
use crate::programs::{done, open, watchdog};

/// A running server with one database, `multinic`; it ends, and its folder goes, when dropped.
#[derive(Debug)]
pub struct PostgresServer {
    folder: PathBuf,
    programs: Programs,
    settings: String,
    /// Held for as long as the server is needed.
    _in_use: File,
}

/// How a server is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shutdown {
    /// Transactions are broken off; what was committed is written out.
    Fast,
    /// As after a crash: the next start has to recover.
    Immediate,
}

impl Shutdown {
    const fn name(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Immediate => "immediate",
        }
    }
}

impl PostgresServer {
    /// One with these settings beside the defaults, each as `name=value` without spaces.
    pub fn start(settings: &[&str]) -> Self {
        let server = Self::prepare(settings);
        server.programs.init(&server.folder);
        server.resume();
        done(&mut server.programs.client("createdb", &server.folder, &["multinic"]));
        server
    }

    /// A hot standby of this server that follows it as a replica of this name.
    #[must_use]
    pub fn standby(&self, name: &str) -> Self {
        let standby = Self {
            settings: self.settings.clone(),
            ..Self::prepare(&[])
        };
        let source = format!("host={} user=multinic application_name={name}", self.folder.display());
        done(
            self.programs
                .command("pg_basebackup")
                .args(["-d", &source, "-R", "--checkpoint=fast", "--no-sync", "-D"])
                .arg(standby.folder.join("data")),
        );
        standby.resume();
        standby
    }

    fn prepare(settings: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("multinic-postgres-{:016x}", rand::random::<u64>()));
        ACCOUNT.make_folder(&folder);
        let in_use = open(&folder.with_extension("in-use"));
        in_use.lock().unwrap();
        // Also after this process was killed.
        let script = r#"
            flock --exclusive "$1.in-use" true
            kill -QUIT "$(head -1 "$1/data/postmaster.pid")"; rm -rf "$1" "$1.in-use""#;
        watchdog(script, &folder);
        let settings = settings.iter().map(|setting| format!("-c {setting}"));
        Self {
            programs: Programs::find(),
            settings: settings.collect::<Vec<_>>().join(" "),
            folder,
            _in_use: in_use,
        }
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        let socket = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://multinic@{socket}/multinic")
    }

    /// Where it listens.
    pub fn socket(&self) -> PathBuf {
        self.folder.join(".s.PGSQL.5432")
    }

    /// Its folder; for a look at the log.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns when it has stopped.
    pub fn stop(&self, how: Shutdown) {
        self.control(&["-m", how.name(), "stop"]);
    }

    /// Starts it again; returns when it answers.
    pub fn resume(&self) {
        self.programs.start(&self.folder, &self.settings);
    }

    /// Makes the standby a primary; returns when it takes writes.
    pub fn promote(&self) {
        self.control(&["promote"]);
    }

    /// What a statement gives, unaligned.
    pub fn query(&self, statement: &str) -> String {
        let arguments = ["-qXAt", "-c", statement, "multinic"];
        done(&mut self.programs.client("psql", &self.folder, &arguments))
    }

    fn control(&self, arguments: &[&str]) {
        let mut command = self.programs.command("pg_ctl");
        command
            .arg("-D")
            .arg(self.folder.join("data"))
            .arg("-w")
            .args(arguments);
        done(&mut command);
    }
}
