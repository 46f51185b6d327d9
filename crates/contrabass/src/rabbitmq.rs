//! The RabbitMQ attributes of a provider. They only accelerate (rule 8), so nothing wrong in them is an error.

use multinic_model::Broker;
use serde_json::Value;

use crate::EncryptedText;

/// How a provider's notifications are reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RabbitMq {
    /// `rabbitMQId`.
    pub user: String,
    /// `rabbitMQPw`, encrypted like the administrator's password.
    pub password: EncryptedText,
    /// `rabbitMQUrls`: at least one.
    pub brokers: Vec<Broker>,
}

impl RabbitMq {
    /// From `data.attributes`; `None` unless user, password and at least one broker are there.
    pub(crate) fn from_attributes(attributes: &Value) -> Option<Self> {
        let text = |key: &str| {
            attributes
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.trim().is_empty())
        };
        let brokers = brokers(attributes.get("rabbitMQUrls")?);
        if brokers.is_empty() {
            return None;
        }
        Some(Self {
            user: text("rabbitMQId")?.to_owned(),
            password: EncryptedText::new(text("rabbitMQPw")?),
            brokers,
        })
    }
}

/// A list of texts, or one text with commas. Entries that name no broker are left out: the others may do.
fn brokers(urls: &Value) -> Vec<Broker> {
    let texts: Vec<&str> = match urls {
        Value::Array(urls) => urls.iter().filter_map(Value::as_str).collect(),
        Value::String(urls) => urls.split(',').collect(),
        _ => Vec::new(),
    };
    texts.into_iter().filter_map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn anything_incomplete_is_no_rabbitmq() {
        let whole = json!({"rabbitMQId": "openstack", "rabbitMQPw": "x", "rabbitMQUrls": ["a:1", "?", null, "b"]});
        let rabbitmq = RabbitMq::from_attributes(&whole).unwrap();
        assert_eq!(format!("{:?}", rabbitmq.brokers), "[a:1, b:5672]");
        for (key, value) in [
            ("rabbitMQId", json!(null)),
            ("rabbitMQId", json!(" ")),
            ("rabbitMQPw", json!(7)),
            ("rabbitMQUrls", json!(null)),
            ("rabbitMQUrls", json!([])),
            ("rabbitMQUrls", json!({"a": 1})),
            ("rabbitMQUrls", json!(["?"])),
        ] {
            let mut part = whole.clone();
            part[key] = value;
            assert_eq!(RabbitMq::from_attributes(&part), None, "{part}");
        }
        assert_eq!(RabbitMq::from_attributes(&json!({})), None);
    }

    #[test]
    fn the_urls_may_be_one_text() {
        let attributes = json!({"rabbitMQId": "openstack", "rabbitMQPw": "x", "rabbitMQUrls": "a:1,b:2"});
        assert_eq!(RabbitMq::from_attributes(&attributes).unwrap().brokers.len(), 2);
    }
}
