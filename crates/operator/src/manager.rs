//! The name under which the operator writes.

/// The field manager of everything that is applied.
pub const FIELD_MANAGER: &str = "multinic-operator";
