//! The store by itself.

mod conflicts;
mod history;
mod oracle;
mod schema;
mod upsert;
