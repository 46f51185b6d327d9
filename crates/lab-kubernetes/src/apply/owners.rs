//! The two ways to change an object: updating it, which takes what it changes, and applying to it, which keeps to what
//! it claims and is refused what others own.

use serde_json::{Value, json};

use super::{
    FieldSet, Manager, Managers, Type,
    compare::{NotApplicable, compare, fields_of},
    merge::merge,
    remove::remove,
};
use crate::{kinds::Kind, object, status::ApiError};

/// Fields that nobody owns.
const NOBODYS: [&[&str]; 11] = [
    &["f:apiVersion"],
    &["f:kind"],
    &["f:metadata", "f:name"],
    &["f:metadata", "f:namespace"],
    &["f:metadata", "f:creationTimestamp"],
    &["f:metadata", "f:uid"],
    &["f:metadata", "f:generation"],
    &["f:metadata", "f:managedFields"],
    &["f:metadata", "f:resourceVersion"],
    &["f:metadata", "f:deletionTimestamp"],
    &["f:metadata", "f:deletionGracePeriodSeconds"],
];

/// Who writes to an object of a kind, and when.
#[derive(Clone, Debug)]
pub(crate) struct Ownership<'a> {
    pub kind: &'a Kind,
    pub manager: Manager,
    pub now: String,
}

impl Ownership<'_> {
    /// Without what this writer cannot own: what nobody owns, and what its endpoint does not change.
    fn ownable(&self, set: FieldSet) -> FieldSet {
        let mut set = NOBODYS.iter().fold(set, |set, path| set.without(path));
        set.owned = false;
        if let Some(metadata) = set.below.get_mut("f:metadata") {
            metadata.owned = false;
        }
        set = if self.manager.subresource == "status" {
            let status = set.below.remove("f:status");
            FieldSet {
                owned: false,
                below: status
                    .into_iter()
                    .map(|status| ("f:status".to_owned(), status))
                    .collect(),
            }
        } else if self.kind.has_status {
            set.without(&["f:status"])
        } else {
            set
        };
        set
    }

    /// The object that is compared with when there is none yet: what always exists is nobody's addition.
    fn nothing(&self) -> Value {
        let mut nothing = json!({});
        for path in self.kind.builtin().map_or(&[] as &[&str], |builtin| builtin.always) {
            let pointer = format!("/{}", path.replace('.', "/"));
            let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
            if let Some(parent) = nothing.pointer_mut(parent) {
                parent[name] = json!({});
            }
        }
        nothing
    }
}

/// Records in `new` who owns its fields after an update from `old`.
pub(crate) fn update(ownership: &Ownership<'_>, old: Option<&Value>, new: &mut Value) {
    let mut managers = Managers::of(old.unwrap_or(&Value::Null));
    let nothing = ownership.nothing();
    let compared = compare(
        &Type::of(ownership.kind),
        Some(bare(old.unwrap_or(&nothing)).as_ref()),
        Some(bare(new).as_ref()),
    );
    let changed = ownership.ownable(compared.added.union(&compared.modified));
    for (set, _) in managers.sets.values_mut() {
        *set = set.difference(&changed).difference(&compared.removed);
    }
    if !changed.is_empty() {
        let own = managers.sets.entry(ownership.manager.clone()).or_default();
        *own = (own.0.union(&changed), ownership.now.clone());
    }
    managers.write(new);
}

