//! What holds of every apply, whatever is applied.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Manager, Managers, Ownership, Type, apply,
    compare::{compare, fields_of},
    update,
};
use crate::kinds::{Kind, parse_definition};

fn kind() -> Kind {
    let fields = json!({
        "a": {"type": "string"},
        "b": {"type": "object", "properties": {"c": {"type": "integer"}, "d": {"type": "string"}}},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "set": {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"},
        "list": {"type": "array", "items": {"type": "string"}},
        "keyed": {
            "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
            "items": {"type": "object", "properties": {"k": {"type": "string"}, "v": {"type": "integer"}}},
        },
    });
    parse_definition(&json!({
        "metadata": {"name": "things.example.com"},
        "spec": {
            "group": "example.com", "scope": "Cluster", "names": {"plural": "things", "kind": "Thing"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {"type": "object", "properties": fields}},
            }}}],
        },
    }))
    .unwrap()
}

fn by<'a>(kind: &'a Kind, name: &str, applies: bool) -> Ownership<'a> {
    Ownership {
        kind,
        manager: Manager {
            name: name.to_owned(),
            applies,
            api_version: kind.api_version(),
            subresource: String::new(),
        },
        now: "2026-01-08T00:00:00Z".to_owned(),
    }
}

/// An object with some of the fields; `a` is always there, so that its spec is never empty.
fn object() -> impl Strategy<Value = Value> {
    let word = || prop::sample::select(vec!["x", "y", "z"]);
    let words = move || prop::collection::btree_set(word(), 1..3);
    let b = (prop::option::of(0..3i64), word())
        .prop_map(|(c, d)| c.map_or_else(|| json!({"d": d}), |c| json!({"c": c, "d": d})));
    let map = prop::collection::btree_map(word(), word(), 1..3).prop_map(|map| json!(map));
    let keyed = prop::collection::btree_map(word(), 0..3i64, 1..3)
        .prop_map(|map| map.into_iter().map(|(k, v)| json!({"k": k, "v": v})).collect::<Value>());
    let optional = |strategy: BoxedStrategy<Value>| prop::option::of(strategy);
    (
        word(),
        optional(b.boxed()),
        optional(map.boxed()),
        optional(words().prop_map(|set| json!(set)).boxed()),
        optional(words().prop_map(|list| json!(list)).boxed()),
        optional(keyed.boxed()),
    )
        .prop_map(|(a, b, map, set, list, keyed)| {
            let mut spec = json!({"a": a});
            for (name, value) in [("b", b), ("map", map), ("set", set), ("list", list), ("keyed", keyed)] {
                if let Some(value) = value {
                    spec[name] = value;
                }
            }
            json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": spec})
        })
}

/// A spec with its sets and keyed lists in one order.
fn sorted(object: &Value) -> Value {
    let mut spec = object["spec"].clone();
    for name in ["set", "keyed"] {
        if let Some(list) = spec.get_mut(name).and_then(Value::as_array_mut) {
            list.sort_by_key(Value::to_string);
        }
    }
    spec
}

proptest! {
    #[test]
    fn the_only_applier_gets_exactly_what_it_applied_last(first in object(), second in object()) {
        let kind = kind();
        let me = by(&kind, "me", true);
        let once = apply(&me, None, &first, false).unwrap();
        prop_assert_eq!(sorted(&once), sorted(&first));
        let twice = apply(&me, Some(&once), &second, false).unwrap();
        prop_assert_eq!(sorted(&twice), sorted(&second));
        let again = apply(&me, Some(&twice), &second, false).unwrap();
        prop_assert_eq!(again, twice);
    }

    #[test]
    fn without_force_nobody_changes_what_another_owns(first in object(), second in object()) {
        let kind = kind();
        let live = apply(&by(&kind, "me", true), None, &first, false).unwrap();
        if let Ok(after) = apply(&by(&kind, "you", true), Some(&live), &second, false) {
            let mine = |object: &Value| Managers::of(object).sets.into_iter().find(|(m, _)| m.name == "me").unwrap().1.0;
            prop_assert_eq!(mine(&after), mine(&live));
            let owned = fields_of(&Type::of(&kind), &first, "").unwrap();
            let changed = compare(&Type::of(&kind), Some(&live["spec"]), Some(&after["spec"]));
            prop_assert!(changed.removed.is_empty(), "{:?} of {:?}", changed.removed, owned);
        }
    }

    #[test]
    fn with_force_the_applied_values_stand(first in object(), second in object()) {
        let kind = kind();
        let live = apply(&by(&kind, "me", true), None, &first, false).unwrap();
        let forced = apply(&by(&kind, "you", true), Some(&live), &second, true).unwrap();
        // Applying what is there already changes no field.
        let again = apply(&by(&kind, "you", true), Some(&forced), &second, false).unwrap();
        prop_assert_eq!(&again["spec"], &forced["spec"]);
        prop_assert_eq!(&forced["spec"]["a"], &second["spec"]["a"]);
    }

    #[test]
    fn every_field_of_an_updated_object_has_an_owner(first in object(), second in object()) {
        let kind = kind();
        let mut live = first;
        update(&by(&kind, "me", false), None, &mut live);
        let mut changed = second;
        update(&by(&kind, "you", false), Some(&live), &mut changed);
        let all = Managers::of(&changed).sets.values().fold(super::FieldSet::default(), |all, (set, _)| all.union(set));
        let fields = fields_of(&Type::of(&kind), &json!({"spec": changed["spec"]}), "").unwrap();
        prop_assert!(fields.difference(&all).is_empty(), "{:?}", fields.difference(&all).paths());
    }

    #[test]
    fn nothing_differs_exactly_between_equals(first in object(), second in object()) {
        let kind = kind();
        let difference = compare(&Type::of(&kind), Some(&first), Some(&second));
        let none = difference.added.is_empty() && difference.modified.is_empty() && difference.removed.is_empty();
        prop_assert_eq!(none, sorted(&first) == sorted(&second));
    }

    #[test]
    fn a_merge_patch_is_idempotent(first in object(), second in object()) {
        let once = crate::patch::merge(&first, &second);
        prop_assert_eq!(crate::patch::merge(&once, &second), once);
    }
}
