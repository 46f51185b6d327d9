//! OpenstackConfigs from YAML texts, for the command line.
//!
//! Treats a text as the API server would: unknown fields (the deprecated credentials among them) are dropped with a
//! warning, a broken object is an error that names its place. Several documents and `kind: List` are fine; objects of
//! other kinds are passed over with a warning, so that the output of `kubectl get … -o yaml` and of kustomize can be used.

use std::collections::BTreeMap;

use multinic_model::{ConfigKey, Selection, openstack_config::OpenstackConfig};
use serde_json::Value;

use crate::yaml;

/// The greatest size of one text, in bytes: about 60 of the largest OpenstackConfigs.
pub const MAX_MANIFEST_BYTES: usize = 4 * 1024 * 1024;

const API_VERSION: &str = "multinic.example.com/v1alpha1";
const KIND: &str = "OpenstackConfig";

/// Keys of `spec.credentials` that older resources carry (contract 3.1).
const DEPRECATED: [&str; 5] = ["dataPlatformDB", "username", "password", "domainName", "providerID"];

/// What the texts hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Manifests {
    /// Every OpenstackConfig, checked, in the order given.
    pub selections: Vec<Selection>,
    /// What was dropped or passed over: one sentence each, with its place.
    pub warnings: Vec<String>,
}

/// Why the texts are not usable. Every variant names the source and, where there is one, the document.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ManifestError {
    /// Not YAML, too large or too deep.
    #[error("{source_name}: failed to read YAML: {problem}")]
    Yaml {
        /// The file, or `-`.
        source_name: String,
        /// What is wrong, with the line.
        problem: String,
    },
    /// An object that is no OpenstackConfig although it says so.
    #[error("{place}: failed to accept the OpenstackConfig: {problem}")]
    Invalid {
        /// File, document and item.
        place: String,
        /// The field and what is wrong with it.
        problem: String,
    },
    /// The same namespace and name twice.
    #[error("{place}: failed to accept {key}: it stands already in {first}")]
    Twice {
        /// The second place.
        place: String,
        /// Which config.
        key: ConfigKey,
        /// The first place.
        first: String,
    },
    /// Nothing to do.
    #[error("{sources}: failed to find an OpenstackConfig ({API_VERSION})")]
    Nothing {
        /// All files.
        sources: String,
    },
}

impl Manifests {
    /// Parses `(name of the source, its text)` pairs.
    pub fn parse<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ManifestError> {
        let mut manifests = Self::default();
        let mut places = BTreeMap::new();
        let mut names = Vec::new();
        for (name, text) in sources {
            names.push(name);
            let documents = yaml::documents(text, MAX_MANIFEST_BYTES).map_err(|problem| ManifestError::Yaml {
                source_name: name.to_owned(),
                problem,
            })?;
            for (index, document) in documents.into_iter().enumerate() {
                manifests.take(document, &format!("{name}, document {}", index + 1), &mut places)?;
            }
        }
        if manifests.selections.is_empty() {
            return Err(ManifestError::Nothing {
                sources: names.join(", "),
            });
        }
        Ok(manifests)
    }

    fn take(
        &mut self,
        value: Value,
        place: &str,
        places: &mut BTreeMap<ConfigKey, String>,
    ) -> Result<(), ManifestError> {
        if let Some(items) = list_items(&value) {
            for (index, item) in items.iter().enumerate() {
                self.take_object(item.clone(), &format!("{place}, item {}", index + 1), places)?;
            }
            return Ok(());
        }
        self.take_object(value, place, places)
    }

    fn take_object(
        &mut self,
        value: Value,
        place: &str,
        places: &mut BTreeMap<ConfigKey, String>,
    ) -> Result<(), ManifestError> {
        let invalid = |problem| ManifestError::Invalid {
            place: place.to_owned(),
            problem,
        };
        match (text_at(&value, "apiVersion"), text_at(&value, "kind")) {
            (Some(API_VERSION), Some(KIND)) => {}
            (Some(version), Some(KIND)) => {
                return Err(invalid(format!(
                    "apiVersion: found {version:?}; expected {API_VERSION:?}"
                )));
            }
            (_, Some(kind)) => {
                self.warnings
                    .push(format!("{place}: {kind} is not an {KIND}; passed over"));
                return Ok(());
            }
            (_, None) => return Err(invalid(format!("kind: missing; expected {KIND}"))),
        }
        let (config, dropped) = typed(value).map_err(invalid)?;
        let selection = config.selection().map_err(|error| invalid(error.to_string()))?;
        self.warnings
            .extend(dropped.iter().map(|path| format!("{place}: {}", warning_about(path))));
        if let Some(first) = places.insert(selection.key.clone(), place.to_owned()) {
            return Err(ManifestError::Twice {
                place: place.to_owned(),
                key: selection.key,
                first,
            });
        }
        self.selections.push(selection);
        Ok(())
    }
}

