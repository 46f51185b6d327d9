//! The committed CRDs are the generated ones.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use multinic_model::crds::Crd;

#[test]
fn the_committed_crds_are_up_to_date() {
    for crd in Crd::ALL {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../deploy/crds")
            .join(crd.file_name());
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == crd.yaml().unwrap(),
            "{} is stale: run `make generate` and commit the result",
            crd.file_name()
        );
    }
}
