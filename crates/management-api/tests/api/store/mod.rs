//! The store by itself.

mod backup;
mod conflicts;
mod history;
mod oracle;
mod schema;
mod upsert;
