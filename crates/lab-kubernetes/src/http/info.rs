//! What a request is about, read from its method and path alone, as authorization reads it.

use http::Method;

use super::query::Query;

/// What authorization would be asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Info {
    pub verb: &'static str,
    pub group: String,
    pub version: String,
    pub namespace: String,
    pub resource: String,
    pub subresource: String,
    pub name: String,
    /// Whether the path names a resource; discovery and `/version` do not.
    pub is_resource: bool,
}

impl Info {
    pub fn parse(method: &Method, path: &str, query: &Query) -> Self {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let (group, version, rest) = match parts.as_slice() {
            ["api", version, rest @ ..] if !rest.is_empty() => ("", *version, rest),
            ["apis", group, version, rest @ ..] if !rest.is_empty() => (*group, *version, rest),
            _ => {
                return Self {
                    verb: plain_verb(method),
                    ..Self::default()
                };
            }
        };
        let (namespace, rest) = split_namespace(rest);
        let mut info = Self {
            verb: "",
            group: decoded(group),
            version: decoded(version),
            namespace: decoded(namespace),
            resource: decoded(rest.first().copied().unwrap_or_default()),
            subresource: decoded(rest.get(2..).unwrap_or_default().join("/").as_str()),
            name: decoded(rest.get(1).copied().unwrap_or_default()),
            is_resource: true,
        };
        info.verb = info.resource_verb(method, query);
        if info.name.is_empty() {
            info.name = query.selected_name().unwrap_or_default();
        }
        info
    }

    /// Whether the path names all objects rather than one.
    pub fn is_collection(&self, path: &str) -> bool {
        let last = path.rsplit('/').next().unwrap_or_default();
        decoded(last) == self.resource && self.subresource.is_empty()
    }

    fn resource_verb(&self, method: &Method, query: &Query) -> &'static str {
        let one = !self.name.is_empty();
        match method.as_str() {
            "GET" | "HEAD" if query.is_watch() => "watch",
            "GET" | "HEAD" if one => "get",
            "GET" | "HEAD" => "list",
            "POST" => "create",
            "PUT" => "update",
            "PATCH" => "patch",
            "DELETE" if one => "delete",
            "DELETE" => "deletecollection",
            _ => "",
        }
    }
}

/// `namespaces/{namespace}/{resource}/…`; a namespace itself is in the namespace of its own name.
fn split_namespace<'a, 'b>(parts: &'b [&'a str]) -> (&'a str, &'b [&'a str]) {
    match parts {
        ["namespaces", namespace, "status" | "finalize", ..] | ["namespaces", namespace] => (*namespace, parts),
        ["namespaces", namespace, ..] => (*namespace, &parts[2..]),
        _ => ("", parts),
    }
}

fn plain_verb(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "get",
        "POST" => "post",
        "PUT" => "put",
        "PATCH" => "patch",
        "DELETE" => "delete",
        _ => "",
    }
}

fn decoded(part: &str) -> String {
    let escaped = part.replace('+', "%2B");
    let mut pairs = url::form_urlencoded::parse(escaped.as_bytes());
    pairs.next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(method: &str, uri: &str) -> Info {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        Info::parse(&method.parse().unwrap(), path, &Query::parse(query))
    }

    fn summary(info: &Info) -> String {
        format!(
            "{} {}/{} {}/{}/{}",
            info.verb, info.group, info.resource, info.namespace, info.name, info.subresource
        )
    }

    #[test]
    fn the_verbs_of_authorization_are_read_from_the_path() {
        let cases = [
            ("GET", "/api/v1/namespaces", "list /namespaces //"),
            ("GET", "/api/v1/namespaces/a", "get /namespaces a/a/"),
            ("PUT", "/api/v1/namespaces/a/status", "update /namespaces a/a/status"),
            ("GET", "/api/v1/namespaces/a/secrets/b", "get /secrets a/b/"),
            (
                "GET",
                "/api/v1/namespaces/a/secrets?watch=1&fieldSelector=metadata.name%3Db",
                "watch /secrets a/b/",
            ),
            (
                "PATCH",
                "/apis/g.io/v1/namespaces/a/things/b/status",
                "patch g.io/things a/b/status",
            ),
            (
                "DELETE",
                "/apis/g.io/v1/namespaces/a/things",
                "deletecollection g.io/things a//",
            ),
            ("DELETE", "/apis/g.io/v1/things/b", "delete g.io/things /b/"),
        ];
        for (method, uri, expected) in cases {
            assert_eq!(summary(&info(method, uri)), expected, "{uri}");
        }
        assert!(!info("GET", "/apis/g.io/v1").is_resource);
    }
}
