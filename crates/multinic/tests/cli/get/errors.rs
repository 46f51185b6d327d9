//! What went wrong, where, and what to do: one line.

use super::api::{Api, CLUSTER, node};

#[test]
fn an_error_is_one_line_with_what_to_do() {
    let api = Api::start();
    api.post(CLUSTER, &[node(1, &[])]);
    let path = |name: &str| api.path(name).to_str().unwrap().to_owned();
    let (viewer, absent) = (path("viewer"), path("absent"));
    let viewer = ("MULTINIC_TOKEN_FILE", viewer.as_str());
    for (args, env, code, expected) in [
        (
            &["nodes", "--provider", CLUSTER][..],
            &[][..],
            1,
            "; give a token that the server knows",
        ),
        (
            &["providers"],
            &[("MULTINIC_TOKEN", "wrong-token-of-the-test")],
            1,
            "401",
        ),
        (
            &["nodes", "--provider", CLUSTER],
            &[("MULTINIC_TOKEN", "agent-token-of-the-test")],
            1,
            "403 The token does not allow this: ",
        ),
        (
            &["nodes", "--mac", "zz"],
            &[viewer],
            2,
            "macAddress: this cannot be read, found zz, allowed: a MAC address such as ",
        ),
        (
            &["node", "absent"],
            &[viewer],
            1,
            "404 There is no such thing: the cluster biz-1 has no node absent; check the name",
        ),
        (
            &["nodes", "--since", "yesterday"],
            &[viewer],
            2,
            "expected a time such as 2026-01-08T00:00:00Z or how long ago",
        ),
        (&["nodes", "--provider", "a/b"], &[viewer], 2, "--provider"),
        (&["node", "No_Node"], &[viewer], 2, "No_Node"),
        (&["nodes", "--watch", "--mac", "a"], &[viewer], 2, "cannot be used with"),
        (
            &["nodes", "--server", "localhost:8080"],
            &[viewer],
            2,
            "begins with http:// or https://; check --server",
        ),
        (
            &["nodes", "--server", "http://127.0.0.1:1/"],
            &[viewer],
            1,
            "no connection (3 attempts)",
        ),
        (
            &["nodes", "--server", "no address"],
            &[viewer],
            2,
            "give the address with --server",
        ),
        (
            &["nodes", "--token-file", &absent],
            &[],
            2,
            "failed to read the token in ",
        ),
        (
            &["nodes", "--ca-file", &absent, "--server", "https://localhost"],
            &[viewer],
            2,
            "failed to read the CA file",
        ),
    ] {
        let ran = api.get_with(args, env);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{args:?}: {}", ran.err);
        assert!(ran.err.contains(expected), "{args:?}: {}", ran.err);
        if ran.err.contains("failed to GET") {
            assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
        }
        assert!(!ran.err.contains("-token-of-the-test"), "{}", ran.err);
    }
}
