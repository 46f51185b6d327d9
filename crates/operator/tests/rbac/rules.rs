//! What is permitted, and what is needed.

use std::collections::BTreeSet;

use multinic_lab_kubernetes::{KubernetesLab, LoggedRequest};
use serde_json::Value;

use crate::life::NAMESPACE;

/// Where a permission counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    Everywhere,
    OwnNamespace,
}

/// One verb on one resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Permission {
    pub scope: Scope,
    pub group: String,
    pub resource: String,
    pub verb: String,
    pub name: Option<String>,
}

/// One request, as authorization sees it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Need {
    pub group: String,
    pub resource: String,
    pub verb: String,
    pub namespace: String,
    pub name: String,
}

impl Permission {
    pub fn grants(&self, need: &Need) -> bool {
        self.group == need.group
            && self.resource == need.resource
            && self.verb == need.verb
            && (self.scope == Scope::Everywhere || need.namespace == NAMESPACE)
            && self.name.as_ref().is_none_or(|name| *name == need.name)
    }
}

/// What the roles in the cluster permit; both are bound to the operator's account.
pub fn permissions(lab: &KubernetesLab) -> Vec<Permission> {
    let mut all = Vec::new();
    for (kind, scope) in [("clusterroles", Scope::Everywhere), ("roles", Scope::OwnNamespace)] {
        let roles = lab.list(&format!("{kind}.rbac.authorization.k8s.io"), None).unwrap();
        assert_eq!(roles.len(), 1, "{roles:#?}");
        assert_bound(lab, kind, &roles[0]);
        let listed = roles[0]["rules"].as_array().unwrap();
        all.extend(listed.iter().flat_map(|rule| of_rule(rule, scope)));
    }
    assert_eq!(
        all.iter().collect::<BTreeSet<_>>().len(),
        all.len(),
        "said twice: {all:#?}"
    );
    all
}

fn assert_bound(lab: &KubernetesLab, kind: &str, role: &Value) {
    let bindings = lab.list(
        &format!("{}bindings.rbac.authorization.k8s.io", kind.trim_end_matches('s')),
        None,
    );
    let bindings = bindings.unwrap();
    assert_eq!(bindings.len(), 1, "{bindings:#?}");
    assert_eq!(bindings[0]["roleRef"]["name"], role["metadata"]["name"]);
    let account = &bindings[0]["subjects"][0];
    assert_eq!(
        (account["kind"].as_str(), account["namespace"].as_str()),
        (Some("ServiceAccount"), Some(NAMESPACE))
    );
    let account = account["name"].as_str().unwrap();
    assert!(
        lab.get("serviceaccounts", NAMESPACE, account).unwrap().is_some(),
        "{account}"
    );
}

fn of_rule(rule: &Value, scope: Scope) -> Vec<Permission> {
    let mut names: Vec<_> = texts(rule, "resourceNames").into_iter().map(Some).collect();
    if names.is_empty() {
        names.push(None);
    }
    let mut all = Vec::new();
    for group in texts(rule, "apiGroups") {
        for resource in texts(rule, "resources") {
            for verb in texts(rule, "verbs") {
                assert!(
                    ![&group, &resource, &verb].iter().any(|part| part.as_str() == "*"),
                    "{rule}"
                );
                all.extend(names.iter().map(|name| Permission {
                    scope,
                    group: group.clone(),
                    resource: resource.clone(),
                    verb: verb.clone(),
                    name: name.clone(),
                }));
            }
        }
    }
    all
}

fn texts(rule: &Value, field: &str) -> Vec<String> {
    let values = rule[field].as_array().into_iter().flatten();
    values.map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// What the requests of a user needed.
pub fn needs(requests: &[LoggedRequest], user: &str) -> Vec<Need> {
    let own = requests.iter().filter(|request| request.user == user);
    let needs: BTreeSet<Need> = own.flat_map(of_request).collect();
    needs.into_iter().collect()
}

fn of_request(request: &LoggedRequest) -> Vec<Need> {
    assert!(
        !request.resource.is_empty(),
        "no resource, and nobody is asked: {request:?}"
    );
    let resource = match request.subresource.as_str() {
        "" => request.resource.clone(),
        subresource => format!("{}/{subresource}", request.resource),
    };
    // An apply that creates is asked about with its name, a plain create without one.
    let verbs = request.verbs().into_iter();
    verbs
        .map(|verb| Need {
            group: request.group.clone(),
            resource: resource.clone(),
            verb: verb.to_owned(),
            namespace: request.namespace.clone(),
            name: request.name.clone(),
        })
        .collect()
}
