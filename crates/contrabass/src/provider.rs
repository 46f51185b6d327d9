//! The answer of Contrabass, both shapes of it, as one checked value.

use multinic_transport::{BaseUrl, printable};
use serde_json::{Map, Value};
use url::Url;

use crate::{EncryptedText, RabbitMq};

/// How one OpenStack installation is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provider {
    /// Keystone's version 3 API, without a trailing slash: `http://keystone.example.com:5000/v3`.
    pub keystone_url: Url,
    /// The administrator's user name.
    pub admin_id: String,
    /// The administrator's password, still encrypted.
    pub admin_password: EncryptedText,
    /// The administrator's domain, as Contrabass gives it.
    pub domain: String,
    /// The message broker, if Contrabass knows a usable one.
    pub rabbitmq: Option<RabbitMq>,
}

/// Why an answer is no provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Not JSON, or not an object.
    #[error("the answer is not a JSON object")]
    NotJson,
    /// `returnCode` signals an error.
    #[error("returnCode {code}: {}", message.as_deref().unwrap_or("no returnMessage"))]
    ReturnCode {
        /// The code, printable.
        code: String,
        /// `returnMessage`, printable.
        message: Option<String>,
    },
    /// Required fields are absent, null, empty or of another type.
    #[error("the answer lacks {}", fields.join(", "))]
    Missing {
        /// Their paths.
        fields: Vec<&'static str>,
    },
    /// `data.url` is no address of Keystone.
    #[error("data.url is no address of Keystone: {reason}")]
    KeystoneUrl {
        /// What is wrong with it; never the address itself, which may hold a password.
        reason: String,
    },
}

impl AnswerError {
    /// Changes what the server said.
    pub(crate) fn map_message(self, change: impl Fn(&str) -> String) -> Self {
        match self {
            Self::ReturnCode { code, message } => Self::ReturnCode {
                code,
                message: message.as_deref().map(change),
            },
            other => other,
        }
    }
}

impl Provider {
    /// Reads a body of Contrabass in either shape; unknown fields are ignored.
    pub fn from_json(body: &[u8]) -> Result<Self, AnswerError> {
        let answer: Map<String, Value> = serde_json::from_slice(body).map_err(|_| AnswerError::NotJson)?;
        if let Some(code) = answer.get("returnCode").and_then(error_code) {
            let message = answer.get("returnMessage").and_then(Value::as_str).map(printable);
            return Err(AnswerError::ReturnCode {
                code,
                message: message.filter(|text| !text.is_empty()),
            });
        }
        Self::from_data(answer.get("data").unwrap_or(&Value::Null))
    }

    fn from_data(data: &Value) -> Result<Self, AnswerError> {
        let attributes = &data["attributes"];
        let mut fields = Vec::new();
        let mut text = |value: &Value, path| match value.as_str().map(str::trim) {
            Some(text) if !text.is_empty() => text.to_owned(),
            _ => {
                fields.push(path);
                String::new()
            }
        };
        let url = text(&data["url"], "data.url");
        let admin_id = text(&attributes["adminId"], "data.attributes.adminId");
        let admin_password = text(&attributes["adminPw"], "data.attributes.adminPw");
        let domain = text(&attributes["domain"], "data.attributes.domain");
        if !fields.is_empty() {
            return Err(AnswerError::Missing { fields });
        }
        Ok(Self {
            keystone_url: keystone_url(&url)?,
            admin_id,
            admin_password: EncryptedText::new(admin_password),
            domain,
            rabbitmq: RabbitMq::from_attributes(attributes),
        })
    }
}

/// The code if it signals an error. Deployed versions write `"200"` for success; absent, null, empty, any number of
/// zeros, 2xx and the words for success count as such too.
fn error_code(code: &Value) -> Option<String> {
    let text = match code {
        Value::Null | Value::Bool(true) => return None,
        Value::String(text) => printable(text),
        other => printable(&other.to_string()),
    };
    let success = match text.parse::<u32>() {
        Ok(number) => number == 0 || (200..300).contains(&number),
        Err(_) => ["", "ok", "success", "common_ok"].contains(&text.to_lowercase().as_str()),
    };
    (!success).then_some(text)
}

