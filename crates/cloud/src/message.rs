//! What OpenStack says in the body of an error. Every service, and some middleware, has a shape of its own.

use serde_json::Value;

/// The greatest length that is kept, in characters.
const MAX_CHARS: usize = 300;

/// The words for people in an error's body; empty if there are none (a 414 has no body at all).
pub(crate) fn message(body: &[u8]) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(value) => find(&value).unwrap_or_default(),
        Err(_) => String::from_utf8_lossy(body.get(..4 * MAX_CHARS).unwrap_or(body)).into_owned(),
    };
    tidy(&text)
}

/// `{"error": {"message"}}` (Keystone, token checks), `{"NeutronError": {"message"}}`, `{"itemNotFound": {"message"}}`
/// and its like (Nova), `{"message"}` (503 of the token check), `{"errors": [{"detail"}]}` (API-SIG).
fn find(value: &Value) -> Option<String> {
    let text = |value: &Value| {
        ["message", "detail"]
            .iter()
            .find_map(|key| Some(value.get(key)?.as_str()?.to_owned()))
    };
    text(value).or_else(|| {
        let inner = value.as_object()?.values().next()?;
        text(inner)
            .or_else(|| text(inner.get(0)?))
            .or_else(|| inner.as_str().map(str::to_owned))
    })
}

/// One line without tags, cut to a readable length.
fn tidy(text: &str) -> String {
    let mut plain = String::new();
    let mut in_tag = false;
    for c in text.chars() {
        match c {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                plain.push(' ');
            }
            _ if in_tag => {}
            _ => plain.push(c),
        }
    }
    let words: Vec<_> = plain.split_whitespace().collect();
    words.join(" ").chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_services_shape_is_understood() {
        for (body, wanted) in [
            (
                r#"{"error": {"code": 401, "message": "No.", "title": "Unauthorized"}}"#,
                "No.",
            ),
            (
                r#"{"NeutronError": {"type": "X", "message": "Bad filter", "detail": ""}}"#,
                "Bad filter",
            ),
            (r#"{"itemNotFound": {"code": 404, "message": "Gone"}}"#, "Gone"),
            (
                r#"{"message": "Down.<br /><br />\nKeystone is down.\n\n", "code": "503"}"#,
                "Down. Keystone is down.",
            ),
            (r#"{"errors": [{"title": "t", "detail": "Too new"}]}"#, "Too new"),
            ("<html><body><h1>502 Bad Gateway</h1></body></html>", "502 Bad Gateway"),
            ("", ""),
            ("[]", ""),
            ("{}", ""),
        ] {
            assert_eq!(message(body.as_bytes()), wanted, "{body}");
        }
    }

    #[test]
    fn a_page_of_text_is_cut() {
        assert_eq!(message("x".repeat(100_000).as_bytes()).chars().count(), MAX_CHARS);
        assert_eq!(message(&[0xff; 10]).chars().count(), 10);
    }
}
