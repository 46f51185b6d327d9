//! Keys and passwords that change while the operator runs.

use multinic_lab::{DEMO_ADMIN_PASSWORD, DEMO_ENCRYPTION_KEY, LoggedRequest, Service};
use serde_json::Value;

use super::{
    replica::Replica,
    stage::{Stage, condition},
};

fn logins(requests: &[LoggedRequest]) -> usize {
    let login = |request: &&LoggedRequest| request.service == Service::Keystone && request.method == "POST";
    requests.iter().filter(login).count()
}

fn is_unready_because(config: &Value, of: &str, reason: &str) -> bool {
    condition(config, of)["reason"] == reason && condition(config, "Ready")["status"] == "False"
}

#[tokio::test]
async fn another_key_in_the_secret_is_picked_up_and_a_wrong_one_is_reported() {
    let stage = Stage::new().await;
    stage.set_key("not the key");
    let replica = Replica::alone(&stage);
    stage.put("red", &["vm-1"]);
    let config = stage
        .until(|config| is_unready_because(config, "CredentialsResolved", "PasswordUnreadable"))
        .await;
    assert_eq!(logins(&stage.lab.requests()), 0, "{config:#}");
    stage.set_key(DEMO_ENCRYPTION_KEY);
    stage.until_ready().await;
    assert_eq!(stage.delivered().len(), 1);

    for (text, what) in [(config.to_string(), "status"), (replica.log(), "log")] {
        for secret in ["not the key", DEMO_ENCRYPTION_KEY, DEMO_ADMIN_PASSWORD] {
            assert!(!text.contains(secret), "{secret:?} in the {what}:\n{text}");
        }
    }
}

#[tokio::test]
async fn a_rejected_password_is_tried_once_until_something_changes() {
    let stage = Stage::new().await;
    stage.lab.cloud().set_password("admin", "rotated").unwrap();
    stage.set("interval: 1s");
    let replica = Replica::alone(&stage);
    stage.put("red", &["vm-1"]);
    stage
        .until(|config| is_unready_because(config, "CloudReachable", "CredentialsRejected"))
        .await;
    // Further resyncs: they ask the management API, and Contrabass whether it has another password by now.
    let asked = |requests: &[LoggedRequest]| requests.iter().filter(|request| request.method == "GET").count();
    let before = asked(&stage.receiver.requests());
    stage.receiver.until(|requests| asked(requests) >= before + 3).await;
    assert_eq!(logins(&stage.lab.requests()), 1, "{}", replica.log());

    stage.lab.cloud().set_password("admin", DEMO_ADMIN_PASSWORD).unwrap();
    // The same credentials again: only a change of the settings says that it is worth a try.
    stage.set("interval: 2s");
    stage.until_ready().await;
    assert_eq!(logins(&stage.lab.requests()), 2, "{}", replica.log());
}
