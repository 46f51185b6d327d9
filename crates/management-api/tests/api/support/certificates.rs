//! Authorities and certificates, made for one test.

use std::{fs, os::unix::fs::symlink, path::PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    SanType, date_time_ymd,
};
use tempfile::TempDir;

/// Somebody who signs.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, both PEM.
#[derive(Clone, Debug)]
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// For a server on 127.0.0.1.
    pub fn server(&self) -> Pair {
        self.sign(&CertificateParams::new(["127.0.0.1".to_owned()]).unwrap())
    }

    /// For a client that is called so.
    pub fn client(&self, common_names: &[&str], names: Vec<SanType>) -> Pair {
        self.sign(&client(common_names, names))
    }

    /// For a client, but it expired in 2001.
    pub fn expired_client(&self, common_name: &str) -> Pair {
        let mut params = client(&[common_name], Vec::new());
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        Pair {
            certificate: params.signed_by(&key, &self.issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }

    /// A client that trusts this authority and nobody else, and shows the certificate.
    pub fn trusted_by(&self, shown: Option<&Pair>) -> reqwest::Client {
        let root = reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap();
        let builder = reqwest::Client::builder().no_proxy().tls_certs_only([root]);
        let identity = |pair: &Pair| {
            let pem = format!("{}{}", pair.certificate, pair.key);
            reqwest::Identity::from_pem(pem.as_bytes()).unwrap()
        };
        let builder = shown
            .into_iter()
            .fold(builder, |builder, pair| builder.identity(identity(pair)));
        builder.build().unwrap()
    }
}

fn client(common_names: &[&str], names: Vec<SanType>) -> CertificateParams {
    let mut params = CertificateParams::new([]).unwrap();
    let mut subject = DistinguishedName::new();
    for name in common_names {
        subject.push(DnType::CommonName, *name);
    }
    params.distinguished_name = subject;
    params.subject_alt_names = names;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// A mounted Secret: files behind a symlink that is swapped.
#[derive(Debug)]
pub struct Mounted {
    folder: TempDir,
    version: usize,
}

impl Mounted {
    pub fn new(pair: &Pair, client_ca: &str) -> Self {
        let mut mounted = Self {
            folder: tempfile::tempdir().unwrap(),
            version: 0,
        };
        mounted.swap(pair, client_ca);
        for file in ["tls.crt", "tls.key", "ca.crt"] {
            let link = mounted.folder.path().join(file);
            symlink(PathBuf::from("..data").join(file), link).unwrap();
        }
        mounted
    }

    /// As the kubelet does it: another folder, then the symlink in one step.
    pub fn swap(&mut self, pair: &Pair, client_ca: &str) {
        self.version += 1;
        let folder = self.folder.path();
        let version = folder.join(format!("..{}", self.version));
        fs::create_dir(&version).unwrap();
        for (file, text) in [
            ("tls.crt", &pair.certificate),
            ("tls.key", &pair.key),
            ("ca.crt", &client_ca.to_owned()),
        ] {
            fs::write(version.join(file), text).unwrap();
        }
        symlink(&version, folder.join("..data_tmp")).unwrap();
        fs::rename(folder.join("..data_tmp"), folder.join("..data")).unwrap();
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }
}
