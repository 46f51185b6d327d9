//! The built-in kinds: stored, typed by Kubernetes' own definitions, and run by no controller.

use k8s_openapi::{
    api::{
        apps::v1::Deployment,
        coordination::v1::Lease,
        core::v1::{ConfigMap, Event as CoreEvent, Namespace, PersistentVolumeClaim, Secret, Service, ServiceAccount},
        events::v1::Event,
        networking::v1::NetworkPolicy,
        policy::v1::PodDisruptionBudget,
        rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use serde_json::Value;

use super::{BuiltinList, Form, Kind, decode, lists};

/// A column of a table, after the name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub name: &'static str,
    pub json_type: &'static str,
    /// 0 is always shown, 1 only with `-o wide`.
    pub priority: u8,
}

/// A built-in kind.
#[derive(Debug)]
pub(crate) struct Builtin {
    pub group: &'static str,
    pub version: &'static str,
    pub plural: &'static str,
    pub kind: &'static str,
    pub namespaced: bool,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub has_status: bool,
    pub has_generation: bool,
    pub table: &'static str,
    /// Objects in an object that always exist, so that nobody owns them by creating it.
    pub always: &'static [&'static str],
    pub lists: &'static [BuiltinList],
    /// Fields that are one value to server-side apply.
    pub atomic: &'static [&'static str],
    /// What the objects can be selected by, besides their metadata.
    pub fields: &'static [&'static str],
    /// Reads and writes an object as its type; the message of what does not fit.
    pub canonical: fn(&Value) -> Result<Value, String>,
}

const BASE: Builtin = Builtin {
    group: "",
    version: "v1",
    plural: "",
    kind: "",
    namespaced: true,
    short_names: &[],
    categories: &[],
    has_status: false,
    has_generation: false,
    table: "",
    always: &[],
    lists: lists::NONE,
    atomic: &[],
    fields: &[],
    canonical: decode::canonical::<ConfigMap>,
};

