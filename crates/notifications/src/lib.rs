//! What Nova and Neutron announce on RabbitMQ, as typed hints: "server X may have changed", "port Y may be gone".
//!
//! A hint is never data (rule 8): it says what to read again, and which absence needs no second reading. Everything works
//! without them.
//!
//! Read in this order: [`hint`] (what comes out), [`settings`] (what goes in), [`sink`] (who is told), [`decode`]
//! (from bytes to hints), [`link`] (from the broker to the bytes).

pub mod decode;
pub mod hint;
pub mod link;
pub mod settings;
pub mod sink;

pub use decode::decode;
pub use hint::{Hint, NetworkHint, PortHint, ServerHint, Subject, SubnetHint};
pub use link::{
    listen,
    probe::{Probe, probe},
};
pub use settings::{Binding, LinkPace, LinkSettings, QueueKind, QueueSettings};
pub use sink::{EventKind, LinkError, LinkState, Message, MessageOutcome, Sink};
