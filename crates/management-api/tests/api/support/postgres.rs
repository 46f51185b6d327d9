//! A PostgreSQL of Debian's packages, private to the tests.
//!
//! All test processes of a user share one server; each test has a database of its own. Who comes first starts the
//! server, on a socket in a temporary folder, without a TCP port, and not as root. A watchdog stops it and deletes the
//! folder once no test process has been left for some seconds.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// One database on the shared server, dropped with this value.
#[derive(Debug)]
pub struct PostgresDatabase {
    server: Server,
    name: String,
}

#[derive(Debug)]
struct Server {
    folder: PathBuf,
    programs: PathBuf,
    /// Held shared for as long as this process needs the server.
    _in_use: File,
}

const MISSING: &str = "PostgreSQL's server programs were not found; install them with: apt-get install postgresql";

impl PostgresDatabase {
    pub fn create() -> Self {
        let server = Server::join();
        let name = format!("t{:032x}", rand::random::<u128>());
        server.run("createdb", &[&name]);
        Self { server, name }
    }

    pub fn url(&self) -> String {
        let socket = self.server.folder.display().to_string().replace('/', "%2F");
        format!("postgres://multinic@{socket}/{}", self.name)
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
        let programs = programs().expect(MISSING);
        let uid = fs::metadata("/proc/self").map_or(0, |own| std::os::unix::fs::MetadataExt::uid(&own));
        let folder = std::env::temp_dir().join(format!("multinic-tests-postgres-{uid}"));
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
        let mut command = self.command("psql", &["-qXAt", "-c", "SELECT 1", "postgres"]);
        command.output().is_ok_and(|output| output.status.success())
    }

    fn start(&self) {
        let _ = fs::remove_dir_all(&self.folder);
        fs::create_dir_all(&self.folder).unwrap();
        fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o700)).unwrap();
        if am_root() {
            done(Command::new("chown").arg("postgres:postgres").arg(&self.folder));
        }
        let data = self.folder.join("data").display().to_string();
        let log = self.folder.join("log").display().to_string();
        done(self.unprivileged("initdb").args([
            "-D",
            &data,
            "-U",
            "multinic",
            "-A",
            "trust",
            "--no-sync",
            "-E",
            "UTF8",
        ]));
        let options = format!(
            "-k {} -c listen_addresses='' -c fsync=off -c max_connections=300",
            self.folder.display()
        );
        done(
            self.unprivileged("pg_ctl")
                .args(["-D", &data, "-l", &log, "-o", &options, "-w", "start"])
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
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
        // It outlives this process.
        let watchdog = Command::new("sh")
            .args(["-c", script, "sh", &self.folder.display().to_string()])
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        drop(watchdog.unwrap());
    }

    /// A client program, as the database's owner.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = self.unprivileged(program);
        command
            .arg("-h")
            .arg(&self.folder)
            .args(["-U", "multinic"])
            .args(arguments);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        done(&mut self.command(program, arguments));
    }

    /// PostgreSQL refuses to run as root.
    fn unprivileged(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if am_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

fn done(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("failed to run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "failed to run {command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn open(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

fn am_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// Debian keeps the server's programs beside one another by version; the newest is taken.
fn programs() -> Option<PathBuf> {
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
