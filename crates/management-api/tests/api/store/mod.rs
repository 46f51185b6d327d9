//! The store by itself.

mod conflicts;
mod history;
mod schema;
mod upsert;
