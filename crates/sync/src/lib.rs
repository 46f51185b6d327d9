//! One pass: resolve → read → plan → deliver → report.
//!
//! Each step takes only the previous step's type, so a step cannot be skipped:
//! [`resolve`](resolve::resolve) → [`Resolved`] → [`Read`] → [`Planned`] → [`Delivered`] → [`Report`]. All IO lies in
//! resolve, read and deliver; the plan in the middle is pure. The command line runs it once ([`once`]), the operator
//! again and again, from [`Readings`] that its clusters share ([`Read::assembled`]).

mod connections;
mod deliver;
pub mod doctor;
mod error;
mod links;
pub mod manifest;
mod memory;
pub mod observer;
pub mod once;
mod plan;
mod read;
pub mod readings;
mod report;
mod resolve;
pub mod settings;
mod yaml;

pub use connections::{Connections, ConnectionsError, Counts, Pace, Requests};
pub use deliver::{Delivered, Extent};
pub use error::PlaceError;
pub use links::LinksError;
pub use memory::earlier_after;
pub use plan::{Ledgers, Planned};
pub use read::{Read, read_back};
pub use readings::Readings;
pub use report::{ClusterReport, Failure, Outcome, Report};
pub use resolve::{Config, Place, Resolved, resolve};
