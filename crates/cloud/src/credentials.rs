//! Who logs in where, without ever showing the password.

use std::fmt;

use multinic_model::{ProjectId, ProviderId};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;
use uuid::Uuid;

/// What a login to one project needs.
#[derive(Clone)]
pub struct CloudCredentials {
    /// The OpenStack installation.
    pub provider: ProviderId,
    /// The project that is read; the token is scoped to it.
    pub project: ProjectId,
    /// Keystone, with or without `/v3`.
    pub auth_url: Url,
    /// The user's name.
    pub username: String,
    /// Their password.
    pub password: SecretString,
    /// The user's domain: sent as an id if it is `default` or looks like a generated id, else as a name.
    pub domain: String,
}

impl CloudCredentials {
    /// Changes whenever anything of the credentials changes.
    pub fn fingerprint(&self) -> Fingerprint {
        self.digest(&[&self.project.to_string()])
    }

    /// Changes whenever the user or the password changes, whatever the project: Keystone counts failures per user.
    pub(crate) fn user_fingerprint(&self) -> Fingerprint {
        self.digest(&[])
    }

    fn digest(&self, more: &[&str]) -> Fingerprint {
        let own = [
            self.auth_url.as_str(),
            &self.username,
            &self.domain,
            self.password.expose_secret(),
        ];
        let mut hash = Sha256::new();
        for part in own.iter().chain(more) {
            // The length first, so that no two lists of parts give the same bytes.
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        Fingerprint(hash.finalize().into())
    }

    /// Keystone's v3 root with a slash at its end. Both `http://keystone:5000` and `http://keystone:5000/v3` are met in
    /// the field; what stands before a version stays, as in `https://cloud.example.com/identity/v3`.
    pub(crate) fn identity_url(&self) -> Url {
        let mut url = without_secrets(&self.auth_url);
        let path = url.path().trim_end_matches('/');
        let path = path
            .strip_suffix("/v3")
            .or_else(|| path.strip_suffix("/v2.0"))
            .unwrap_or(path);
        let path = format!("{path}/v3/");
        url.set_path(&path);
        url
    }

    pub(crate) fn domain(&self) -> Domain<'_> {
        Domain::from(self.domain.as_str())
    }
}

/// A URL as it may be shown: without user, password, query and fragment.
pub(crate) fn without_secrets(url: &Url) -> Url {
    let mut url = url.clone();
    // They fail only for URLs that can have neither, such as `mailto:`.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url
}

impl fmt::Debug for CloudCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudCredentials")
            .field("provider", &self.provider)
            .field("project", &self.project)
            .field("auth_url", &without_secrets(&self.auth_url).as_str())
            .field("username", &self.username)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// Tells two sets of credentials apart without keeping them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl fmt::Debug for Fingerprint {
    /// Says nothing: a hash of a weak password can be guessed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

/// How the domain is sent. Contrabass gives an id in one installation and a name in another; only one of them can be
/// tried, because a login that fails for its domain counts like a wrong password.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Domain<'a> {
    /// `default`, the id of Keystone's first domain, and everything that looks like a generated id.
    Id(&'a str),
    /// The rest, `Default` among them: a name in Keystone, where an id of that spelling does not exist.
    Name(&'a str),
}

impl<'a> From<&'a str> for Domain<'a> {
    fn from(text: &'a str) -> Self {
        let generated = matches!(text.len(), 32 | 36) && Uuid::try_parse(text).is_ok();
        match text {
            "default" => Self::Id(text),
            _ if generated => Self::Id(text),
            _ => Self::Name(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(auth_url: &str) -> CloudCredentials {
        CloudCredentials {
            provider: "p".parse().unwrap(),
            project: "78a2f3e60d12415a8072d838bd7fcfcd".parse().unwrap(),
            auth_url: auth_url.parse().unwrap(),
            username: "admin".into(),
            password: "s3cret-of-ours".into(),
            domain: "default".into(),
        }
    }

    #[test]
    fn the_identity_url_ends_with_v3_whatever_was_given() {
        for (given, wanted) in [
            ("http://keystone:5000", "http://keystone:5000/v3/"),
            ("http://keystone:5000/", "http://keystone:5000/v3/"),
            ("http://keystone:5000/v3", "http://keystone:5000/v3/"),
            ("http://keystone:5000/v3/", "http://keystone:5000/v3/"),
            ("http://keystone:5000/v2.0", "http://keystone:5000/v3/"),
            (
                "https://cloud.example.com/identity",
                "https://cloud.example.com/identity/v3/",
            ),
            (
                "https://u:p@cloud.example.com/identity/v3?x=1",
                "https://cloud.example.com/identity/v3/",
            ),
        ] {
            assert_eq!(credentials(given).identity_url().as_str(), wanted, "{given}");
        }
    }

    #[test]
    fn a_domain_is_an_id_only_when_it_looks_like_one() {
        assert_eq!(Domain::from("default"), Domain::Id("default"));
        assert_eq!(Domain::from("Default"), Domain::Name("Default"));
        assert_eq!(Domain::from("acme"), Domain::Name("acme"));
        let generated = "78a2f3e60d12415a8072d838bd7fcfcd";
        assert_eq!(Domain::from(generated), Domain::Id(generated));
    }

    #[test]
    fn the_fingerprint_follows_every_part() {
        let base = credentials("http://keystone:5000");
        let others: [fn(&mut CloudCredentials); 5] = [
            |c| c.password = "another".into(),
            |c| c.username = "root".into(),
            |c| c.domain = "Default".into(),
            |c| c.auth_url = "http://keystone:5001".parse().unwrap(),
            |c| c.project = "00000000000000000000000000000001".parse().unwrap(),
        ];
        for change in others {
            let mut other = base.clone();
            change(&mut other);
            assert_ne!(base.fingerprint(), other.fingerprint(), "{other:?}");
        }
        assert_eq!(base.fingerprint(), base.clone().fingerprint());
    }

    #[test]
    fn debug_shows_neither_password_nor_fingerprint() {
        let credentials = credentials("http://user:in-the-url@keystone:5000/v3");
        let shown = format!("{credentials:?} {:?}", credentials.fingerprint());
        assert!(
            !shown.contains("s3cret-of-ours") && !shown.contains("in-the-url"),
            "{shown}"
        );
    }
}
