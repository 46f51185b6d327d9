//! Debian's programs, run as somebody who is not root.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

const MISSING: &str = "PostgreSQL's server programs were not found; install them with: apt-get install postgresql";

/// Where Debian keeps the programs of one version.
#[derive(Clone, Debug)]
pub(super) struct Programs(PathBuf);

impl Programs {
    /// Those of the newest version.
    pub fn find() -> Self {
        Self(newest().expect(MISSING))
    }

    /// A program, to be run by the owner of the data: PostgreSQL refuses to run as root.
    pub fn command(&self, program: &str) -> Command {
        let program = self.0.join(program);
        let mut command = if uid() == 0 {
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

/// A new folder for the owner of the data only.
pub(super) fn make_folder(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    if uid() == 0 {
        done(Command::new("chown").arg("postgres:postgres").arg(folder));
    }
}

/// Runs a script with the folder as its `$1` that outlives this process.
pub(super) fn watchdog(script: &str, folder: &Path) {
    let watchdog = Command::new("sh")
        .args(["-c", script, "sh"])
        .arg(folder)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    drop(watchdog.unwrap());
}

/// Runs it to its end; what it printed.
pub(super) fn done(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("failed to run {command:?}: {error}"));
    assert!(
        output.status.success(),
        "failed to run {command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(super) fn open(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

pub(super) fn uid() -> u32 {
    fs::metadata("/proc/self").map_or(0, |own| own.uid())
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
