//! Foreign text in our messages: one line, bounded, no control characters.

use http::{HeaderMap, header::CONTENT_TYPE};
use serde_json::Value;

/// The longest foreign text that a message carries, in characters.
const MAX_CHARS: usize = 300;

/// `text` as one printable line of at most 300 characters. Control and formatting characters (which could rewrite a
/// terminal or fake a log line) and runs of white space become one space.
pub fn printable(text: &str) -> String {
    let visible = |c: char| if c.is_control() || is_format(c) { ' ' } else { c };
    let line: String = text.chars().take(4 * MAX_CHARS).map(visible).collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Zero-width and direction characters.
const fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}

/// What the server says about an error: the `detail` of `application/problem+json` (RFC 9457), the message of the usual
/// JSON shapes, or a plain text. `None` for HTML pages and empty bodies.
pub fn error_detail(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(json) => message(&json)?.to_owned(),
        Err(_) if kind.starts_with("text/plain") => String::from_utf8_lossy(body).into_owned(),
        Err(_) => return None,
    };
    Some(printable(&text)).filter(|text| !text.is_empty())
}

/// The first of the usual keys that holds a text, looked for one level deep as well (`{"error": {"message": …}}`).
fn message(json: &Value) -> Option<&str> {
    const KEYS: [&str; 7] = [
        "detail",
        "message",
        "returnMessage",
        "error_description",
        "error",
        "title",
        "reason",
    ];
    let text = |object: &'_ Value, key: &str| {
        object
            .get(key)
            .and_then(Value::as_str)
            .is_some_and(|text| !text.is_empty())
    };
    if let Some(key) = KEYS.iter().find(|key| text(json, key)) {
        return json.get(key)?.as_str();
    }
    let inner = json.get("error")?;
    let key = KEYS.iter().find(|key| text(inner, key))?;
    inner.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_bounded_line() {
        assert_eq!(printable("a\r\n\u{1b}[31mb\u{202e}\tc  d"), "a [31mb c d");
        let long = printable(&"한".repeat(10_000));
        assert_eq!(long.chars().count(), 301);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn the_usual_shapes_of_an_error_are_understood() {
        let problem =
            r#"{"type":"about:blank","title":"Bad Request","status":400,"detail":"x-provider-id is missing"}"#;
        let cases = [
            ("application/problem+json", problem, Some("x-provider-id is missing")),
            (
                "application/json",
                r#"{"returnCode":"E401","returnMessage":"no such provider"}"#,
                Some("no such provider"),
            ),
            (
                "application/json",
                r#"{"error":{"code":401,"message":"expired"}}"#,
                Some("expired"),
            ),
            (
                "application/json",
                r#"{"error":"Not Found","status":404}"#,
                Some("Not Found"),
            ),
            ("application/json", r#"{"detail":"","title":"Gone"}"#, Some("Gone")),
            (
                "text/plain; charset=utf-8",
                "upstream is down\n",
                Some("upstream is down"),
            ),
            ("text/html", "<html><h1>502</h1></html>", None),
            ("application/json", r#"["a"]"#, None),
            ("text/plain", " \n", None),
            ("application/json", "{", None),
        ];
        for (kind, body, expected) in cases {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
            assert_eq!(error_detail(&headers, body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
