//! Programs of other packages, run as somebody who is not root, and what outlives a test.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions},
    os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    },
    path::Path,
    process::{Command, Stdio},
};

/// The account that a package has brought along. It is only used by root; anybody else runs programs as themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Account(pub &'static str);

impl Account {
    /// A program, to be run as this account.
    pub fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = if uid() == 0 {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={}", self.0))
                .arg(format!("--regid={}", self.0))
                .arg("--clear-groups")
                .arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    /// A new folder for this account only.
    pub fn make_folder(self, folder: &Path) {
        fs::create_dir_all(folder).unwrap();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
        self.give(folder);
    }

    /// Makes a file or folder this account's own.
    pub fn give(self, path: &Path) {
        if uid() == 0 {
            done(Command::new("chown").arg(format!("{0}:{0}", self.0)).arg(path));
        }
    }
}

/// Runs a script with the folder as its `$1` that outlives this process.
pub(crate) fn watchdog(script: &str, folder: &Path) {
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
pub(crate) fn done(command: &mut Command) -> String {
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

/// A file to lock.
pub(crate) fn open(path: &Path) -> File {
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}

pub(crate) fn uid() -> u32 {
    fs::metadata("/proc/self").map_or(0, |own| own.uid())
}
