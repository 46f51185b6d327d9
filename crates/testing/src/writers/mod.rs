//! Clients of the management API that post and remember what was acknowledged ([`Writer`]), and what its history has to
//! be for that ([`History`]): every acknowledged write is there, no node and no batch is half there, nothing goes back.
//!
//! Every version of a node is other content, and the content tells whose it is and which.

mod content;
mod history;
mod writer;

pub use history::{Delivery, Followed, History};
pub use writer::{Refusal, Writer, Written};
