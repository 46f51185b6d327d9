//! The OpenStack inventory: one complete, checked reading of a project, on the `openstack_sdk` crate.
//!
//! Step two of the five (resolve → **read** → plan → deliver → report). A reading is whole or an error: every request
//! answered, every page read, every answer in the shape that was asked for. Absence from an [`Inventory`] is evidence.
//!
//! Read in this order: [`settings`] and [`credentials`] (what goes in), `session`, `login` and `gate` (one token for
//! everybody, no account lock-out), `catalog` (which address), `execute`, `retry` and `budget` (how one request is made),
//! `pages` and `endpoints` (what is asked), `read` (how it becomes an inventory), `part` (how one is brought up to date),
//! [`error`].

mod budget;
mod catalog;
pub mod clock;
pub mod credentials;
mod endpoints;
pub mod error;
mod execute;
mod gate;
mod login;
mod message;
mod pages;
mod part;
mod read;
mod request;
mod retry;
mod session;
pub mod settings;

use std::sync::Arc;

use multinic_model::{ProviderId, inventory::Inventory};

pub use budget::RequestCounts;
pub use catalog::ChosenEndpoint;
pub use clock::{Clock, SystemClock};
pub use credentials::{CloudCredentials, Fingerprint};
pub use error::{CloudError, Place, Service};
pub use login::SessionInfo;
pub use part::Part;
pub use read::ReadRequest;
pub use retry::RetryPolicy;
pub use settings::{CloudSettings, Interface};

use crate::{execute::Access, session::Sessions};

/// All of OpenStack that multinic needs. Cheap to clone; clones share sessions, budgets and counts.
#[derive(Clone, Debug)]
pub struct Cloud {
    sessions: Arc<Sessions>,
}

impl Cloud {
    /// Nothing is sent until something is asked.
    pub fn new(settings: CloudSettings) -> Self {
        Self::with_clock(settings, Arc::new(SystemClock))
    }

    /// Like [`Cloud::new`], with a clock of one's own.
    pub fn with_clock(settings: CloudSettings, clock: Arc<dyn Clock>) -> Self {
        Self {
            sessions: Arc::new(Sessions::new(settings, clock)),
        }
    }

    /// Logs in, unless a session is at hand, and says what the login gave.
    pub async fn connect(&self, credentials: &CloudCredentials) -> Result<SessionInfo, CloudError> {
        Ok(Access::open(&self.sessions, credentials).await?.info())
    }

    /// Reads what is asked for, completely, or fails (rule 1).
    pub async fn read(&self, credentials: &CloudCredentials, request: &ReadRequest) -> Result<Inventory, CloudError> {
        let access = Access::open(&self.sessions, credentials).await?;
        read::read(&access, request).await
    }

    /// Looks at a part again and puts it into `base`, which an earlier reading of the same project said to the same
    /// request; completely, or it fails.
    pub async fn read_part(
        &self,
        credentials: &CloudCredentials,
        request: &ReadRequest,
        base: &Inventory,
        part: &Part,
    ) -> Result<Inventory, CloudError> {
        let access = Access::open(&self.sessions, credentials).await?;
        Box::pin(part::read(&access, request, base, part)).await
    }

    /// What was sent so far.
    pub fn requests(&self) -> RequestCounts {
        self.sessions.budget.counts()
    }

    /// Drops the provider's sessions and its memory of rejected logins: for a provider that is no longer used, or when
    /// a person asks for another attempt. Changed credentials are noticed without it.
    pub fn forget(&self, provider: &ProviderId) {
        self.sessions.forget(provider);
    }
}
