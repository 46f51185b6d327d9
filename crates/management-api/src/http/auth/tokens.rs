//! Bearer tokens: read from a file, kept as digests.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use multinic_model::{ClusterId, NodeName};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// What a token is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Writes node configs and settings of clusters, reads everything.
    Operator,
    /// Reads one node at a time and reports its status.
    Agent,
    /// Reads everything.
    Viewer,
}

/// Of a set of things: all, or these.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reach<T> {
    /// All of them.
    All,
    /// These.
    Only(BTreeSet<T>),
}

impl<T: Ord> Reach<T> {
    /// Whether it is one of them.
    pub fn includes(&self, thing: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(set) => set.contains(thing),
        }
    }
}

/// Who a token belongs to, and what it may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Its name; it becomes part of the history.
    pub name: String,
    /// What it is for.
    pub role: Role,
    /// In which clusters.
    pub providers: Reach<ClusterId>,
    /// For which nodes (agents).
    pub nodes: Reach<NodeName>,
}

/// The tokens that are known, by digest.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Tokens(BTreeMap<[u8; 32], Caller>);

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct FileYaml {
    tokens: Vec<EntryYaml>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EntryYaml {
    name: String,
    role: Role,
    #[serde(default)]
    providers: Vec<String>,
    #[serde(default)]
    nodes: Option<Vec<NodeName>>,
    /// The token's SHA-256 in hex.
    #[serde(default)]
    sha256: Option<String>,
    /// A file that holds the token itself, such as a mounted Secret; relative to this file.
    #[serde(default)]
    token_file: Option<PathBuf>,
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
    /// ```
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
            let digest = entry.digest(folder)?.map_err(refuse.clone())?;
            let caller = entry.caller().map_err(refuse.clone())?;
            if tokens.0.insert(digest, caller).is_some() {
                return Err(refuse("another entry has the same token".to_owned()));
            }
        }
        Ok(tokens)
    }

    /// Adds a token.
    #[must_use]
    pub fn with(mut self, token: &SecretString, caller: Caller) -> Self {
        self.0.insert(digest(token.expose_secret()), caller);
        self
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token it is. What is compared is a digest, of which nobody can choose the first bytes.
    pub fn caller(&self, token: &str) -> Option<&Caller> {
        self.0.get(&digest(token))
    }
}

impl EntryYaml {
    fn digest(&self, folder: &Path) -> Result<Result<[u8; 32], String>, TokensError> {
        Ok(match (&self.sha256, &self.token_file) {
            (Some(hex), None) => parse_hex(hex).ok_or_else(|| "sha256: expected 64 hex digits".to_owned()),
            (None, Some(file)) => {
                let token = read(&folder.join(file))?;
                let token = token.expose_secret().trim();
                if token.len() >= MIN_TOKEN {
                    Ok(digest(token))
                } else {
                    Err(format!("tokenFile: a token has at least {MIN_TOKEN} characters"))
                }
            }
            _ => Err("one of sha256 and tokenFile is required".to_owned()),
        })
    }

    fn caller(self) -> Result<Caller, String> {
        if self.name.is_empty() || self.name.len() > 128 || self.name.chars().any(char::is_control) {
            return Err("name: expected 1 to 128 printable characters".to_owned());
        }
        let providers = match self.providers.as_slice() {
            [] => return Err("providers: name them, or \"*\" for all".to_owned()),
            [all] if all == "*" => Reach::All,
            some => {
                let parsed = some
                    .iter()
                    .map(|id| id.parse().map_err(|error| format!("providers: {error}")));
                Reach::Only(parsed.collect::<Result<_, _>>()?)
            }
        };
        let nodes = self
            .nodes
            .map_or(Reach::All, |nodes| Reach::Only(nodes.into_iter().collect()));
        if self.role != Role::Agent && nodes != Reach::All {
            return Err("nodes: only agents can be limited to nodes".to_owned());
        }
        Ok(Caller {
            name: self.name,
            role: self.role,
            providers,
            nodes,
        })
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
