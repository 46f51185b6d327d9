//! The address of an HTTP API, checked once.

use std::fmt;

use url::Url;

/// An `http` or `https` address without user, query or fragment, to which paths are added.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why an address cannot be used. It never repeats the address: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// `ftp://…`, or an address without `http://` in front (`host:5000` reads as the scheme `host`).
    #[error("expected an address that begins with http:// or https://")]
    Scheme,
    /// `http://user:password@host`.
    #[error("expected an address without a user and password in it")]
    Credentials,
    /// `?…` or `#…`.
    #[error("expected an address without '?' and '#'")]
    Query,
}

impl BaseUrl {
    /// Adds path segments, each percent-encoded.
    pub fn join<'a>(&self, segments: impl IntoIterator<Item = &'a str>) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// The address itself.
    pub const fn url(&self) -> &Url {
        &self.0
    }
}

impl TryFrom<Url> for BaseUrl {
    type Error = BaseUrlError;

    fn try_from(url: Url) -> Result<Self, BaseUrlError> {
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(BaseUrlError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Query);
        }
        Ok(Self(url))
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Result<BaseUrl, BaseUrlError> {
        Url::parse(text).unwrap().try_into()
    }

    #[test]
    fn paths_are_added_with_and_without_a_trailing_slash() {
        for text in ["http://a.example/gate", "http://a.example/gate/"] {
            let url = base(text).unwrap().join(["v1", "a?b%#"]);
            assert_eq!(url.as_str(), "http://a.example/gate/v1/a%3Fb%25%23");
        }
        assert_eq!(
            base("http://a.example").unwrap().join(["v1"]).as_str(),
            "http://a.example/v1"
        );
    }

    #[test]
    fn what_is_no_plain_http_address_is_refused() {
        assert_eq!(base("ftp://a.example"), Err(BaseUrlError::Scheme));
        assert_eq!(base("a.example:5000/v3"), Err(BaseUrlError::Scheme));
        assert_eq!(base("http://user:secret@a.example"), Err(BaseUrlError::Credentials));
        assert_eq!(base("http://user@a.example"), Err(BaseUrlError::Credentials));
        assert_eq!(base("http://a.example/?token=secret"), Err(BaseUrlError::Query));
        assert_eq!(base("http://a.example/#x"), Err(BaseUrlError::Query));
    }
}
