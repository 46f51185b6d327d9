//! Runs a lab until it is interrupted, to look at with curl: `cargo run -p multinic-lab --example lab [VMS PORTS]`.

#![allow(clippy::print_stdout, reason = "it is all this program does")]

use std::{env, thread};

use multinic_lab::{
    CloudBuilder, DEMO_ADMIN_PASSWORD, DEMO_ENCRYPTION_KEY, Lab, LabError, Receiver, SEED_PROJECT, SEED_PROVIDER,
};

fn main() -> Result<(), LabError> {
    let sizes: Vec<usize> = env::args().skip(1).filter_map(|size| size.parse().ok()).collect();
    let cloud = match *sizes.as_slice() {
        [vms, ports] => CloudBuilder::sized(vms, ports),
        _ => CloudBuilder::seed().user("member", "member"),
    };
    let lab = Lab::start(cloud)?;
    let receiver = Receiver::start()?;
    println!("contrabass      {}/api/providers/{SEED_PROVIDER}", lab.contrabass_url());
    println!("keystone        {}", lab.keystone_url());
    println!("nova            {}", lab.nova_url());
    println!("neutron         {}/v2.0", lab.neutron_url());
    println!("management API  {}", receiver.url());
    println!("admin {DEMO_ADMIN_PASSWORD}, project {SEED_PROJECT}, encryption key {DEMO_ENCRYPTION_KEY}");
    loop {
        thread::park();
    }
}
