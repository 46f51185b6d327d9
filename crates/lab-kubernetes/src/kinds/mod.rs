//! The kinds this server serves: what is built in, and what definitions add.

mod builtin;
mod custom;
mod decode;
mod lists;

use std::{collections::BTreeMap, sync::Arc};

pub(crate) use builtin::{Builtin, Column, builtins};
pub(crate) use custom::{Custom, CustomColumn, parse_definition};

pub(crate) use lists::{BuiltinList, METADATA_LISTS};

use crate::status::GroupResource;

/// One kind in one version of its group.
#[derive(Debug)]
#[allow(clippy::struct_field_names, reason = "the names of Kubernetes")]
pub(crate) struct Kind {
    pub group: String,
    pub version: String,
    pub plural: String,
    pub singular: String,
    pub kind: String,
    pub list_kind: String,
    pub namespaced: bool,
    pub short_names: Vec<String>,
    pub categories: Vec<String>,
    /// Whether the status is a subresource.
    pub has_status: bool,
    /// Whether the metadata counts generations of the spec.
    pub has_generation: bool,
    /// Where its objects are kept; two kinds that are views of one store share it.
    pub table: String,
    pub form: Form,
}

/// How objects of a kind are understood.
#[derive(Debug)]
pub(crate) enum Form {
    Builtin(&'static Builtin),
    Custom(Box<Custom>),
}

impl Kind {
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    pub fn resource(&self) -> GroupResource {
        GroupResource {
            group: self.group.clone(),
            resource: self.plural.clone(),
        }
    }

    pub fn custom(&self) -> Option<&Custom> {
        match &self.form {
            Form::Custom(custom) => Some(custom),
            Form::Builtin(_) => None,
        }
    }

    pub fn builtin(&self) -> Option<&'static Builtin> {
        match &self.form {
            Form::Builtin(builtin) => Some(builtin),
            Form::Custom(_) => None,
        }
    }

    pub fn is(&self, group: &str, plural: &str) -> bool {
        self.group == group && self.plural == plural
    }

    pub fn is_definition(&self) -> bool {
        self.is("apiextensions.k8s.io", "customresourcedefinitions")
    }

    pub fn is_namespace(&self) -> bool {
        self.is("", "namespaces")
    }

    /// The verbs of the resource, in the order discovery lists them.
    pub fn verbs(&self) -> &'static [&'static str] {
        match (&self.form, self.is_namespace()) {
            (Form::Custom(_), _) => &[
                "delete",
                "deletecollection",
                "get",
                "list",
                "patch",
                "create",
                "update",
                "watch",
            ],
            (_, true) => &["create", "delete", "get", "list", "patch", "update", "watch"],
            (_, false) => &[
                "create",
                "delete",
                "deletecollection",
                "get",
                "list",
                "patch",
                "update",
                "watch",
            ],
        }
    }
}

/// The kinds by group, version and plural name.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    kinds: BTreeMap<(String, String, String), Arc<Kind>>,
}

impl Registry {
    /// The built-in kinds.
    pub fn new() -> Self {
        let mut registry = Self::default();
        for builtin in builtins() {
            registry.add(builtin.kind());
        }
        registry
    }

    pub fn add(&mut self, kind: Kind) {
        let key = (kind.group.clone(), kind.version.clone(), kind.plural.clone());
        self.kinds.insert(key, Arc::new(kind));
    }

    pub fn remove(&mut self, group: &str, plural: &str) {
        self.kinds.retain(|(g, _, p), _| !(g == group && p == plural));
    }

    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Kind>> {
        self.kinds
            .get(&(group.to_owned(), version.to_owned(), plural.to_owned()))
    }

    /// A kind by the name of its resource: `secrets` or `leases.coordination.k8s.io`.
    pub fn by_resource(&self, name: &str) -> Option<&Arc<Kind>> {
        let (plural, group) = name.split_once('.').unwrap_or((name, ""));
        self.all().find(|kind| kind.is(group, plural))
    }

    pub fn by_kind(&self, api_version: &str, name: &str) -> Option<&Arc<Kind>> {
        self.all()
            .find(|kind| kind.kind == name && kind.api_version() == api_version)
    }

    /// All kinds, by group, version and plural name.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.values()
    }

    /// The groups and their versions; the core group is the empty name.
    pub fn groups(&self) -> BTreeMap<String, Vec<String>> {
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for kind in self.all() {
            let versions = groups.entry(kind.group.clone()).or_default();
            if !versions.contains(&kind.version) {
                versions.push(kind.version.clone());
            }
        }
        groups
    }

    pub fn of_group(&self, group: &str, version: &str) -> Vec<&Arc<Kind>> {
        self.all()
            .filter(|kind| kind.group == group && kind.version == version)
            .collect()
    }
}
