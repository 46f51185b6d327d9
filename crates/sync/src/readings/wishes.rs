//! What configs want of each place.

use std::collections::BTreeMap;

use multinic_cloud::ReadRequest;

use crate::{Config, Place};

/// What these configs want together. A config that is held or departed wants nothing.
pub fn wishes(configs: &[Config]) -> BTreeMap<Place, ReadRequest> {
    let mut wishes: BTreeMap<Place, ReadRequest> = BTreeMap::new();
    for selection in configs.iter().filter_map(Config::selection) {
        let request = wishes.entry(Place::of(selection)).or_default();
        request.subnets.insert(selection.subnet.clone());
        request.vms.extend(selection.vms.iter().cloned());
    }
    wishes
}
