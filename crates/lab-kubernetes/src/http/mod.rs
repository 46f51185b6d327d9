//! From an HTTP request to an answer: who asks, for what, and how the answer shall look.

mod answer;
mod body;
mod handler;
mod info;
mod protobuf;
mod query;
mod resources;
mod view;
mod watch;

pub(crate) use answer::Answer;
pub(crate) use handler::{Shared, handle};
pub(crate) use info::Info;