/// The object after applying to it.
///
/// # Errors
///
/// When others own fields with other values and `force` is not set, and when the applied object is no set of fields.
pub(crate) fn apply(
    ownership: &Ownership<'_>,
    live: Option<&Value>,
    applied: &Value,
    force: bool,
) -> Result<Value, ApiError> {
    let root = Type::of(ownership.kind);
    let applied = bare(applied).into_owned();
    let claimed = fields_of(&root, &applied, "").map_err(|error| refused(ownership, &applied, &error))?;
    let claimed = ownership.ownable(claimed);
    let mut managers = Managers::of(live.unwrap_or(&Value::Null));
    let last = managers.sets.get(&ownership.manager).cloned().unwrap_or_default();

    let nothing = json!({});
    let before = bare(live.unwrap_or(&nothing)).into_owned();
    let mut merged = merge(&root, Some(&before), &own_part(&applied, ownership));
    managers
        .sets
        .insert(ownership.manager.clone(), (claimed.clone(), last.1.clone()));
    prune(&root, &mut merged, &last.0, &managers);
    let compared = compare(&root, Some(&before), Some(&merged));
    let changed = compared.added.union(&compared.modified);
    take(ownership, &mut managers, &changed, &compared.removed, force)?;

    if merged != before || claimed != last.0 {
        managers
            .sets
            .insert(ownership.manager.clone(), (claimed, ownership.now.clone()));
    }
    managers.write(&mut merged);
    Ok(merged)
}

/// Takes the changed fields from their other owners, or says who they are.
fn take(
    ownership: &Ownership<'_>,
    managers: &mut Managers,
    changed: &FieldSet,
    removed: &FieldSet,
    force: bool,
) -> Result<(), ApiError> {
    let mut conflicts = Vec::new();
    for (manager, (set, _)) in managers
        .sets
        .iter_mut()
        .filter(|(manager, _)| **manager != ownership.manager)
    {
        let contested = set.intersection(changed);
        conflicts.extend(contested.paths().into_iter().map(|path| (manager.display(), path)));
        *set = set.difference(&contested).difference(removed);
    }
    if conflicts.is_empty() || force {
        Ok(())
    } else {
        Err(conflict(&conflicts))
    }
}

fn conflict(conflicts: &[(String, String)]) -> ApiError {
    let causes = conflicts.iter().map(|(manager, path)| {
        json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": path})
    });
    let message = if let [(manager, path)] = conflicts {
        format!("Apply failed with 1 conflict: conflict with {manager}: {path}")
    } else {
        let mut lines = Vec::new();
        for (index, (manager, path)) in conflicts.iter().enumerate() {
            if index == 0 || conflicts[index - 1].0 != *manager {
                lines.push(format!("conflicts with {manager}:"));
            }
            lines.push(format!("- {path}"));
        }
        format!("Apply failed with {} conflicts: {}", conflicts.len(), lines.join("\n"))
    };
    ApiError::field_conflicts(message, causes.collect())
}

/// Removes what this manager applied last time, does not apply now, and nobody else owns.
fn prune(root: &Type<'_>, merged: &mut Value, last: &FieldSet, managers: &Managers) {
    if last.is_empty() {
        return;
    }
    let owned = managers
        .sets
        .values()
        .fold(FieldSet::default(), |all, (set, _)| all.union(set));
    let gone = last.with_parents().difference(&owned.with_parents());
    remove(root, merged, &gone);
}

/// What of the applied object this writer may change: nothing beside its endpoint's part.
fn own_part(applied: &Value, ownership: &Ownership<'_>) -> Value {
    let mut applied = applied.clone();
    if let Some(map) = applied.as_object_mut() {
        let status = ownership.manager.subresource == "status";
        map.retain(|key, _| match key.as_str() {
            "status" => status || !ownership.kind.has_status,
            "apiVersion" | "kind" => true,
            _ => !status,
        });
    }
    applied
}

fn refused(ownership: &Ownership<'_>, applied: &Value, error: &NotApplicable) -> ApiError {
    let kind = ownership.kind;
    let (namespace, name) = (
        object::meta_text(applied, "namespace"),
        object::meta_text(applied, "name"),
    );
    let what = format!("({namespace}/{name}; {}, Kind={})", kind.api_version(), kind.kind);
    ApiError::new(500, "", format!("failed to create typed patch object {what}: {error}"))
}

/// The object without the record of its owners.
fn bare(object: &Value) -> std::borrow::Cow<'_, Value> {
    if object::meta(object, "managedFields").is_none() {
        return std::borrow::Cow::Borrowed(object);
    }
    let mut object = object.clone();
    object::set_meta(&mut object, "managedFields", Value::Null);
    std::borrow::Cow::Owned(object)
}
