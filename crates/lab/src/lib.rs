//! A cloud for demo, tests and benches: Contrabass, Keystone, Nova and Neutron on loopback, and a receiver of node
//! configs. Their answers have the shape of recorded answers of OpenStack Zed (Debian 12); what the lab does not know it
//! refuses with 501, never with an answer that only looks right.
//!
//! ```no_run
//! use multinic_lab::{CloudBuilder, Fault, Lab, Receiver, Service};
//!
//! # fn main() -> Result<(), multinic_lab::LabError> {
//! let lab = Lab::start(CloudBuilder::seed())?;
//! let receiver = Receiver::start()?;
//! lab.faults().at(Service::Neutron).get("/v2.0/ports").nth(2).inject(Fault::status(503).retry_after("1"));
//! // … run the product against lab.contrabass_url() and receiver.url() …
//! lab.cloud().attach_port("measure-biz-worker-2", "test-sub")?;
//! assert_eq!(lab.requests_to(Service::Keystone).len(), 1);
//! assert_eq!(receiver.posts().len(), 1);
//! # Ok(())
//! # }
//! ```

mod builder;
mod contrabass;
mod error;
mod fault;
mod handle;
mod ids;
mod keystone;
mod lab;
mod log;
mod net;
mod neutron;
mod nova;
pub mod publisher;
mod receiver;
mod service;
mod simulator;
mod state;
mod time;

pub use builder::{
    Added, CloudBuilder, DEMO_ADMIN_PASSWORD, DEMO_ADMIN_PW, DEMO_ADMIN_PW_MD5, DEMO_ENCRYPTION_KEY,
    DEMO_RABBIT_PASSWORD, DEMO_RABBIT_PW, SEED_PROJECT, SEED_PROVIDER, SEED_SUBNET_ID, SEED_SUBNET_NAME,
};
pub use error::LabError;
pub use fault::{Cut, Fault, FaultPlan, Faults};
pub use handle::CloudHandle;
pub use lab::Lab;
pub use log::LoggedRequest;
pub use receiver::{Post, Receiver};
pub use service::Service;
