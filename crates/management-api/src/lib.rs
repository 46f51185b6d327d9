//! The MultiNIC management API: takes node configs over HTTP (contract 3.3) and keeps them with their history.

pub mod store;
