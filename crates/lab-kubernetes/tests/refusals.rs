//! What a request is refused for, over plain HTTP: the client of kube-rs repeats some of these by itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use multinic_lab_kubernetes::KubernetesLab;
use reqwest::{Certificate, Client};
use serde_json::{Value, json};
use support::{config_json, lab};

const CONFIGS: &str = "/apis/multinic.example.com/v1alpha1/namespaces/multinic-system/openstackconfigs";

const SCHEMA: &str = "/spec/versions/0/schema/openAPIV3Schema/properties/spec";

/// A change of a definition, the status of its refusal, and something that the message says.
type Change = (fn(&mut Value), u16, &'static str);

/// One request, the status of its answer, and something that its message says.
type Case<'a> = (&'a str, String, &'a str, Value, u16, &'a str);

async fn ask(lab: &KubernetesLab, (method, path, content_type, body, ..): &Case<'_>) -> (u16, Value) {
    let certificate = Certificate::from_pem(lab.certificate().as_bytes()).unwrap();
    let client = Client::builder().tls_certs_only([certificate]).build().unwrap();
    let mut request = client
        .request(method.parse().unwrap(), format!("{}{path}", lab.url()))
        .bearer_auth("admin-token");
    if !content_type.is_empty() {
        request = request.header("Content-Type", *content_type).body(body.to_string());
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[allow(clippy::too_many_lines, reason = "a table")]
#[tokio::test]
async fn what_is_not_understood_is_refused_and_says_why() {
    let lab = lab().await;
    lab.apply(config_json("a")).unwrap();
    let none = Value::Null;
    let json_type = "application/json";
    let merge = "application/merge-patch+json";
    let apply = "application/apply-patch+yaml";
    let one = format!("{CONFIGS}/a");
    let unversioned = config_json("a");
    let mut misplaced = config_json("b");
    misplaced["metadata"]["namespace"] = json!("default");
    let mut undeclared = config_json("a");
    undeclared["spec"]["other"] = json!(1);
    let mut twice = config_json("a");
    twice["spec"]["vmNames"] = json!(["x", "x"]);
    let mut capital = config_json("b");
    capital["metadata"]["name"] = json!("Capital");
    let cases: Vec<Case<'_>> = vec![
        (
            "GET",
            "/apis/none.example.com/v1/things".to_owned(),
            "",
            none.clone(),
            404,
            "could not find the requested resource",
        ),
        (
            "GET",
            "/api/v1/pods".to_owned(),
            "",
            none.clone(),
            404,
            "could not find the requested resource",
        ),
        (
            "GET",
            format!("{one}/scale"),
            "",
            none.clone(),
            404,
            "could not find the requested resource",
        ),
        (
            "POST",
            one.clone(),
            json_type,
            config_json("a"),
            405,
            "does not allow this method",
        ),
        (
            "POST",
            "/apis/multinic.example.com/v1alpha1/openstackconfigs".to_owned(),
            json_type,
            config_json("b"),
            405,
            "scope",
        ),
        (
            "DELETE",
            "/api/v1/namespaces".to_owned(),
            "",
            none.clone(),
            405,
            "does not allow this method",
        ),
        (
            "POST",
            CONFIGS.to_owned(),
            "application/vnd.kubernetes.protobuf",
            none.clone(),
            415,
            "application/json",
        ),
        (
            "PATCH",
            one.clone(),
            "application/strategic-merge-patch+json",
            json!({}),
            415,
            merge,
        ),
        (
            "POST",
            CONFIGS.to_owned(),
            json_type,
            json!([]),
            400,
            "must be of type object",
        ),
        (
            "POST",
            CONFIGS.to_owned(),
            json_type,
            misplaced,
            400,
            "does not match the namespace",
        ),
        ("POST", CONFIGS.to_owned(), json_type, capital, 422, "RFC 1123"),
        (
            "PUT",
            "/apis/coordination.k8s.io/v1/namespaces/multinic-system/leases/l".to_owned(),
            json_type,
            json!({"metadata": {"name": "l"}}),
            501,
            "creating leases by an update",
        ),
        (
            "PUT",
            one.clone(),
            json_type,
            unversioned,
            422,
            "must be specified for an update",
        ),
        (
            "PATCH",
            one.clone(),
            apply,
            config_json("a"),
            422,
            "fieldManager: Required value",
        ),
        (
            "PATCH",
            format!("{one}?force=true"),
            merge,
            json!({}),
            422,
            "may not be specified for non-apply patch",
        ),
        (
            "PATCH",
            format!("{one}?fieldManager=m"),
            apply,
            undeclared,
            500,
            ".spec.other: field not declared in schema",
        ),
        (
            "PATCH",
            format!("{one}?fieldManager=m"),
            apply,
            twice,
            500,
            "duplicate entries",
        ),
        ("PATCH", format!("{one}?dryRun=Some"), merge, json!({}), 400, "dryRun"),
        (
            "GET",
            format!("{CONFIGS}?watch=1&resourceVersion=999999"),
            "",
            none.clone(),
            504,
            "Too large resource version",
        ),
        (
            "GET",
            format!("{CONFIGS}?resourceVersion=999999"),
            "",
            none.clone(),
            504,
            "Too large resource version",
        ),
        (
            "GET",
            format!("{CONFIGS}?resourceVersion=1&resourceVersionMatch=Exact"),
            "",
            none.clone(),
            410,
            "too old",
        ),
        (
            "GET",
            format!("{CONFIGS}?fieldSelector=spec.subnetID%3Dx"),
            "",
            none.clone(),
            400,
            "field label not supported",
        ),
        (
            "GET",
            format!("{CONFIGS}?watch=1&sendInitialEvents=true"),
            "",
            none.clone(),
            422,
            "sendInitialEvents",
        ),
        (
            "GET",
            format!("{one}?watch=1"),
            "",
            none.clone(),
            501,
            "select the name by field",
        ),
    ];
    for case in &cases {
        let (status, body) = ask(&lab, case).await;
        let message = body["message"].as_str().unwrap_or_default();
        assert_eq!(status, case.4, "{} {}: {body}", case.0, case.1);
        assert!(message.contains(case.5), "{} {}: {message}", case.0, case.1);
        assert_eq!(
            (body["kind"].as_str(), body["code"].as_u64()),
            (Some("Status"), Some(u64::from(status)))
        );
    }
}

#[tokio::test]
async fn a_definition_that_asks_for_more_than_is_implemented_is_refused() {
    let lab = lab().await;
    let definition = |change: fn(&mut Value)| {
        let mut definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "things.example.com"},
            "spec": {
                "group": "example.com", "scope": "Cluster", "names": {"plural": "things", "kind": "Thing"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "string"}}}},
                }}}],
            },
        });
        change(&mut definition);
        definition
    };
    let path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions".to_owned();
    let cases: [Change; 5] = [
        (
            |d| d.pointer_mut(SCHEMA).unwrap()["oneOf"] = json!([]),
            501,
            "the keyword \"oneOf\" of schemas",
        ),
        (
            |d| {
                d["spec"]["versions"]
                    .as_array_mut()
                    .unwrap()
                    .push(json!({"name": "v2", "served": true, "storage": false}));
            },
            501,
            "more than one version",
        ),
        (
            |d| d["spec"]["conversion"] = json!({"strategy": "Webhook"}),
            501,
            "conversion",
        ),
        (
            |d| d["metadata"]["name"] = json!("other.example.com"),
            422,
            "spec.names.plural",
        ),
        (
            |d| {
                d.pointer_mut(SCHEMA).unwrap()["x-kubernetes-validations"] =
                    json!([{"rule": "self.a ==", "message": "m"}]);
            },
            422,
            "failed to compile",
        ),
    ];
    for (change, status, message) in cases {
        let (found, body) = ask(
            &lab,
            &("POST", path.clone(), "application/json", definition(change), 0, ""),
        )
        .await;
        assert_eq!(found, status, "{body}");
        assert!(body["message"].as_str().unwrap().contains(message), "{body}");
    }
    let (found, body) = ask(&lab, &("POST", path, "application/json", definition(|_| {}), 0, "")).await;
    assert_eq!(found, 201, "{body}");
    assert!(lab.list("things.example.com", None).unwrap().is_empty());
}

