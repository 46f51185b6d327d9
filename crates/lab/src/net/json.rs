//! Long lists written straight into bytes: no tree in between, keys in the order of the real services.

use serde::Serialize;

/// A JSON text being written. The caller keeps the brackets balanced.
#[derive(Debug, Default)]
pub(crate) struct Json(Vec<u8>);

impl Json {
    /// Room for `bytes`.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Any value.
    pub fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Writing into memory cannot fail, and no map here has keys that are not text.
        let _ = serde_json::to_writer(&mut self.0, value);
    }

    /// `"name":`, after a comma where one is due.
    pub fn key(&mut self, name: &str) {
        self.comma();
        self.value(name);
        self.0.push(b':');
    }

    /// A comma, unless this is the first entry of its object or list.
    pub fn comma(&mut self) {
        if !matches!(self.0.last(), None | Some(b'{' | b'[' | b':')) {
            self.0.push(b',');
        }
    }

    /// JSON as it stands: a bracket, `null`, or text that was made before.
    pub fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// A text that needs no escaping: an id, a date, a MAC address.
    pub fn plain(&mut self, text: &str) {
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
    }

    /// `{` … `}` as the next entry of a list or the value of a key.
    pub fn object(&mut self, write: impl FnOnce(&mut Self)) {
        self.comma();
        self.raw("{");
        write(self);
        self.raw("}");
    }

    /// `[` … `]` as the value of a key.
    pub fn list(&mut self, write: impl FnOnce(&mut Self)) {
        self.raw("[");
        write(self);
        self.raw("]");
    }

    /// The text.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_stand_between_entries_and_nowhere_else() {
        let mut json = Json::default();
        json.object(|json| {
            json.key("a");
            json.list(|json| {
                json.object(|_| {});
                json.object(|json| {
                    json.key("b\"");
                    json.value(&1);
                });
            });
            json.key("c");
            json.plain("x");
        });
        assert_eq!(
            String::from_utf8(json.into_bytes()).unwrap(),
            r#"{"a":[{},{"b\"":1}],"c":"x"}"#
        );
    }
}
