//! CustomResourceDefinitions: what the server adds to them, and how their kinds come to be served.

use serde_json::{Value, json};

use crate::{
    apply::{self, Manager, Ownership},
    kinds::{Kind, parse_definition},
    object,
    state::State,
    status::ApiError,
    store::Key,
};

/// The finalizer that stands until every object of the definition is gone.
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

const TABLE: &str = "apiextensions.k8s.io/customresourcedefinitions";

/// Fills in names and the conversion.
pub(crate) fn prepare(definition: &mut Value) {
    let kind = object::text(definition, &["spec", "names", "kind"])
        .unwrap_or_default()
        .to_owned();
    object::set(definition, "spec", |spec| {
        spec.entry("conversion").or_insert_with(|| json!({"strategy": "None"}));
        if let Some(names) = spec.get_mut("names").and_then(Value::as_object_mut) {
            names.entry("singular").or_insert_with(|| json!(kind.to_lowercase()));
            names.entry("listKind").or_insert_with(|| json!(format!("{kind}List")));
        }
    });
}

/// What a new definition is answered with: it is accepted a moment later.
pub(crate) fn fresh_status(definition: &mut Value) {
    let versions = definition["spec"]["versions"].as_array().into_iter().flatten();
    let stored: Vec<&Value> = versions
        .filter(|version| version["storage"] == true)
        .map(|version| &version["name"])
        .collect();
    definition["status"] = json!({
        "conditions": null,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": stored,
    });
}

/// The kind that an object adds, if it is a definition.
pub(crate) fn defined_by(kind: &Kind, object: &Value) -> Result<Option<Kind>, ApiError> {
    if kind.is_definition() {
        parse_definition(object).map(Some)
    } else {
        Ok(None)
    }
}

impl State {
    /// Serves the kind of a definition.
    pub fn serve(&mut self, kind: Kind) {
        self.registry.remove(&kind.group, &kind.plural);
        self.store.open(&kind.table);
        self.registry.add(kind);
    }

    /// Accepts the names of a new definition and establishes it, as its controller does.
    pub fn establish(&mut self, definitions: &Kind, key: &Key) {
        let conditions = [
            ("NamesAccepted", "NoConflicts", "no conflicts found"),
            (
                "Established",
                "InitialNamesAccepted",
                "the initial names have been accepted",
            ),
        ];
        for count in 1..=conditions.len() {
            let Some(old) = self.store.get(TABLE, key).cloned() else {
                return;
            };
            let mut new = (*old).clone();
            let now = object::now();
            let conditions = conditions.iter().take(count).map(|(condition, reason, message)| {
                json!({"type": condition, "status": "True", "lastTransitionTime": now, "reason": reason, "message": message})
            });
            new["status"]["conditions"] = conditions.collect();
            new["status"]["acceptedNames"] = new["spec"]["names"].clone();
            let ownership = Ownership {
                kind: definitions,
                manager: Manager {
                    name: "kube-apiserver".to_owned(),
                    applies: false,
                    api_version: definitions.api_version(),
                    subresource: "status".to_owned(),
                },
                now,
            };
            apply::update(&ownership, Some(&old), &mut new);
            self.store.put(TABLE, key.clone(), new);
        }
    }
}
