//! What ports, subnets and networks have in common.

use super::{Fail, query::Query};
use crate::{
    ids::Id,
    net::Json,
    state::{Scope, State},
};

/// A key of a body.
pub(super) struct Field<R> {
    /// As in the body and in `fields=`.
    pub name: &'static str,
    /// Administrators only.
    pub admin: bool,
    /// Writes the value.
    pub write: fn(&State, &Scope, &R, &mut Json),
}

/// A kind of thing Neutron lists.
pub(super) trait Resource: Sized + 'static {
    /// `port`.
    const KEY: &'static str;
    /// `ports`.
    const COLLECTION: &'static str;
    /// `Port`, as in `PortNotFound`.
    const KIND: &'static str;
    /// Filters that are answered.
    const FILTERS: &'static [&'static str];
    /// Filters the real thing knows and the lab refuses.
    const NOT_SIMULATED: &'static [&'static str];
    /// Filters whose values are true or false.
    const BOOLEANS: &'static [&'static str];
    /// The body's keys in their order.
    const FIELDS: &'static [Field<Self>];

    fn id(&self) -> &Id;

    fn get<'a>(state: &'a State, id: &str) -> Option<&'a Self>;

    /// Whether the caller sees it at all.
    fn visible(&self, state: &State, scope: &Scope) -> bool;

    /// Whether the value of that filter is among the wanted ones. Only called with one of [`Self::FILTERS`].
    fn matches(&self, state: &State, scope: &Scope, filter: &str, wanted: &[String]) -> bool;

    /// Everything the query may select, sorted by id; a superset is fine.
    fn candidates<'a>(state: &'a State, query: &Query) -> Vec<&'a Self>;

    /// Refuses values that Neutron refuses.
    fn check(_filter: &str, _wanted: &[String]) -> Result<(), Fail> {
        Ok(())
    }
}

/// The database compares without regard to case.
pub(super) fn among(wanted: &[String], value: &str) -> bool {
    wanted.iter().any(|wanted| {
        wanted.eq_ignore_ascii_case(value) || (!value.is_ascii() && wanted.to_lowercase() == value.to_lowercase())
    })
}

/// Of a filter that is true or false, the last value counts.
pub(super) fn is(wanted: &[String], value: bool) -> bool {
    wanted.last().and_then(|wanted| boolean(wanted)) == Some(value)
}

/// What Neutron takes for true and false.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "1" | "t" | "yes" | "on" | "y" => Some(true),
        "false" | "0" | "f" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}

/// Refuses what is not a whole number.
pub(super) fn check_integers(wanted: &[String]) -> Result<(), Fail> {
    match wanted.iter().find(|wanted| wanted.parse::<i64>().is_err()) {
        Some(bad) => Err(Fail::bad_request(
            "InvalidInput",
            format!("Invalid input for operation: '{bad}' is not an integer."),
        )),
        None => Ok(()),
    }
}
