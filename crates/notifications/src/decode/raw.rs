//! Reading foreign JSON piece by piece: what is of another type than expected is as if it were not there.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

/// The longest text that is taken, in bytes. Nova and Neutron limit names to 255 characters.
const MAX_TEXT: usize = 1024;

/// A value, if it is one of these.
pub(super) fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    serde_json::from_str(raw?.get()).ok()
}

/// A text, if it is one and not too long.
pub(super) fn text(raw: Option<&RawValue>) -> Option<String> {
    read::<String>(raw).filter(|text| text.len() <= MAX_TEXT)
}

/// A text of a model's type, if it is one.
pub(super) fn parse<T: std::str::FromStr>(raw: Option<&RawValue>) -> Option<T> {
    text(raw)?.parse().ok()
}

/// The first items of a list; what comes after `N` of them is skipped.
pub(super) struct List<'a, const N: usize>(pub(super) Vec<&'a RawValue>);

impl<'de: 'a, 'a, const N: usize> Deserialize<'de> for List<'a, N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

struct Items<'a, const N: usize>(PhantomData<&'a RawValue>);

impl<'de: 'a, 'a, const N: usize> Visitor<'de> for Items<'a, N> {
    type Value = List<'a, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut taken = Vec::new();
        while taken.len() < N {
            match items.next_element()? {
                Some(item) => taken.push(item),
                None => return Ok(List(taken)),
            }
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(List(taken))
    }
}

#[cfg(test)]
mod tests {
    use multinic_model::PortId;

    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    #[test]
    fn another_type_is_as_if_it_were_not_there() {
        for json in ["5", "null", "[]", r#"{"a": 1}"#, "\"\u{fe0f}x\""] {
            assert_eq!(parse::<PortId>(Some(&raw(json))), None, "{json}");
        }
        assert_eq!(text(None), None);
        assert_eq!(text(Some(&raw("\"a\\u0041\""))).unwrap(), "aA");
    }

    #[test]
    fn a_text_above_the_bound_is_not_taken() {
        let quoted = |len: usize| raw(&format!("\"{}\"", "x".repeat(len)));
        assert!(text(Some(&quoted(MAX_TEXT))).is_some());
        assert!(text(Some(&quoted(MAX_TEXT + 1))).is_none());
    }

    #[test]
    fn a_list_is_cut() {
        let taken = |json: &str| read::<List<'_, 2>>(Some(&raw(json))).map(|list| list.0.len());
        assert_eq!(taken("[]"), Some(0));
        assert_eq!(taken("[1]"), Some(1));
        assert_eq!(taken("[1, {}, [3], null]"), Some(2));
        assert_eq!(taken("{}"), None);
    }
}
