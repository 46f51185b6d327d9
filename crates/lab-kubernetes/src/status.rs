//! What a refused request is answered with: a `Status`, worded as a real API server words it.

use serde_json::{Map, Value, json};

/// A group and the plural name of its resource, as messages name them: `leases.coordination.k8s.io`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupResource {
    pub group: String,
    pub resource: String,
}

impl std::fmt::Display for GroupResource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.group.is_empty() {
            return f.write_str(&self.resource);
        }
        write!(f, "{}.{}", self.resource, self.group)
    }
}

/// One field that makes an object invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FieldError {
    pub field: String,
    pub reason: &'static str,
    pub message: String,
}

impl FieldError {
    pub fn new(field: impl Into<String>, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            reason,
            message: message.into(),
        }
    }

    pub fn required(field: impl Into<String>, detail: &str) -> Self {
        let message = if detail.is_empty() {
            "Required value".to_owned()
        } else {
            format!("Required value: {detail}")
        };
        Self::new(field, "FieldValueRequired", message)
    }

    pub fn invalid(field: impl Into<String>, value: &Value, detail: &str) -> Self {
        Self::new(field, "FieldValueInvalid", format!("Invalid value: {value}: {detail}"))
    }

    pub fn forbidden(field: impl Into<String>, detail: &str) -> Self {
        Self::new(field, "FieldValueForbidden", format!("Forbidden: {detail}"))
    }

    fn cause(&self) -> Value {
        json!({"reason": self.reason, "message": self.message, "field": self.field})
    }
}

/// A refused request.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct ApiError {
    pub code: u16,
    pub reason: &'static str,
    pub message: String,
    pub details: Map<String, Value>,
    /// Warnings that go with the refusal: the header `Warning`.
    pub warnings: Vec<String>,
}

impl ApiError {
    pub fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: Map::new(),
            warnings: Vec::new(),
        }
    }

    fn about(mut self, kind: &str, group: &str, name: &str) -> Self {
        for (key, value) in [("name", name), ("group", group), ("kind", kind)] {
            if !value.is_empty() {
                self.details.insert(key.to_owned(), json!(value));
            }
        }
        self
    }

    fn causes(mut self, causes: Vec<Value>) -> Self {
        self.details.insert("causes".to_owned(), Value::Array(causes));
        self
    }

    pub fn body(&self) -> Value {
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            body["reason"] = json!(self.reason);
        }
        if !self.details.is_empty() {
            body["details"] = Value::Object(self.details.clone());
        }
        body
    }

    pub fn not_found(what: &GroupResource, name: &str) -> Self {
        Self::new(404, "NotFound", format!("{what} \"{name}\" not found")).about(&what.resource, &what.group, name)
    }

    /// A path that is no resource of this server.
    pub fn no_such_path() -> Self {
        Self::new(404, "NotFound", "the server could not find the requested resource").causes(vec![])
    }

    pub fn already_exists(what: &GroupResource, name: &str) -> Self {
        let message = format!("{what} \"{name}\" already exists");
        Self::new(409, "AlreadyExists", message).about(&what.resource, &what.group, name)
    }

    pub fn conflict(what: &GroupResource, name: &str, detail: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {what} \"{name}\": {detail}");
        Self::new(409, "Conflict", message).about(&what.resource, &what.group, name)
    }

    pub fn modified(what: &GroupResource, name: &str) -> Self {
        let detail = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(what, name, detail)
    }

    pub fn field_conflicts(message: String, causes: Vec<Value>) -> Self {
        Self::new(409, "Conflict", message).causes(causes)
    }

    pub fn invalid(kind: &str, group: &str, name: &str, errors: &[FieldError]) -> Self {
        let qualified = if group.is_empty() {
            kind.to_owned()
        } else {
            format!("{kind}.{group}")
        };
        let listed: Vec<String> = errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect();
        let listed = if let [one] = listed.as_slice() {
            one.clone()
        } else {
            format!("[{}]", listed.join(", "))
        };
        Self::new(422, "Invalid", format!("{qualified} \"{name}\" is invalid: {listed}"))
            .about(kind, group, name)
            .causes(errors.iter().map(FieldError::cause).collect())
    }

    pub fn terminating(what: &GroupResource, name: &str, namespace: &str) -> Self {
        let message = format!(
            "{what} \"{name}\" is forbidden: unable to create new content in namespace {namespace} because it is being terminated"
        );
        Self::new(403, "Forbidden", message)
            .about(&what.resource, &what.group, name)
            .causes(vec![json!({
                "reason": "NamespaceTerminating",
                "message": format!("namespace {namespace} is being terminated"),
                "field": "metadata.namespace",
            })])
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub fn not_allowed(what: &str) -> Self {
        Self::new(
            405,
            "MethodNotAllowed",
            format!("the server does not allow this method on the requested resource: {what}"),
        )
    }

    pub fn unsupported_media(accepted: &[&str]) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            accepted.join(", ")
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    pub fn not_acceptable(accepted: &str) -> Self {
        let message = format!("only the following media types are accepted: {accepted}");
        Self::new(406, "NotAcceptable", message)
    }

    pub fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// What a real server does and this one does not.
    pub fn not_implemented(what: impl std::fmt::Display) -> Self {
        Self::new(
            501,
            "NotImplemented",
            format!("this small Kubernetes API does not implement {what}"),
        )
    }
}
