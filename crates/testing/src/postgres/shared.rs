//! A database on the server that all test processes of a user share.
//!
//! Who comes first starts the server. A watchdog stops it and deletes the folder once no test process has been left for
//! some seconds.

use std::{
    fs::{self, File},
    path::PathBuf,
};

use super::programs::{ACCOUNT, Programs};
use crate::programs::{done, open, uid, watchdog};

/// One database on the shared server, dropped with this value.
#[derive(Debug)]
pub struct PostgresDatabase {
    server: Server,
    name: String,
}

#[derive(Debug)]
struct Server {
    folder: PathBuf,
    programs: Programs,
    /// Held shared for as long as this process needs the server.
    _in_use: File,
}

impl PostgresDatabase {
    /// An empty one; starts the server if it does not run.
    pub fn create() -> Self {
        let server = Server::join();
        let name = format!("t{:032x}", rand::random::<u128>());
        server.run("createdb", &[&name]);
        Self { server, name }
    }

    /// Its address.
    pub fn url(&self) -> String {
        let socket = self.server.folder.display().to_string().replace('/', "%2F");
        format!("postgres://multinic@{socket}/{}", self.name)
    }

    /// What a statement gives, unaligned.
    pub fn query(&self, statement: &str) -> String {
        self.server.run("psql", &["-qXAt", "-c", statement, &self.name])
    }

    /// Cuts every connection to the database.
    pub fn cut_connections(&self) {
        let cut = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
            self.name
        );
        self.server.run("psql", &["-qXAt", "-c", &cut, "postgres"]);
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        self.server.run("dropdb", &["--force", &self.name]);
    }
}

impl Server {
    fn join() -> Self {
        let programs = Programs::find();
        let folder = std::env::temp_dir().join(format!("multinic-tests-postgres-{}", uid()));
        let door = open(&folder.with_extension("door"));
        door.lock().unwrap();
        let in_use = open(&folder.with_extension("in-use"));
        in_use.lock_shared().unwrap();
        let server = Self {
            folder,
            programs,
            _in_use: in_use,
        };
        if !server.answers() {
            server.start();
        }
        server
    }

    fn answers(&self) -> bool {
        let arguments = ["-qXAt", "-c", "SELECT 1", "postgres"];
        let mut command = self.programs.client("psql", &self.folder, &arguments);
        command.output().is_ok_and(|output| output.status.success())
    }

    fn start(&self) {
        let _ = fs::remove_dir_all(&self.folder);
        ACCOUNT.make_folder(&self.folder);
        self.programs.init(&self.folder);
        self.programs.start(&self.folder, "-c fsync=off -c max_connections=300");
        self.watch();
    }

    /// Waits until nobody uses the server any more, gives the next test process some seconds, then stops it.
    fn watch(&self) {
        let script = r#"
            while :; do
              flock --exclusive "$1.in-use" true; sleep 10
              if flock --exclusive "$1.door" sh -c 'flock --exclusive --nonblock "$1.in-use" true || exit 1
                  kill -QUIT "$(head -1 "$1/data/postmaster.pid")"; rm -rf "$1"' sh "$1"; then exit; fi
            done"#;
        watchdog(script, &self.folder);
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        done(&mut self.programs.client(program, &self.folder, arguments))
    }
}
