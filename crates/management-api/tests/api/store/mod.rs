//! The store by itself.

mod backup;
mod conflicts;
mod history;
mod oracle;
mod replicas;
mod schema;
mod upsert;
