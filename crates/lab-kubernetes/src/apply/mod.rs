//! Server-side apply and the record of who owns which field.

mod compare;
mod field_set;
mod managed;
mod merge;
mod owners;
#[cfg(test)]
mod properties;
mod remove;
mod types;

pub(crate) use field_set::FieldSet;
pub(crate) use managed::{Manager, Managers};
pub(crate) use owners::{Ownership, apply, update};
pub(crate) use types::Type;
