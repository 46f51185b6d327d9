//! One GET, as the OpenStack library sends it.

use std::borrow::Cow;

use http::Method;
use openstack_sdk::{
    api::{RestEndpoint, rest_endpoint_prelude::QueryParams},
    types::{ApiVersion, ServiceType},
};
use url::form_urlencoded;

use crate::{
    catalog::ChosenEndpoint,
    error::{Place, Service},
};

/// The room for filters in one request target, in characters. Neutron under eventlet refuses a target of 8,182 with an
/// empty 414, uWSGI hangs up at some 65,000, and a proxy in between often takes 8 KiB. What is left below 8,000 is for the
/// path, the fields, the page size and the marker.
pub(crate) const MAX_QUERY: usize = 7_400;

/// From this microversion on (Stein, 2019) Nova says which servers it cannot describe because their cell is down.
/// Below it leaves them out without a word, which would read as "deleted".
const COMPUTE_MICROVERSION: (u8, u8) = (2, 69);

/// What is asked of a service, whichever address it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Request {
    pub(crate) service: Service,
    /// The path below the API's version.
    pub(crate) resource: String,
    /// In the order in which it is sent. Repeated keys are ORed by Neutron.
    pub(crate) query: Vec<(&'static str, String)>,
}

impl Request {
    pub(crate) fn new(service: Service, resource: impl Into<String>) -> Self {
        Self {
            service,
            resource: resource.into(),
            query: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, key: &'static str, values: impl IntoIterator<Item = impl ToString>) -> Self {
        self.query
            .extend(values.into_iter().map(|value| (key, value.to_string())));
        self
    }

    pub(crate) fn place(&self, endpoint: &ChosenEndpoint) -> Place {
        Place {
            service: self.service,
            method: "GET",
            url: endpoint.url_of(&self.resource),
        }
    }
}

/// The length of `key=value&` in a query.
pub(crate) fn encoded_len(key: &str, value: &str) -> usize {
    form_urlencoded::Serializer::new(String::new())
        .append_pair(key, value)
        .finish()
        .len()
        + 1
}

/// Splits `values` so that no part is longer than `room` characters as `key=value&…`, and none has more than `most`.
pub(crate) fn chunks<T: ToString>(
    key: &str,
    values: impl IntoIterator<Item = T>,
    room: usize,
    most: usize,
) -> Vec<Vec<T>> {
    let mut chunks: Vec<Vec<T>> = Vec::new();
    let mut left = 0;
    for value in values {
        let length = encoded_len(key, &value.to_string());
        match chunks.last_mut() {
            Some(chunk) if length <= left && chunk.len() < most => {
                chunk.push(value);
                left -= length;
            }
            _ => {
                chunks.push(vec![value]);
                left = room.saturating_sub(length);
            }
        }
    }
    chunks
}

/// A request together with the address it goes to.
pub(crate) struct Addressed<'a> {
    pub(crate) request: &'a Request,
    pub(crate) endpoint: &'a ChosenEndpoint,
}

impl RestEndpoint for Addressed<'_> {
    fn method(&self) -> Method {
        Method::GET
    }

    fn endpoint(&self) -> Cow<'static, str> {
        self.endpoint.path(&self.request.resource).into()
    }

    fn service_type(&self) -> ServiceType {
        match self.request.service {
            Service::Identity => ServiceType::Identity,
            Service::Compute => ServiceType::Compute,
            Service::Network => ServiceType::Network,
        }
    }

    fn parameters(&self) -> QueryParams<'_> {
        let mut parameters = QueryParams::default();
        for (key, value) in &self.request.query {
            parameters.push(*key, value);
        }
        parameters
    }

    fn api_version(&self) -> Option<ApiVersion> {
        None
    }

    fn min_version(&self) -> Option<ApiVersion> {
        (self.request.service == Service::Compute).then(|| COMPUTE_MICROVERSION.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_hundred_servers_fit_beside_forty_subnets() {
        let uuid = "00000000-0000-0000-0000-000000000000";
        let used = 100 * encoded_len("device_id", uuid) + 40 * encoded_len("fixed_ips", &format!("subnet_id={uuid}"));
        assert!(used < MAX_QUERY, "{used}");
    }

    proptest! {
        #[test]
        fn chunks_keep_every_value_in_order_and_stay_in_their_room(
            values in prop::collection::vec("\\PC{0,40}", 0..200), room in 200..2000_usize, most in 1..150_usize,
        ) {
            let chunks = chunks("name", values.clone(), room, most);
            prop_assert_eq!(chunks.concat(), values);
            for chunk in chunks {
                let length: usize = chunk.iter().map(|value| encoded_len("name", value)).sum();
                prop_assert!(length <= room || chunk.len() == 1);
                prop_assert!(!chunk.is_empty() && chunk.len() <= most);
            }
        }
    }
}
