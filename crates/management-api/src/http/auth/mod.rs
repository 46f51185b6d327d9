//! Who asks, and for which cluster: no handler gets a cluster's id otherwise.
//!
//! Read in this order: [`caller`](Caller) (what somebody may do), [`Tokens`] (who is known), [`Credential`] (what a request shows),
//! [`Scope`] (what the request may touch).

mod caller;
mod credential;
mod entry;
mod review;
mod scope;
mod tokens;

pub use caller::{Caller, Reach, Role};
pub(crate) use credential::revoked;
pub use credential::{Authenticated, Credential};
pub use review::{ReviewError, ReviewSettings, Reviewer};
pub use scope::{Permission, Read, ReadNode, Report, Scope, Write};
pub use tokens::{Accepted, Tokens, TokensError};
