//! The file of tokens: who is known by which token, certificate or ServiceAccount. Tokens are kept as digests.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    caller::{Caller, Reach},
    entry::{EntryYaml, Evidence, Grant, Subject},
    review::Reviewed,
};
use crate::tls::{CertificateName, Peer};

/// Everybody who is known.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tokens {
    digests: BTreeMap<[u8; 32], Caller>,
    certificates: BTreeMap<CertificateName, Caller>,
    subjects: BTreeMap<Subject, Grant>,
}

/// Why a file of tokens is of no use.
#[derive(Debug, thiserror::Error)]
pub enum TokensError {
    /// It cannot be read.
    #[error("failed to read {path}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("failed to parse {path}: {reason}")]
    Parse {
        /// Which file.
        path: PathBuf,
        /// Why, without the file's content.
        reason: String,
    },
    /// It names nobody, while somebody is known.
    #[error("failed to find anybody in {path}")]
    Empty {
        /// Which file.
        path: PathBuf,
    },
    /// It names credentials that the server does not take.
    #[error("failed to accept an entry with {evidence}: that needs {option}")]
    Unmet {
        /// The key of the entry.
        evidence: &'static str,
        /// What would have to be given.
        option: &'static str,
    },
    /// An entry that cannot be used.
    #[error("failed to accept tokens[{index}] ({name:?}): {reason}")]
    Entry {
        /// Its position, from 0.
        index: usize,
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
}

/// Which credentials besides static tokens the server can take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Accepted {
    /// Client certificates.
    pub certificates: bool,
    /// Tokens of Kubernetes.
    pub reviews: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FileYaml {
    tokens: Vec<EntryYaml>,
}

/// A shorter token could be guessed.
const MIN_TOKEN: usize = 16;

impl Tokens {
    /// Reads the file and the files that it names.
    ///
    /// ```yaml
    /// tokens:
    ///   - {name: operator, role: operator, providers: ["*"], tokenFile: operator/token}
    ///   - {name: worker-1, role: agent, providers: [biz-1], nodes: [worker-1], sha256: 9f86d081…}
    ///   - {name: console, role: viewer, providers: ["*"], certificate: {commonName: multinic-console}}
    ///   - name: agents
    ///     role: agent
    ///     providers: [biz-1]
    ///     nodes: own
    ///     kubernetes: {user: "system:serviceaccount:multinic-system:multinic-agent"}
    /// ```
    ///
    /// A certificate is known by `commonName`, `dnsName` or `uri`, a token of Kubernetes by its `user` or a `group`.
    pub fn read(path: &Path) -> Result<Self, TokensError> {
        let text = read(path)?;
        let parsed: Result<FileYaml, _> = serde_saphyr::from_str(text.expose_secret());
        let file = parsed.map_err(|error| TokensError::Parse {
            path: path.to_owned(),
            reason: error.to_string().lines().next().unwrap_or_default().to_owned(),
        })?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let mut tokens = Self::default();
        for (index, entry) in file.tokens.into_iter().enumerate() {
            let name = entry.name.clone();
            let refuse = |reason: String| TokensError::Entry { index, name, reason };
            let evidence = entry.evidence().map_err(refuse.clone())?;
            let grant = entry.grant().map_err(refuse.clone())?;
            tokens.add(evidence, grant, folder)?.map_err(refuse)?;
        }
        Ok(tokens)
    }

    fn add(&mut self, evidence: Evidence, grant: Grant, folder: &Path) -> Result<Result<(), String>, TokensError> {
        let before = match evidence {
            Evidence::Certificate(name) => self.certificates.insert(name, grant.caller).is_some(),
            Evidence::Kubernetes(subject) => self.subjects.insert(subject, grant).is_some(),
            Evidence::Sha256(hex) => match parse_hex(&hex) {
                Some(digest) => self.digests.insert(digest, grant.caller).is_some(),
                None => return Ok(Err("sha256: expected 64 hex digits".to_owned())),
            },
            Evidence::TokenFile(file) => {
                let token = read(&folder.join(file))?;
                let token = token.expose_secret().trim();
                if token.len() < MIN_TOKEN {
                    return Ok(Err(format!("tokenFile: a token has at least {MIN_TOKEN} characters")));
                }
                self.digests.insert(digest(token), grant.caller).is_some()
            }
        };
        Ok(if before {
            Err("another entry has the same token, certificate or ServiceAccount".to_owned())
        } else {
            Ok(())
        })
    }

    /// Adds a token.
    #[must_use]
    pub fn with(mut self, token: &SecretString, caller: Caller) -> Self {
        self.digests.insert(digest(token.expose_secret()), caller);
        self
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty() && self.certificates.is_empty() && self.subjects.is_empty()
    }

