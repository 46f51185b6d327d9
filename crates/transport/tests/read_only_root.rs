//! A container without a folder for temporary files.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::{fs, path::Path};

use multinic_transport::{Pem, Tls};

/// Alone in its file: it speaks of the whole process.
#[test]
fn a_bundle_becomes_a_file_without_a_folder_for_temporary_files() {
    tempfile::env::override_temp_dir(Path::new("/proc/no-such-folder")).unwrap();
    let tls = Tls {
        ca_pem: Some(Pem::new(b"bundle")),
        ..Tls::default()
    };
    let file = tls.as_file().unwrap().unwrap();
    assert_eq!(fs::read_to_string(file.path()).unwrap().trim(), "bundle");
}
