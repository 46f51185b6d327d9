//! The certificates of private authorities: from a file, from elsewhere, or both.

use std::{
    fmt, fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::NamedTempFile;

use crate::{EndpointError, Tls};

/// A PEM bundle in memory. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Pem(Arc<[u8]>);

impl Pem {
    /// Takes the bytes as they are; they are read when a client is built.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }
}

impl fmt::Debug for Pem {
    /// Without the content: somebody may have put a key there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pem({} bytes)", self.0.len())
    }
}

/// The private authorities as one file, for a library that takes nothing else. Lives as long as this value, if it was
/// written for it.
#[derive(Debug)]
pub enum CaFile {
    /// The setting's own file.
    Given(PathBuf),
    /// Written for this purpose, readable for this user only.
    Written(NamedTempFile),
}

impl CaFile {
    /// Where it lies.
    pub fn path(&self) -> &Path {
        match self {
            Self::Given(path) => path,
            Self::Written(file) => file.path(),
        }
    }
}

impl Tls {
    /// The certificates of `ca_file` and `ca_pem`; at least one of each that is set.
    pub fn certificates(&self) -> Result<Vec<reqwest::Certificate>, EndpointError> {
        let mut certificates = Vec::new();
        if let Some(path) = &self.ca_file {
            let unusable = |source| EndpointError::ParseCaFile {
                path: path.clone(),
                source,
            };
            certificates.extend(parse(&read(path)?, unusable)?);
        }
        if let Some(Pem(pem)) = &self.ca_pem {
            certificates.extend(parse(pem, |source| EndpointError::ParseCaPem { source })?);
        }
        Ok(certificates)
    }

    /// Both bundles one after the other; empty if neither is set.
    pub(crate) fn bundle(&self) -> Result<Vec<u8>, EndpointError> {
        let mut bundle = self.ca_file.as_deref().map(read).transpose()?.unwrap_or_default();
        if let Some(Pem(pem)) = &self.ca_pem {
            bundle.push(b'\n');
            bundle.extend_from_slice(pem);
        }
        Ok(bundle)
    }

    /// The same as a file; `None` if neither is set. A bundle that is no file is written into the folder for temporary
    /// files, or into shared memory where there is no such folder.
    pub fn as_file(&self) -> Result<Option<CaFile>, EndpointError> {
        if self.ca_pem.is_none() {
            return Ok(self.ca_file.clone().map(CaFile::Given));
        }
        write(&self.bundle()?)
            .map(CaFile::Written)
            .map(Some)
            .map_err(EndpointError::WriteCaFile)
    }
}

fn read(path: &Path) -> Result<Vec<u8>, EndpointError> {
    fs::read(path).map_err(|source| EndpointError::ReadCaFile {
        path: path.to_owned(),
        source,
    })
}

/// Where a container may write although its root is read-only and nothing is mounted for temporary files.
const SHARED_MEMORY: &str = "/dev/shm";

fn write(bundle: &[u8]) -> Result<NamedTempFile, std::io::Error> {
    let mut file = match NamedTempFile::new() {
        Ok(file) => file,
        Err(error) => NamedTempFile::new_in(SHARED_MEMORY).map_err(|_| error)?,
    };
    file.write_all(bundle)?;
    Ok(file)
}

fn parse(
    pem: &[u8],
    unusable: impl Fn(Option<reqwest::Error>) -> EndpointError,
) -> Result<Vec<reqwest::Certificate>, EndpointError> {
    match reqwest::Certificate::from_pem_bundle(pem) {
        Ok(certificates) if certificates.is_empty() => Err(unusable(None)),
        Ok(certificates) => Ok(certificates),
        Err(source) => Err(unusable(Some(source))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_pem_is_refused_and_not_shown() {
        let tls = Tls {
            ca_pem: Some(Pem::new(b"a secret by mistake")),
            ..Tls::default()
        };
        let error = tls.certificates().unwrap_err();
        assert_eq!(
            error.to_string(),
            "failed to read certificates from the CA bundle of caSecret: expected PEM"
        );
        assert!(!format!("{error:?}{tls:?}").contains("mistake"));
    }

    #[test]
    fn both_bundles_become_one_file() {
        let given = write(b"given").unwrap();
        let tls = |ca_pem| Tls {
            ca_file: Some(given.path().to_owned()),
            ca_pem,
            insecure_skip_verify: false,
        };
        let alone = tls(None).as_file().unwrap().unwrap();
        assert_eq!(alone.path(), given.path());
        let both = tls(Some(Pem::new(b"more"))).as_file().unwrap().unwrap();
        assert_eq!(fs::read_to_string(both.path()).unwrap(), "given\nmore");
        let path = both.path().to_owned();
        drop(both);
        assert!(!path.exists());
        assert!(Tls::default().as_file().unwrap().is_none());
    }
}
