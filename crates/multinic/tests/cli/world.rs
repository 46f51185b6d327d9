//! A cloud, a management API, a folder with settings and a resource, and the command.

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use multinic_lab::{CloudBuilder, DEMO_ENCRYPTION_KEY, Lab, Receiver};
use tempfile::TempDir;

/// The bearer token that the receiver asks for.
pub const TOKEN: &str = "bearer-token-of-the-test";

/// The seed's resource.
pub const SEED: &str = include_str!("../../../../deploy/samples/openstackconfig.yaml");

pub struct World {
    pub lab: Lab,
    pub receiver: Receiver,
    pub folder: TempDir,
}

pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl World {
    /// The seed's cloud with the seed's resource.
    pub fn seed() -> Self {
        Self::new(CloudBuilder::seed())
    }

    pub fn new(cloud: CloudBuilder) -> Self {
        let world = Self {
            lab: Lab::start(cloud).unwrap(),
            receiver: Receiver::start().unwrap(),
            folder: TempDir::new().unwrap(),
        };
        world.receiver.require_token(TOKEN);
        world.write("contrabass.key", DEMO_ENCRYPTION_KEY);
        world.write("token", &format!("{TOKEN}\n"));
        world.write("cr.yaml", SEED);
        world.write("multinic.yaml", &world.settings());
        world
    }

    /// Settings that work; tests edit the text.
    pub fn settings(&self) -> String {
        format!(
            "contrabass:\n  endpoint: {}\n  password: {{key: {{file: {}}}}}\nmanagementApi:\n  endpoint: {}\n  token: \
             {{file: {}}}\nsync: {{confirmationPause: 1ms}}\n",
            self.lab.contrabass_url(),
            self.path("contrabass.key").display(),
            self.receiver.url(),
            self.path("token").display(),
        )
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    /// `multinic ARGS` in the folder, where `multinic.yaml` is found by itself.
    pub fn run(&self, args: &[&str]) -> Ran {
        self.run_with("", args, &[])
    }

    pub fn run_with(&self, stdin: &str, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_multinic"))
            .args(args)
            .current_dir(self.folder.path())
            .env_remove("RUST_LOG")
            .env_remove("MULTINIC_CONFIG")
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that fails early does not read its input.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn nothing_was_sent(&self) -> bool {
        self.lab.requests().is_empty() && self.receiver.requests().is_empty()
    }
}