    /// Fails if somebody is known by a credential that the server does not take: nobody would ever get in by it.
    pub fn check(&self, accepted: Accepted) -> Result<(), TokensError> {
        let unmet = |evidence, option| Err(TokensError::Unmet { evidence, option });
        if !self.certificates.is_empty() && !accepted.certificates {
            return unmet("certificate", "--client-ca");
        }
        if !self.subjects.is_empty() && !accepted.reviews {
            return unmet("kubernetes", "--token-review");
        }
        Ok(())
    }

    /// Whose token it is. What is compared is a digest, of which nobody can choose the first bytes.
    pub fn caller(&self, token: &str) -> Option<&Caller> {
        self.digests.get(&digest(token))
    }

    /// What Kubernetes' word for it allows. The user counts before the groups, these in their order. An error says why it
    /// allows nothing.
    pub(super) fn reviewed(&self, reviewed: &Reviewed) -> Result<Caller, String> {
        let user = self.subjects.get(&Subject::User(reviewed.user.clone()));
        let mut groups = reviewed.groups.iter().map(|group| Subject::Group(group.clone()));
        let grant = user.or_else(|| groups.find_map(|group| self.subjects.get(&group)));
        let Some(Grant { caller, is_own_node }) = grant else {
            return Err(format!(
                "nothing is allowed for the user {:?} of Kubernetes",
                reviewed.user
            ));
        };
        let mut caller = caller.clone();
        if *is_own_node {
            let node = reviewed.node.clone();
            let node = node.ok_or_else(|| format!("the token of {:?} is not bound to a node", reviewed.user))?;
            caller.name = format!("{} on {node}", caller.name);
            caller.nodes = Reach::Only(BTreeSet::from([node]));
        }
        Ok(caller)
    }

    /// Whose certificate it is; of several names that are known, the first in their order counts.
    pub fn peer(&self, peer: &Peer) -> Option<&Caller> {
        peer.names().iter().find_map(|name| self.certificates.get(name))
    }
}

fn read(path: &Path) -> Result<SecretString, TokensError> {
    let text = std::fs::read_to_string(path).map_err(|source| TokensError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(text.into())
}

fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn parse_hex(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        let digits = hex.get(2 * index..2 * index + 2)?;
        *byte = digits
            .bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then(|| u8::from_str_radix(digits, 16).ok())??;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(yaml: &str, secret: &str) -> Result<Tokens, TokensError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("secret"), secret).unwrap();
        std::fs::write(folder.path().join("tokens.yaml"), yaml).unwrap();
        Tokens::read(&folder.path().join("tokens.yaml"))
    }

    #[test]
    fn a_token_is_found_by_its_digest_only() {
        let hex = crate::store::content::digest(b"a-token-of-the-agent");
        let yaml = format!(
            "tokens:\n- {{name: op, role: operator, providers: ['*'], tokenFile: secret}}\n\
             - {{name: w1, role: agent, providers: [biz-1], nodes: [w1], sha256: {hex}}}\n"
        );
        let tokens = tokens(&yaml, "a-token-of-the-operator\n").unwrap();
        assert_eq!(tokens.caller("a-token-of-the-operator").unwrap().name, "op");
        let agent = tokens.caller("a-token-of-the-agent").unwrap();
        assert!(
            agent.providers.includes(&"biz-1".parse().unwrap()) && !agent.providers.includes(&"biz-2".parse().unwrap())
        );
        assert_eq!(tokens.caller(&hex), None);
        assert!(!format!("{tokens:?}").contains("a-token"));
    }

    #[test]
    fn an_entry_of_no_use_is_named() {
        for (entry, field) in [
            ("{name: a, role: viewer, providers: ['*']}", "sha256"),
            ("{name: a, role: viewer, providers: ['*'], sha256: xyz}", "sha256"),
            ("{name: a, role: viewer, providers: [], tokenFile: secret}", "providers"),
            (
                "{name: a, role: viewer, providers: ['*'], nodes: [w], tokenFile: secret}",
                "nodes",
            ),
            ("{name: '', role: viewer, providers: ['*'], tokenFile: secret}", "name"),
            ("{name: a, role: king, providers: ['*'], tokenFile: secret}", "king"),
        ] {
            let error = tokens(&format!("tokens: [{entry}]"), "long-enough-to-be-a-token")
                .unwrap_err()
                .to_string();
            assert!(error.contains(field), "{entry}: {error}");
        }
        let short = tokens(
            "tokens: [{name: a, role: viewer, providers: ['*'], tokenFile: secret}]",
            "short",
        )
        .unwrap_err();
        assert!(short.to_string().contains("16"), "{short}");
    }
}
