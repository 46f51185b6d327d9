//! The setting `providerPath`: where Contrabass answers for one provider.

use std::{fmt, str::FromStr};

use multinic_model::ProviderId;

const PLACEHOLDER: &str = "{id}";

/// A path template with exactly one `{id}`, such as `/api/providers/{id}`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderPath(String);

/// A text that is no such template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to read {found:?} as a provider path: expected a path that begins with '/', holds {{id}} exactly once and \
     nothing of '?', '#', '%', '\\', '..' or white space, such as /api/providers/{{id}}"
)]
pub struct ProviderPathError {
    /// What was found, cut to a printable length.
    pub found: String,
}

impl ProviderPath {
    /// The template as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments of the path for one provider, still unescaped.
    pub(crate) fn segments(&self, id: &ProviderId) -> Vec<String> {
        let path = self.0.trim_start_matches('/');
        path.split('/')
            .map(|segment| segment.replace(PLACEHOLDER, id.as_str()))
            .collect()
    }
}

impl Default for ProviderPath {
    fn default() -> Self {
        Self("/api/providers/{id}".to_owned())
    }
}

impl FromStr for ProviderPath {
    type Err = ProviderPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let usual = |b: u8| b.is_ascii_graphic() && !br"?#%\".contains(&b);
        let rest = text.replacen(PLACEHOLDER, "", 1);
        let one_placeholder = rest.len() < text.len() && !rest.contains(['{', '}']);
        let dots = text.split('/').any(|segment| segment == "." || segment == "..");
        if text.len() > 512 || !text.starts_with('/') || !text.bytes().all(usual) || !one_placeholder || dots {
            return Err(ProviderPathError {
                found: text.chars().take(80).collect(),
            });
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ProviderPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_holds_the_id_once() {
        let id: ProviderId = "a919ea1c".parse().unwrap();
        for (template, expected) in [
            ("/api/providers/{id}", "api|providers|a919ea1c"),
            (
                "/v1/contrabass/admin/infra/provider/{id}",
                "v1|contrabass|admin|infra|provider|a919ea1c",
            ),
            ("/p-{id}.json/x", "p-a919ea1c.json|x"),
            ("/{id}/", "a919ea1c|"),
        ] {
            let path: ProviderPath = template.parse().unwrap();
            assert_eq!(path.segments(&id).join("|"), expected);
            assert_eq!(path.to_string(), template);
        }
        assert!(ProviderPath::default().as_str().parse::<ProviderPath>().is_ok());
    }

    #[test]
    fn what_is_no_template_is_refused_by_name() {
        let long = format!("/{{id}}/{}", "x".repeat(512));
        let wrong = [
            "",
            "{id}",
            "/api/providers",
            "/api/{id}/{id}",
            "/api/{name}",
            "/api/{id}/{",
            "/api/}{id}",
            "/api/{{id}}",
            "/api?id={id}",
            "/api/{id}#x",
            "/a b/{id}",
            "/api/%7b{id}",
            "/../{id}",
            "/api/./{id}",
            "/api\\{id}",
            "https://a.example/{id}",
            "/노드/{id}",
            &long,
        ];
        for text in wrong {
            let error = text.parse::<ProviderPath>().unwrap_err();
            assert!(error.to_string().contains("/api/providers/{id}"), "{text}");
        }
    }
}
