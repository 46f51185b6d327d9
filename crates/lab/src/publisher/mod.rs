//! Nova and Neutron as RabbitMQ sees them: announcements ([`Announcement`]) made from recorded ones, published the way
//! oslo.messaging does ([`Publisher`]).
//!
//! ```no_run
//! use multinic_lab::publisher::{Account, AnnouncedPort, Announcement, Publisher};
//!
//! # async fn example() -> Result<(), multinic_lab::LabError> {
//! let account = Account::new("127.0.0.1", 5672, "/", "guest", "guest");
//! let publisher = Publisher::connect(&account).await?;
//! let port = AnnouncedPort::new("e4a2bcd4-43f7-4999-bdf5-a5eaa13bc2f5").in_server("453fc189-24bd-488d-b2de-6fafa6ab1739");
//! publisher.publish(&Announcement::port_updated(&port)).await?;
//! # Ok(())
//! # }
//! ```

mod amqp;
mod announcement;
mod objects;
mod template;

pub use amqp::{Account, Publisher};
pub use announcement::{Announcement, NovaFormat, ServerEvent};
pub use objects::{AnnouncedNetwork, AnnouncedPort, AnnouncedServer, AnnouncedSubnet};
