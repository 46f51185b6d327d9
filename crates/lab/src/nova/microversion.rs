//! The microversion a request asks for.

use super::Fail;
use crate::net::{Reply, Request};

const LATEST: u32 = 93;

/// The minor number: `2.90` is 90.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Microversion(pub u32);

impl Microversion {
    /// By `OpenStack-API-Version: compute 2.x` or the older header; 2.1 without either.
    pub fn of(request: &Request) -> Result<Self, Reply> {
        let modern = request
            .header("openstack-api-version")
            .and_then(|value| value.strip_prefix("compute "));
        let Some(text) = modern.or_else(|| request.header("x-openstack-nova-api-version")) else {
            return Ok(Self(1));
        };
        if text == "latest" {
            return Ok(Self(LATEST));
        }
        let malformed = || {
            let message =
                format!("API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum.");
            Fail::bad_request(message).reply()
        };
        let (major, minor) = text
            .split_once('.')
            .and_then(|(a, b)| Some((number(a)?, number(b)?)))
            .ok_or_else(malformed)?;
        if major == 2 && (1..=LATEST).contains(&minor) {
            return Ok(Self(minor));
        }
        let message = format!("Version {text} is not supported by the API. Minimum is 2.1 and maximum is 2.{LATEST}.");
        Err(announce(text, Fail::new(406, "computeFault", message).reply()))
    }

    /// Adds the headers that say which version was served.
    pub fn announce(self, reply: Reply) -> Reply {
        announce(&format!("2.{}", self.0), reply)
    }
}

fn announce(version: &str, reply: Reply) -> Reply {
    reply
        .header("OpenStack-API-Version", format!("compute {version}"))
        .header("X-OpenStack-Nova-API-Version", version)
        .header("Vary", "OpenStack-API-Version")
        .header("Vary", "X-OpenStack-Nova-API-Version")
}

/// Digits without a leading zero.
fn number(text: &str) -> Option<u32> {
    let plain = text == "0" || (!text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit()));
    if plain { text.parse().ok() } else { None }
}