/// Adds `/v3` where it is missing. Keystone has no other version since Queens; `/v2.0` is refused.
fn keystone_url(text: &str) -> Result<Url, AnswerError> {
    let failed = |reason: String| AnswerError::KeystoneUrl { reason };
    let url = Url::parse(text).map_err(|error| failed(error.to_string()))?;
    let base = BaseUrl::try_from(url).map_err(|error| failed(error.to_string()))?;
    let mut segments: Vec<&str> = base
        .url()
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    match segments.last() {
        Some(&"v3") => {}
        Some(&"v2.0") => return Err(failed("version 2.0 of the Identity API is not supported".to_owned())),
        _ => segments.push("v3"),
    }
    let mut url = base.url().clone();
    url.set_path(&segments.join("/"));
    Ok(url)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(change: impl FnOnce(&mut Value)) -> Result<Provider, AnswerError> {
        let mut body = json!({"data": {"url": "http://ks.example:5000", "attributes":
            {"adminId": "admin", "adminPw": "x", "domain": "default"}}});
        change(&mut body);
        Provider::from_json(body.to_string().as_bytes())
    }

    #[test]
    fn the_address_of_keystone_always_ends_with_v3() {
        for (given, expected) in [
            ("http://ks.example:5000", "http://ks.example:5000/v3"),
            ("http://ks.example:5000/", "http://ks.example:5000/v3"),
            ("http://ks.example:5000/v3", "http://ks.example:5000/v3"),
            ("http://ks.example:5000/v3/", "http://ks.example:5000/v3"),
            (" https://ks.example/identity// ", "https://ks.example/identity/v3"),
            ("https://ks.example/identity/v3/", "https://ks.example/identity/v3"),
            ("http://[fd00::1]:5000", "http://[fd00::1]:5000/v3"),
        ] {
            let provider = read(|body| body["data"]["url"] = given.into()).unwrap();
            assert_eq!(provider.keystone_url.as_str(), expected, "{given}");
            let again = read(|body| body["data"]["url"] = expected.into()).unwrap();
            assert_eq!(again, provider, "{given}");
        }
    }

    #[test]
    fn what_is_no_address_of_keystone_is_refused_without_repeating_it() {
        for (given, reason) in [
            ("ks.example:5000", "http://"),
            ("keystone", "relative URL"),
            ("ftp://ks.example", "http://"),
            ("http://admin:s3cret@ks.example", "user and password"),
            ("http://ks.example/v3?s3cret", "'?'"),
            ("http://ks.example:5000/v2.0", "version 2.0"),
            ("http://", "empty host"),
        ] {
            let error = read(|body| body["data"]["url"] = given.into()).unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains("s3cret"), "{given}: {error}");
        }
    }

    #[test]
    fn every_missing_field_is_named_at_once() {
        for nothing in [json!(null), json!(""), json!("  "), json!(7), json!([])] {
            let error = read(|body| {
                body["data"]["url"] = nothing.clone();
                body["data"]["attributes"]["adminPw"] = nothing.clone();
            });
            let fields = vec!["data.url", "data.attributes.adminPw"];
            assert_eq!(error, Err(AnswerError::Missing { fields }), "{nothing}");
        }
        let error = read(|body| body["data"]["attributes"] = json!([1])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the answer lacks data.attributes.adminId, data.attributes.adminPw, data.attributes.domain"
        );
    }

    #[test]
    fn the_return_code_signals_success_in_several_ways() {
        for good in [
            json!(null),
            json!("200"),
            json!(200),
            json!("0"),
            json!("0000"),
            json!(""),
            json!("OK"),
            json!("Success"),
        ] {
            assert!(read(|body| body["returnCode"] = good.clone()).is_ok(), "{good}");
        }
        for bad in [
            json!("404"),
            json!(500),
            json!("FAIL"),
            json!(false),
            json!({"a": 1}),
            json!("20"),
        ] {
            let error = read(|body| body["returnCode"] = bad.clone());
            assert!(matches!(error, Err(AnswerError::ReturnCode { .. })), "{bad}");
        }
    }

    #[test]
    fn null_rabbitmq_attributes_are_as_good_as_none() {
        let provider = read(|body| {
            for key in ["rabbitMQId", "rabbitMQPw", "rabbitMQUrls"] {
                body["data"]["attributes"][key] = Value::Null;
            }
        });
        assert_eq!(provider.unwrap().rabbitmq, None);
    }
}
