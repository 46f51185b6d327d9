//! No secret in any output, at any verbosity.

use multinic_lab::{DEMO_ADMIN_PASSWORD, DEMO_ENCRYPTION_KEY};

use crate::world::{TOKEN, World};

/// Keystone's Fernet tokens, and the lab's, begin alike.
const START_OF_EVERY_TOKEN: &str = "gAAAAAB";

#[test]
fn no_secret_is_printed_at_any_verbosity() {
    let world = World::seed();
    let mut outputs = Vec::new();
    for args in [
        &["plan", "-f", "cr.yaml"][..],
        &["sync", "-f", "cr.yaml"],
        &["doctor", "-f", "cr.yaml"],
    ] {
        for verbosity in ["-v", "-vv", "-vvv", "-vvvv"] {
            outputs.push(world.run(&[args, &[verbosity]].concat()));
        }
        outputs.push(world.run_with("", args, &[("RUST_LOG", "trace")]));
        outputs.push(world.run_with(
            "",
            &[args, &["--log-format", "json"]].concat(),
            &[("RUST_LOG", "trace")],
        ));
    }
    assert!(world.lab.cloud().live_tokens() > 0, "tokens were issued");
    world.lab.cloud().set_password("admin", "another").unwrap();
    outputs.push(world.run_with("", &["sync", "-f", "cr.yaml", "-vvvv"], &[("RUST_LOG", "trace")]));
    let traced = outputs.iter().filter(|ran| ran.err.contains("TRACE")).count();
    assert!(
        traced > 6,
        "the trace was on in only {traced} of {} runs",
        outputs.len()
    );

    let secrets = [DEMO_ADMIN_PASSWORD, DEMO_ENCRYPTION_KEY, TOKEN, START_OF_EVERY_TOKEN];
    for ran in &outputs {
        for secret in secrets {
            assert!(
                !ran.out.contains(secret) && !ran.err.contains(secret),
                "a secret was printed:\n{}",
                ran.err
            );
        }
    }
}
