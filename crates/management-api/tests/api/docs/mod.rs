//! What is committed under `docs/` is what the program does.

mod erd;
mod openapi;
mod schema;
