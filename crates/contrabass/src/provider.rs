//! The answer of Contrabass, both shapes of it, as one checked value.

use multinic_transport::{BaseUrl, printable};
use serde::Deserialize;
use serde_json::Value;
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    #[serde(default)]
    return_code: Value,
    #[serde(default)]
    return_message: Value,
    #[serde(default)]
    data: Value,
}

impl Provider {
    /// Reads a body of Contrabass in either shape; unknown fields are ignored.
    pub fn from_json(body: &[u8]) -> Result<Self, AnswerError> {
        let Envelope {
            return_code,
            return_message,
            data,
        } = serde_json::from_slice(body).map_err(|_| AnswerError::NotJson)?;
        if let Some(code) = error_code(&return_code) {
            let message = return_message.as_str().map(printable).filter(|text| !text.is_empty());
            return Err(AnswerError::ReturnCode { code, message });
        }
        Self::from_data(&data)
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
