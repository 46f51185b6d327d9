//! `make generate`: writes the CRDs into the folder named by the first argument.

use std::{env, error::Error, fs, path::PathBuf};

use multinic_model::crds::Crd;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args().nth(1).ok_or("usage: write_crds FOLDER")?);
    for crd in Crd::ALL {
        fs::write(folder.join(crd.file_name()), crd.yaml()?)?;
    }
    Ok(())
}