#[tokio::test]
async fn a_token_review_knows_the_tokens_it_was_told_and_can_only_be_created() {
    use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
    let reviewed = multinic_lab_kubernetes::ReviewedToken {
        user: "system:serviceaccount:a:b".to_owned(),
        audiences: vec!["multinic".to_owned()],
        ..Default::default()
    };
    let lab = multinic_lab_kubernetes::KubernetesLab::builder()
        .reviewed_token("known", reviewed)
        .start()
        .await
        .unwrap();
    let client = support::client_of(&lab, "admin").await;
    let reviews = kube::Api::<TokenReview>::all(client);
    let ask = async |token: &str, audience: Option<&str>| {
        let spec = TokenReviewSpec {
            token: token.to_owned(),
            audiences: audience.map(|audience| vec![audience.to_owned()]),
        };
        let review = TokenReview {
            spec,
            ..TokenReview::default()
        };
        reviews
            .create(&kube::api::PostParams::default(), &review)
            .await
            .unwrap()
            .status
            .unwrap()
    };
    let known = ask("known", Some("multinic")).await;
    assert_eq!(known.authenticated, Some(true));
    assert_eq!(known.user.unwrap().username.unwrap(), "system:serviceaccount:a:b");
    for (token, audience) in [("known", None), ("known", Some("other")), ("unknown", Some("multinic"))] {
        let status = ask(token, audience).await;
        assert_eq!(status.authenticated, None);
        assert!(status.error.unwrap().contains("invalid bearer token"));
    }
    lab.forget_token("known");
    assert_eq!(ask("known", Some("multinic")).await.authenticated, None);
    let listed = reviews.list(&kube::api::ListParams::default()).await.unwrap_err();
    assert!(matches!(listed, kube::Error::Api(status) if status.code == 405));
}
