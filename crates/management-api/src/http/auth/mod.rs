//! Who asks, and for which cluster: no handler gets a cluster's id otherwise.

mod scope;
mod tokens;

pub use scope::{Permission, Read, ReadNode, Report, Scope, Write, caller};
pub use tokens::{Caller, Reach, Role, Tokens, TokensError};
