//! Whole numbers as JSON Schema has them: `5.0` is one, too.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserializer,
    de::{Error, Unexpected, Visitor},
};

/// For `#[serde(deserialize_with)]`: a whole number that is not negative, or `null`.
pub(crate) fn maybe<'de, D: Deserializer<'de>, T: TryFrom<u64>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Whole(PhantomData))
}

struct Whole<T>(PhantomData<T>);

impl<T: TryFrom<u64>> Visitor<'_> for Whole<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        let known = T::try_from(number).map(Some);
        known.map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        let digits = number.to_string();
        match digits.parse() {
            Ok(whole) => self.visit_u64(whole),
            Err(_) => Err(E::invalid_type(Unexpected::Float(number), &self)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<u32>, String> {
        maybe(&mut serde_json::Deserializer::from_str(text)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_number_may_be_written_with_a_point() {
        for (text, number) in [("5", 5), ("5.0", 5), ("0.0", 0), ("4294967295", u32::MAX), ("5e2", 500)] {
            assert_eq!(read(text), Ok(Some(number)), "{text}");
        }
        assert_eq!(read("null"), Ok(None));
        for text in ["5.5", "-1", "-1.0", "4294967296", "1e300", "\"5\"", "true"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
