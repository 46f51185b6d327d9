//! `multinic api` as a process.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use crate::world::World;

#[test]
fn what_is_wrong_at_the_start_is_one_line_with_what_to_do() {
    let world = World::seed();
    world.write("tokens.yaml", "tokens: [{name: a}]");
    let good = format!(
        "tokens: [{{name: a, role: viewer, providers: ['*'], sha256: {}}}]",
        "0".repeat(64)
    );
    world.write("good.yaml", &good);
    for (args, code, expected) in [
        (
            &["--database", "mysql://db"][..],
            2,
            "expected sqlite://FILE or postgres://",
        ),
        (
            &["--database", "sqlite:///nowhere/at/all/api.db"],
            1,
            "the folder of SQLite's file",
        ),
        (
            &["--database", "sqlite://api.db", "--tokens", "absent.yaml"],
            2,
            "absent.yaml",
        ),
        (
            &["--database", "sqlite://api.db", "--tokens", "tokens.yaml"],
            2,
            "tokens.yaml",
        ),
        (
            &["--database", "sqlite://api.db", "--listen", "0.0.0.0:0"],
            2,
            "name a file of tokens",
        ),
        (
            &[
                "--database",
                "sqlite://api.db",
                "--listen",
                "0.0.0.0:0",
                "--tokens",
                "good.yaml",
            ],
            2,
            "--insecure-http",
        ),
        (&["--tls-cert", "cert.pem"], 2, "--tls-key"),
        (&["--client-ca", "ca.pem"], 2, "--tls-cert"),
        (
            &[
                "--database",
                "sqlite://api.db",
                "--tls-cert",
                "absent.pem",
                "--tls-key",
                "absent.pem",
            ],
            2,
            "absent.pem",
        ),
        (
            &[
                "--database",
                "sqlite://api.db",
                "--tls-cert",
                "good.yaml",
                "--tls-key",
                "good.yaml",
            ],
            2,
            "no private key",
        ),
        (
            &[
                "--database",
                "sqlite://api.db",
                "--tls-cert",
                "good.yaml",
                "--tls-key",
                "good.yaml",
                "--client-auth",
                "required",
            ],
            2,
            "--client-ca",
        ),
        (
            &["--database", "sqlite://api.db", "--listen", "localhost"],
            2,
            "--listen",
        ),
        (&["--database-file", "absent"], 2, "--database-file absent"),
    ] {
        let ran = world.run(&[&["api"], args].concat());
        assert_eq!(ran.code, code, "{args:?}: {}", ran.err);
        assert!(ran.err.contains(expected), "{args:?}: {}", ran.err);
    }
}

/// Ends the process with the test.
struct Api(Child);

impl Drop for Api {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

#[test]
fn it_serves_until_it_is_told_to_stop_and_keeps_what_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}/api.db", folder.path().display());
    let binary = env!("CARGO_BIN_EXE_multinic");
    let child = Command::new(binary)
        .args(["api", "--database", &database, "--listen", "127.0.0.1:0"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut api = Api(child);
    let mut lines = BufReader::new(api.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address = lines
        .find_map(|line| line.strip_prefix("listening on http://").map(ToOwned::to_owned))
        .unwrap();
    let body = r#"[{"nodeName": "worker-1", "instanceId": "i-1", "interfaces": []}]"#;
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "POST /v1/k8s/multinic/node-configs HTTP/1.1\r\nHost: a\r\nx-provider-id: biz-1\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 ") && answer.contains("\"created\""),
        "{answer}"
    );
    let copy = folder.path().join("copy.db");
    let copied = Command::new(binary)
        .args(["api", "backup", "--database", &database])
        .arg(&copy)
        .status()
        .unwrap();
    assert!(copied.success() && fs::metadata(&copy).unwrap().len() > 0);
    assert!(
        Command::new("kill")
            .arg(api.0.id().to_string())
            .status()
            .unwrap()
            .success()
    );
    assert!(api.0.wait().unwrap().success());
    let migrated = Command::new(binary)
        .args(["api", "migrate", "--database", &database])
        .status()
        .unwrap();
    assert!(migrated.success());
}