fn text_at<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key)?.as_str()
}

fn list_items(value: &Value) -> Option<&Vec<Value>> {
    let kind = text_at(value, "kind")?;
    (kind == "List" || kind == "OpenstackConfigList")
        .then(|| value.get("items")?.as_array())
        .flatten()
}

/// The object, and the paths of fields it does not have.
fn typed(value: Value) -> Result<(OpenstackConfig, Vec<String>), String> {
    let mut dropped = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let deserializer = serde_path_to_error::Deserializer::new(value, &mut track);
    let config = serde_ignored::deserialize(deserializer, |path| dropped.push(path.to_string()));
    dropped.retain(|path| path != "apiVersion" && path != "kind"); // read before; not fields of the Rust type
    match config {
        Ok(config) => Ok((config, dropped)),
        Err(error) => Err(format!("{}: {error}", track.path())),
    }
}

fn warning_about(path: &str) -> String {
    match path.rsplit('.').next() {
        Some(key) if path.starts_with("spec.credentials.") && DEPRECATED.contains(&key) => {
            format!("{path} is deprecated and dropped: credentials come from Contrabass")
        }
        _ => format!("{path} is unknown and dropped"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
apiVersion: multinic.example.com/v1alpha1
kind: OpenstackConfig
metadata: {name: a, namespace: n}
spec:
  subnetID: s
  vmNames: [w]
  credentials: {openstackProviderID: p, projectID: df64928216f740d3a6b84a66fa30b649}
";

    fn parse(text: &str) -> Result<Manifests, ManifestError> {
        Manifests::parse([("f.yaml", text)])
    }

    #[test]
    fn documents_lists_and_files_add_up() {
        let list = format!(
            "kind: List\napiVersion: v1\nitems:\n- {}",
            CONFIG.trim().replace('\n', "\n  ").replace("name: a", "name: b")
        );
        let both = format!("---\n{CONFIG}\n---\n# nothing\n---\n{list}\n");
        let more = CONFIG.replace("name: a", "name: c");
        let manifests = Manifests::parse([("f.yaml", both.as_str()), ("-", more.as_str())]).unwrap();
        let names: Vec<_> = manifests.selections.iter().map(|s| s.key.name.as_str()).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert_eq!(manifests.warnings, Vec::<String>::new());
    }

    #[test]
    fn deprecated_and_unknown_fields_are_dropped_with_a_warning() {
        let text = CONFIG
            .replace("projectID:", "username: u, password: hidden, projectID:")
            .replace("subnetID: s", "subnetID: s\n  subnetIDs: [x]");
        let warnings = parse(&text).unwrap().warnings;
        assert_eq!(
            warnings,
            [
                "f.yaml, document 1: spec.credentials.password is deprecated and dropped: credentials come from Contrabass",
                "f.yaml, document 1: spec.credentials.username is deprecated and dropped: credentials come from Contrabass",
                "f.yaml, document 1: spec.subnetIDs is unknown and dropped",
            ]
        );
    }

    #[test]
    fn other_kinds_are_passed_over_but_not_alone() {
        let other = "apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n";
        assert_eq!(parse(&format!("{other}---{CONFIG}")).unwrap().warnings.len(), 1);
        assert!(matches!(parse(other), Err(ManifestError::Nothing { .. })));
        assert!(matches!(parse(""), Err(ManifestError::Nothing { .. })));
    }

    #[test]
    fn every_error_names_the_place() {
        let cases = [
            (
                CONFIG.replace("[w]", "[]"),
                "f.yaml, document 1: failed to accept the OpenstackConfig: spec.vmNames: 0 entries",
            ),
            (
                CONFIG.replace("[w]", "w"),
                "f.yaml, document 1: failed to accept the OpenstackConfig: spec.vmNames: invalid type",
            ),
            (
                CONFIG.replace("v1alpha1", "v1"),
                "f.yaml, document 1: failed to accept the OpenstackConfig: apiVersion: found",
            ),
            (
                CONFIG.replace("kind: OpenstackConfig", ""),
                "f.yaml, document 1: failed to accept the OpenstackConfig: kind: missing",
            ),
            (
                CONFIG.replace("df64928216f740d3a6b84a66fa30b649", "biz"),
                "f.yaml, document 1: failed to accept the OpenstackConfig: spec.credentials.projectID: ",
            ),
            (
                format!("{CONFIG}---{CONFIG}"),
                "f.yaml, document 2: failed to accept n/a: it stands already in f.yaml, document 1",
            ),
            ("a: [".to_owned(), "f.yaml: failed to read YAML: "),
            (
                format!("#{}", " ".repeat(5_000_000)),
                "f.yaml: failed to read YAML: 5000001 bytes",
            ),
        ];
        for (text, message) in cases {
            let error = parse(&text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