static BUILTINS: [Builtin; 17] = [
    Builtin {
        plural: "namespaces",
        kind: "Namespace",
        namespaced: false,
        short_names: &["ns"],
        has_status: true,
        always: &["spec", "status"],
        lists: lists::CONDITIONS,
        fields: &["status.phase"],
        canonical: decode::canonical::<Namespace>,
        ..BASE
    },
    Builtin {
        plural: "configmaps",
        kind: "ConfigMap",
        short_names: &["cm"],
        ..BASE
    },
    Builtin {
        plural: "secrets",
        kind: "Secret",
        fields: &["type"],
        canonical: decode::canonical::<Secret>,
        ..BASE
    },
    Builtin {
        plural: "serviceaccounts",
        kind: "ServiceAccount",
        short_names: &["sa"],
        lists: lists::SERVICE_ACCOUNT,
        canonical: decode::canonical::<ServiceAccount>,
        ..BASE
    },
    Builtin {
        plural: "services",
        kind: "Service",
        short_names: &["svc"],
        categories: &["all"],
        has_status: true,
        always: &["spec", "status"],
        lists: lists::SERVICE,
        atomic: &["spec.selector"],
        canonical: decode::canonical::<Service>,
        ..BASE
    },
    Builtin {
        plural: "persistentvolumeclaims",
        kind: "PersistentVolumeClaim",
        short_names: &["pvc"],
        has_status: true,
        always: &["spec", "status"],
        lists: lists::CONDITIONS,
        atomic: &["spec.dataSource", "spec.selector"],
        canonical: decode::canonical::<PersistentVolumeClaim>,
        ..BASE
    },
    Builtin {
        plural: "events",
        kind: "Event",
        short_names: &["ev"],
        table: "events",
        always: &["source"],
        atomic: &["involvedObject", "related"],
        fields: &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "reason",
            "type",
            "source",
            "reportingComponent",
        ],
        canonical: decode::canonical::<CoreEvent>,
        ..BASE
    },
    Builtin {
        group: "events.k8s.io",
        plural: "events",
        kind: "Event",
        short_names: &["ev"],
        table: "events",
        always: &["deprecatedSource"],
        atomic: &["regarding", "related"],
        fields: &[
            "regarding.kind",
            "regarding.namespace",
            "regarding.name",
            "regarding.uid",
            "reason",
            "type",
            "reportingController",
        ],
        canonical: decode::canonical::<Event>,
        ..BASE
    },
    Builtin {
        group: "coordination.k8s.io",
        plural: "leases",
        kind: "Lease",
        always: &["spec"],
        canonical: decode::canonical::<Lease>,
        ..BASE
    },
    Builtin {
        group: "apiextensions.k8s.io",
        plural: "customresourcedefinitions",
        kind: "CustomResourceDefinition",
        namespaced: false,
        short_names: &["crd", "crds"],
        has_status: true,
        has_generation: true,
        always: &["spec", "spec.names", "status", "status.acceptedNames"],
        lists: lists::CONDITIONS,
        canonical: decode::canonical::<CustomResourceDefinition>,
        ..BASE
    },
    Builtin {
        group: "apps",
        plural: "deployments",
        kind: "Deployment",
        short_names: &["deploy"],
        categories: &["all"],
        has_status: true,
        has_generation: true,
        always: &[
            "spec",
            "spec.template",
            "spec.template.metadata",
            "spec.template.spec",
            "spec.strategy",
            "status",
        ],
        lists: lists::DEPLOYMENT,
        atomic: &["spec.selector", "spec.template.spec.nodeSelector"],
        canonical: decode::canonical::<Deployment>,
        ..BASE
    },
    Builtin {
        group: "policy",
        plural: "poddisruptionbudgets",
        kind: "PodDisruptionBudget",
        short_names: &["pdb"],
        has_status: true,
        has_generation: true,
        always: &["spec", "status"],
        lists: lists::CONDITIONS,
        atomic: &["spec.selector"],
        canonical: decode::canonical::<PodDisruptionBudget>,
        ..BASE
    },
    Builtin {
        group: "networking.k8s.io",
        plural: "networkpolicies",
        kind: "NetworkPolicy",
        short_names: &["netpol"],
        has_generation: true,
        always: &["spec"],
        atomic: &["spec.podSelector"],
        canonical: decode::canonical::<NetworkPolicy>,
        ..BASE
    },
    Builtin {
        group: RBAC,
        plural: "roles",
        kind: "Role",
        canonical: decode::canonical::<Role>,
        ..BASE
    },
    Builtin {
        group: RBAC,
        plural: "rolebindings",
        kind: "RoleBinding",
        atomic: &["roleRef"],
        canonical: decode::canonical::<RoleBinding>,
        ..BASE
    },
    Builtin {
        group: RBAC,
        plural: "clusterroles",
        kind: "ClusterRole",
        namespaced: false,
        canonical: decode::canonical::<ClusterRole>,
        ..BASE
    },
    Builtin {
        group: RBAC,
        plural: "clusterrolebindings",
        kind: "ClusterRoleBinding",
        namespaced: false,
        atomic: &["roleRef"],
        canonical: decode::canonical::<ClusterRoleBinding>,
        ..BASE
    },
];

const RBAC: &str = "rbac.authorization.k8s.io";

pub(crate) fn builtins() -> &'static [Builtin] {
    &BUILTINS
}

impl Builtin {
    pub(super) fn kind(&'static self) -> Kind {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Kind {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            plural: self.plural.to_owned(),
            singular: self.kind.to_lowercase(),
            kind: self.kind.to_owned(),
            list_kind: format!("{}List", self.kind),
            namespaced: self.namespaced,
            short_names: owned(self.short_names),
            categories: owned(self.categories),
            has_status: self.has_status,
            has_generation: self.has_generation,
            table: if self.table.is_empty() {
                format!("{}/{}", self.group, self.plural)
            } else {
                self.table.to_owned()
            },
            form: Form::Builtin(self),
        }
    }
}
