//! What is asked, and how answers become an inventory.

mod inventory;
mod pages;
mod ports;
mod servers;
mod subnets;
