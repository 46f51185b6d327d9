//! Lists of built-in kinds whose items have an identity, for server-side apply and strategic merge patches.

use crate::schema::ListType;

/// One list: where it is, and what identifies its items.
#[derive(Debug)]
pub(crate) struct BuiltinList {
    /// The path from the object, `[]` for any item.
    pub path: &'static str,
    /// The keys of server-side apply; empty for a set.
    pub keys: &'static [&'static str],
    /// The key of strategic merge patches; empty for a list of plain values.
    pub patch_key: &'static str,
}

const fn list(path: &'static str, keys: &'static [&'static str], patch_key: &'static str) -> BuiltinList {
    BuiltinList { path, keys, patch_key }
}

impl BuiltinList {
    pub fn list_type(&self) -> ListType {
        if self.keys.is_empty() {
            return ListType::Set;
        }
        ListType::Map(self.keys.iter().map(|key| (*key).to_owned()).collect())
    }
}

/// The lists in the metadata of every kind.
pub(crate) const METADATA_LISTS: &[BuiltinList] = &[
    list("metadata.finalizers", &[], ""),
    list("metadata.ownerReferences", &["uid"], "uid"),
];

pub(super) const NONE: &[BuiltinList] = &[];

pub(super) const CONDITIONS: &[BuiltinList] = &[list("status.conditions", &["type"], "type")];

pub(super) const SERVICE_ACCOUNT: &[BuiltinList] = &[
    list("secrets", &["name"], "name"),
    list("imagePullSecrets", &["name"], "name"),
];

pub(super) const SERVICE: &[BuiltinList] = &[
    list("spec.ports", &["port", "protocol"], "port"),
    list("status.conditions", &["type"], "type"),
];

pub(super) const DEPLOYMENT: &[BuiltinList] = &[
    list("status.conditions", &["type"], "type"),
    list("spec.template.metadata.finalizers", &[], ""),
    list("spec.template.spec.containers", &["name"], "name"),
    list("spec.template.spec.containers[].env", &["name"], "name"),
    list(
        "spec.template.spec.containers[].ports",
        &["containerPort", "protocol"],
        "containerPort",
    ),
    list(
        "spec.template.spec.containers[].volumeMounts",
        &["mountPath"],
        "mountPath",
    ),
    list("spec.template.spec.initContainers", &["name"], "name"),
    list("spec.template.spec.initContainers[].env", &["name"], "name"),
    list(
        "spec.template.spec.initContainers[].ports",
        &["containerPort", "protocol"],
        "containerPort",
    ),
    list(
        "spec.template.spec.initContainers[].volumeMounts",
        &["mountPath"],
        "mountPath",
    ),
    list("spec.template.spec.imagePullSecrets", &["name"], "name"),
    list(
        "spec.template.spec.topologySpreadConstraints",
        &["topologyKey", "whenUnsatisfiable"],
        "topologyKey",
    ),
    list("spec.template.spec.volumes", &["name"], "name"),
];
