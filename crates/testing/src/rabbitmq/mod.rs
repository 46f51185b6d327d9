//! RabbitMQ from Debian's package, for tests: a virtual host on a broker that all tests share ([`RabbitVhost`]), or a broker
//! of one's own that can be stopped, killed, frozen and started again ([`RabbitServer`]). Never as root, on loopback, with
//! everything in a temporary folder. Both are looked after through [`Management`].

mod certificates;
mod management;
mod node;
mod own;
mod ports;
mod shared;

pub use management::Management;
pub use own::{RabbitServer, RabbitSettings};
pub use shared::RabbitVhost;
