//! One entry of the file of tokens: a credential of one kind, and what it is allowed for.

use std::{fmt, path::PathBuf};

use multinic_model::NodeName;
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor, value::SeqAccessDeserializer},
};

use super::caller::{Caller, Reach, Role};
use crate::tls::CertificateName;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EntryYaml {
    pub name: String,
    role: Role,
    #[serde(default)]
    providers: Vec<String>,
    #[serde(default)]
    nodes: Option<Nodes>,
    /// The token's SHA-256 in hex.
    #[serde(default)]
    sha256: Option<String>,
    /// A file that holds the token itself, such as a mounted Secret; relative to this file.
    #[serde(default)]
    token_file: Option<PathBuf>,
    /// A name that a client certificate carries.
    #[serde(default)]
    certificate: Option<CertificateName>,
    /// Who a ServiceAccount's token belongs to.
    #[serde(default)]
    kubernetes: Option<Subject>,
}

/// Who Kubernetes says that a token belongs to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Subject {
    /// A user, such as `system:serviceaccount:NAMESPACE:NAME`.
    User(String),
    /// A group, such as `system:serviceaccounts:NAMESPACE`.
    Group(String),
}

/// What an entry knows its owner by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Evidence {
    Sha256(String),
    TokenFile(PathBuf),
    Certificate(CertificateName),
    Kubernetes(Subject),
}

/// What an entry grants.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Grant {
    pub caller: Caller,
    /// Only for the node that the credential is bound to.
    pub is_own_node: bool,
}

/// `nodes: own` or `nodes: [worker-1]`.
#[derive(PartialEq, Eq)]
enum Nodes {
    Own,
    These(Vec<NodeName>),
}

impl<'de> Deserialize<'de> for Nodes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OwnOrList)
    }
}

struct OwnOrList;

impl<'de> Visitor<'de> for OwnOrList {
    type Value = Nodes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of node names, or the word own")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Nodes, E> {
        match word {
            "own" => Ok(Nodes::Own),
            other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Nodes, A::Error> {
        Deserialize::deserialize(SeqAccessDeserializer::new(list)).map(Nodes::These)
    }
}

impl EntryYaml {
    pub fn evidence(&self) -> Result<Evidence, String> {
        let mut given = [
            self.sha256.clone().map(Evidence::Sha256),
            self.token_file.clone().map(Evidence::TokenFile),
            self.certificate.clone().map(Evidence::Certificate),
            self.kubernetes.clone().map(Evidence::Kubernetes),
        ]
        .into_iter()
        .flatten();
        match (given.next(), given.next()) {
            (Some(evidence), None) => Ok(evidence),
            _ => Err("one of sha256, tokenFile, certificate and kubernetes is required".to_owned()),
        }
    }

    pub fn grant(self) -> Result<Grant, String> {
        if self.name.is_empty() || self.name.len() > 128 || self.name.chars().any(char::is_control) {
            return Err("name: expected 1 to 128 printable characters".to_owned());
        }
        if self.role != Role::Agent && self.nodes.is_some() {
            return Err("nodes: only agents can be limited to nodes".to_owned());
        }
        let is_kubernetes = self.kubernetes.is_some();
        if self.role == Role::Agent && is_kubernetes && self.nodes.is_none() {
            return Err("nodes: name them, or say own for the node that the token is bound to".to_owned());
        }
        if self.nodes == Some(Nodes::Own) && !is_kubernetes {
            return Err("nodes: only a token of Kubernetes is bound to its own node".to_owned());
        }
        let is_own_node = self.nodes == Some(Nodes::Own);
        let nodes = match self.nodes {
            Some(Nodes::These(nodes)) => Reach::Only(nodes.into_iter().collect()),
            Some(Nodes::Own) | None => Reach::All,
        };
        let caller = Caller {
            name: self.name,
            role: self.role,
            providers: providers(&self.providers)?,
            nodes,
        };
        Ok(Grant { caller, is_own_node })
    }
}

fn providers(names: &[String]) -> Result<Reach<multinic_model::ClusterId>, String> {
    match names {
        [] => Err("providers: name them, or \"*\" for all".to_owned()),
        [all] if all == "*" => Ok(Reach::All),
        some => {
            let parsed = some
                .iter()
                .map(|id| id.parse().map_err(|error| format!("providers: {error}")));
            Ok(Reach::Only(parsed.collect::<Result<_, _>>()?))
        }
    }
}
