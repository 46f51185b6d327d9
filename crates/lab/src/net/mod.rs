//! HTTP/1.1 as far down as the lab needs it.
//!
//! A proper server library would not let us answer the way uWSGI does (no length, no announcement, closed), nor break
//! an answer in the middle. So the lab reads requests with `httparse` and writes answers by hand.

mod connection;
mod json;
mod listener;
mod reply;
mod request;

pub(crate) use connection::{Answer, Door, Framing, Handler, Outcome, TooLong};
pub(crate) use json::Json;
pub(crate) use listener::{Listener, Running, bind};
pub(crate) use reply::Reply;
pub(crate) use request::Request;
