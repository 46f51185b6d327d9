//! Where a secret lies, and how it is fetched from there.

use std::{env, fmt, fs, io, path::PathBuf};

use secrecy::SecretString;
use serde::{Deserialize, Deserializer, de::Error};

/// A reference to a secret; never the secret itself.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum SecretRef {
    /// `{secret: NAME, key: KEY}`: a key of a Kubernetes Secret in the operator's namespace.
    Kubernetes {
        /// The Secret's name.
        name: String,
        /// The key in it.
        key: String,
    },
    /// `{file: PATH}`: a file's content, one trailing newline dropped.
    File(PathBuf),
    /// `{env: NAME}`: an environment variable.
    Env(String),
}

/// Where secrets are fetched: the command line has files and the environment, the operator has Kubernetes too.
pub trait Secrets {
    /// Fetches one.
    fn fetch(&self, reference: &SecretRef) -> Result<SecretString, SecretError>;
}

/// Why a secret is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// No Kubernetes here.
    #[error("failed to read {0}: there is no Kubernetes here; use {{file: PATH}} or {{env: NAME}}")]
    NoKubernetes(SecretRef),
    /// The file.
    #[error("failed to read the secret file {}", path.display())]
    File {
        /// The setting's value.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The variable.
    #[error("failed to read the environment variable {0}: it is not set, or not UTF-8")]
    Env(String),
    /// There, but with nothing in it.
    #[error("failed to use {0}: it is empty")]
    Empty(SecretRef),
}

/// Files and the environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalSecrets;

impl Secrets for LocalSecrets {
    fn fetch(&self, reference: &SecretRef) -> Result<SecretString, SecretError> {
        let text = match reference {
            SecretRef::Kubernetes { .. } => return Err(SecretError::NoKubernetes(reference.clone())),
            SecretRef::File(path) => read_file(path)?,
            SecretRef::Env(name) => env::var(name).map_err(|_| SecretError::Env(name.clone()))?,
        };
        if text.is_empty() {
            return Err(SecretError::Empty(reference.clone()));
        }
        Ok(text.into())
    }
}

/// Editors and `echo` end a file with a newline that is not part of the secret.
fn read_file(path: &std::path::Path) -> Result<String, SecretError> {
    let mut text = fs::read_to_string(path).map_err(|source| SecretError::File {
        path: path.to_owned(),
        source,
    })?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kubernetes { name, key } => write!(f, "{{secret: {name}, key: {key}}}"),
            Self::File(path) => write!(f, "{{file: {}}}", path.display()),
            Self::Env(name) => write!(f, "{{env: {name}}}"),
        }
    }
}

const ALLOWED: &str = "expected {secret: NAME, key: KEY}, {file: PATH} or {env: NAME}";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    secret: Option<String>,
    key: Option<String>,
    file: Option<PathBuf>,
    env: Option<String>,
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Somebody may have put the secret itself here: the found value must not appear in the error.
        let wrong = || D::Error::custom(format!("not a reference to a secret; {ALLOWED}"));
        let fields = Fields::deserialize(deserializer).map_err(|_| wrong())?;
        match fields {
            Fields {
                secret: Some(name),
                key: Some(key),
                file: None,
                env: None,
            } => Ok(Self::Kubernetes { name, key }),
            Fields {
                secret: None,
                key: None,
                file: Some(path),
                env: None,
            } => Ok(Self::File(path)),
            Fields {
                secret: None,
                key: None,
                file: None,
                env: Some(name),
            } => Ok(Self::Env(name)),
            _ => Err(wrong()),
        }
    }
}
