//! PostgreSQL from Debian's packages, for tests: a database on a server that all tests share ([`PostgresDatabase`]), or a
//! server of one's own that can be stopped, killed and replaced by its standby ([`PostgresServer`]). Never as root, on a
//! socket in a temporary folder, without a TCP port.

mod own;
mod programs;
mod shared;

pub use own::{PostgresServer, Shutdown};
pub use shared::PostgresDatabase;
