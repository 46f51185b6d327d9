//! What OpenStack announces, on its way from the brokers to the engine.
//!
//! For every provider that somebody names, the links that Contrabass and the settings know of are kept up; what they bring
//! is put into the provider's inbox, one hint for each thing however often it is announced, and the engine takes it out when
//! it looks. Whatever may have been missed is a gap, which a full reading fills. No link ever waits for the engine.
//!
//! Read in this order: `inbox` (one provider's hints, pure), `evidence` (what an old message is still worth, pure),
//! `standing` (where a provider's links stand, in the words of a condition, pure), `hub` (where links and engine meet),
//! `ear` (one link's), `source` (where links come from), `keeper` (the links of one provider), `links` (all of them).

mod ear;
mod evidence;
mod hub;
mod inbox;
mod keeper;
mod links;
mod pace;
mod source;
mod standing;
#[cfg(test)]
mod tests;

pub use hub::{Standings, Tidings};
pub use links::Links;
pub use pace::LinksPace;
pub use source::Source;
pub use standing::EventSource;
