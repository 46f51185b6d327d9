//! The protocol buffers that `kubectl create` sends since 1.32: the few kinds that it makes from arguments alone. Any
//! other kind, and any field that is not in these tables, is refused.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

/// What begins every object in protocol buffers.
const MAGIC: &[u8] = b"k8s\0";

/// A field of a message: its number, its name, and what it holds.
type Field = (u64, &'static str, Holds);

#[derive(Clone, Copy)]
enum Holds {
    Text,
    Flag,
    Texts,
    Message(&'static [Field]),
    Messages(&'static [Field]),
    /// Texts by text.
    TextMap,
    /// Bytes by text, which JSON writes in base64.
    BytesMap,
    /// Nothing that a client may say: must be empty.
    Nothing,
}

use Holds::{BytesMap, Flag, Message, Messages, Nothing, Text, TextMap, Texts};

const ENVELOPE: &[Field] = &[
    (1, "type", Message(&[(1, "apiVersion", Text), (2, "kind", Text)])),
    (2, "raw", Nothing),
    (3, "contentEncoding", Nothing),
    (4, "contentType", Nothing),
];

const METADATA: Field = (
    1,
    "metadata",
    Message(&[
        (1, "name", Text),
        (2, "generateName", Text),
        (3, "namespace", Text),
        (4, "selfLink", Nothing),
        (5, "uid", Nothing),
        (6, "resourceVersion", Nothing),
        (7, "generation", Nothing),
        (8, "creationTimestamp", Nothing),
        (11, "labels", TextMap),
        (12, "annotations", TextMap),
        (14, "finalizers", Texts),
    ]),
);

const NAMESPACE: &[Field] = &[
    METADATA,
    (2, "spec", Message(&[(1, "finalizers", Texts)])),
    (3, "status", Message(&[(1, "phase", Nothing)])),
];
const SECRET: &[Field] = &[
    METADATA,
    (2, "data", BytesMap),
    (3, "type", Text),
    (4, "stringData", TextMap),
    (5, "immutable", Flag),
];
const CONFIG_MAP: &[Field] = &[
    METADATA,
    (2, "data", TextMap),
    (3, "binaryData", BytesMap),
    (4, "immutable", Flag),
];
const REFERENCE: &[Field] = &[
    (1, "kind", Text),
    (2, "namespace", Text),
    (3, "name", Text),
    (4, "uid", Text),
    (5, "apiVersion", Text),
    (6, "resourceVersion", Text),
    (7, "fieldPath", Text),
];
const SERVICE_ACCOUNT: &[Field] = &[
    METADATA,
    (2, "secrets", Messages(REFERENCE)),
    (3, "imagePullSecrets", Messages(&[(1, "name", Text)])),
    (4, "automountServiceAccountToken", Flag),
];

/// Reads an object; `None` for what these tables do not hold.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let envelope = bytes.strip_prefix(MAGIC)?;
    let raw = fields(envelope)?
        .into_iter()
        .find(|(number, _)| *number == 2)?
        .1
        .bytes()?;
    let without_raw: Vec<_> = fields(envelope)?
        .into_iter()
        .filter(|(number, _)| *number != 2)
        .collect();
    let head = message_of(without_raw, ENVELOPE)?;
    let kind = head["type"]["kind"].as_str()?;
    let table = match (head["type"]["apiVersion"].as_str()?, kind) {
        ("v1", "Namespace") => NAMESPACE,
        ("v1", "Secret") => SECRET,
        ("v1", "ConfigMap") => CONFIG_MAP,
        ("v1", "ServiceAccount") => SERVICE_ACCOUNT,
        _ => return None,
    };
    let mut object = message_of(fields(raw)?, table)?;
    object["apiVersion"] = head["type"]["apiVersion"].clone();
    object["kind"] = json!(kind);
    Some(object)
}

/// A value on the wire.
#[derive(Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Wire<'a> {
    fn bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Number(_) => None,
        }
    }

    fn text(self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}

fn message_of(fields_found: Vec<(u64, Wire<'_>)>, table: &[Field]) -> Option<Value> {
    let mut message = Map::new();
    for (number, wire) in fields_found {
        let (_, name, holds) = table.iter().find(|(known, ..)| *known == number)?;
        put(&mut message, name, *holds, wire)?;
    }
    Some(Value::Object(message))
}

/// Adds a field to a message, unless it says nothing.
fn put(message: &mut Map<String, Value>, name: &str, holds: Holds, wire: Wire<'_>) -> Option<()> {
    let value = match holds {
        Nothing => return matches!(wire, Wire::Number(0) | Wire::Bytes([])).then_some(()),
        Text => json!(wire.text()?),
        Texts => json!([wire.text()?]),
        Flag => json!(matches!(wire, Wire::Number(1))),
        Message(table) => message_of(fields(wire.bytes()?)?, table)?,
        Messages(table) => json!([message_of(fields(wire.bytes()?)?, table)?]),
        TextMap | BytesMap => entry(wire, holds)?,
    };
    match (message.get_mut(name), value) {
        (_, Value::String(text)) if text.is_empty() => {}
        (_, Value::Object(inner)) if inner.is_empty() => {}
        (Some(Value::Array(list)), Value::Array(more)) => list.extend(more),
        (Some(Value::Object(map)), Value::Object(more)) => map.extend(more),
        (_, value) => {
            message.insert(name.to_owned(), value);
        }
    }
    Some(())
}

fn entry(wire: Wire<'_>, holds: Holds) -> Option<Value> {
    let fields = fields(wire.bytes()?)?;
    let part = |number: u64| fields.iter().find(|(found, _)| *found == number).map(|(_, wire)| *wire);
    let key = part(1)?.text()?;
    let value = match (part(2), holds) {
        (Some(wire), BytesMap) => STANDARD.encode(wire.bytes()?),
        (Some(wire), _) => wire.text()?.to_owned(),
        (None, _) => String::new(),
    };
    Some(json!({key: value}))
}

/// The fields of a message, in their order.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Wire<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let wire = match tag & 7 {
            0 => Wire::Number(varint(&mut bytes)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                let (value, rest) = bytes.split_at_checked(length)?;
                bytes = rest;
                Wire::Bytes(value)
            }
            _ => return None,
        };
        fields.push((tag >> 3, wire));
    }
    Some(fields)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `kubectl create namespace a` sends it.
    const NAMESPACE_A: &[u8] = b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09Namespace\x12\x19\x0a\x11\x0a\x01a\x12\0\x1a\0\x22\0\x2a\0\x32\0\x38\0\x42\0\x12\0\x1a\x02\x0a\0\x1a\0\x22\0";

    #[test]
    fn what_kubectl_creates_is_read() {
        let expected = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}});
        assert_eq!(read(NAMESPACE_A), Some(expected));
    }

    #[test]
    fn anything_else_is_not() {
        let other_kind: Vec<u8> = String::from_utf8(NAMESPACE_A.to_vec())
            .unwrap()
            .replace("Namespace", "Sometpace")
            .into_bytes();
        assert_eq!(read(&other_kind), None);
        assert_eq!(read(&NAMESPACE_A[..20]), None);
        assert_eq!(read(b"{}"), None);
        for end in 0..NAMESPACE_A.len() {
            let _ = read(&NAMESPACE_A[..end]);
        }
    }
}
