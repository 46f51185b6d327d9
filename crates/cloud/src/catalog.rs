//! Which address of a service is used: interface and region out of the token's catalog, or the setting instead.

use std::collections::BTreeSet;

use url::Url;

use crate::{
    CloudSettings, Interface,
    credentials::without_secrets,
    error::{CloudError, Service},
};

/// A service as the token's catalog has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CatalogService {
    /// Such as "compute".
    pub(crate) service_type: String,
    pub(crate) endpoints: Vec<CatalogEndpoint>,
}

/// One of its addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CatalogEndpoint {
    pub(crate) interface: String,
    pub(crate) region: Option<String>,
    pub(crate) url: String,
}

/// The address that is used for a service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChosenEndpoint {
    /// The service.
    pub service: Service,
    /// Its root.
    pub url: Url,
    /// Its region, if it came from a catalog that names regions.
    pub region: Option<String>,
    /// True if a setting gives the address, whatever the catalog says.
    pub overridden: bool,
}

impl ChosenEndpoint {
    /// The path of a resource below the root, with the API's version unless the root has one: catalogs give Nova with
    /// `/v2.1` and sometimes a project id after it, Neutron mostly without `/v2.0`.
    pub(crate) fn path(&self, resource: &str) -> String {
        let version = match self.service {
            Service::Identity => "v3",
            Service::Compute => "v2.1",
            Service::Network => "v2.0",
        };
        if self.url.path_segments().into_iter().flatten().any(is_version) {
            resource.to_owned()
        } else {
            format!("{version}/{resource}")
        }
    }

    /// The whole address of a resource.
    pub(crate) fn url_of(&self, resource: &str) -> String {
        format!(
            "{}/{}",
            without_secrets(&self.url).as_str().trim_end_matches('/'),
            self.path(resource)
        )
    }
}

fn is_version(segment: &str) -> bool {
    let Some(number) = segment.strip_prefix('v') else {
        return false;
    };
    number.starts_with(|c: char| c.is_ascii_digit()) && number.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Every region of the catalog, sorted.
pub(crate) fn regions(catalog: &[CatalogService]) -> Vec<String> {
    let all: BTreeSet<_> = catalog
        .iter()
        .flat_map(|s| &s.endpoints)
        .filter_map(|e| e.region.clone())
        .collect();
    all.into_iter().collect()
}

/// Chooses the address of `service`.
pub(crate) fn choose(
    settings: &CloudSettings,
    catalog: &[CatalogService],
    service: Service,
) -> Result<ChosenEndpoint, CloudError> {
    let (kind, setting) = match service {
        Service::Identity => ("identity", None),
        Service::Compute => ("compute", settings.compute_endpoint.as_ref()),
        Service::Network => ("network", settings.network_endpoint.as_ref()),
    };
    if let Some(url) = setting {
        return Ok(ChosenEndpoint {
            service,
            url: url.clone(),
            region: None,
            overridden: true,
        });
    }
    // The library keeps the last entry of a type, so that one is looked at.
    let entry = catalog.iter().rev().find(|entry| entry.service_type == kind);
    let all = entry.map(|entry| entry.endpoints.as_slice()).unwrap_or_default();
    let endpoint = choose_region(settings, all, service)?;
    let url = Url::parse(&endpoint.url).map_err(|_| no_endpoint(settings.interface, all, service))?;
    Ok(ChosenEndpoint {
        service,
        url,
        region: endpoint.region.clone(),
        overridden: false,
    })
}

fn choose_region<'a>(
    settings: &CloudSettings,
    all: &'a [CatalogEndpoint],
    service: Service,
) -> Result<&'a CatalogEndpoint, CloudError> {
    let wanted: &str = settings.interface.into();
    let usable: Vec<_> = all.iter().filter(|endpoint| endpoint.interface == wanted).collect();
    let Some(first) = usable.first() else {
        return Err(no_endpoint(settings.interface, all, service));
    };
    let regions: BTreeSet<_> = usable.iter().filter_map(|endpoint| endpoint.region.clone()).collect();
    let regions = || regions.iter().cloned().collect::<Vec<_>>();
    match &settings.region {
        Some(region) => usable
            .iter()
            .find(|endpoint| endpoint.region.as_ref() == Some(region))
            .copied()
            .ok_or_else(|| CloudError::NoSuchRegion {
                service,
                region: region.clone(),
                regions: regions(),
            }),
        None if regions().len() > 1 => Err(CloudError::SeveralRegions {
            service,
            regions: regions(),
        }),
        None => Ok(first),
    }
}

fn no_endpoint(interface: Interface, all: &[CatalogEndpoint], service: Service) -> CloudError {
    let shown = |endpoint: &CatalogEndpoint| match &endpoint.region {
        Some(region) => format!("{} in {region}", endpoint.interface),
        None => endpoint.interface.clone(),
    };
    let available: BTreeSet<_> = all.iter().map(shown).collect();
    CloudError::NoEndpoint {
        service,
        interface,
        available: available.into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog(endpoints: &[(&str, Option<&str>, &str)]) -> Vec<CatalogService> {
        let endpoints = endpoints
            .iter()
            .map(|(interface, region, url)| CatalogEndpoint {
                interface: (*interface).into(),
                region: region.map(Into::into),
                url: (*url).into(),
            })
            .collect();
        vec![CatalogService {
            service_type: "network".into(),
            endpoints,
        }]
    }

    const TWO_REGIONS: [(&str, Option<&str>, &str); 3] = [
        ("internal", Some("R1"), "http://internal-1"),
        ("public", Some("R1"), "http://public-1"),
        ("public", Some("R2"), "http://public-2"),
    ];

    fn chosen(settings: &CloudSettings, endpoints: &[(&str, Option<&str>, &str)]) -> Result<String, CloudError> {
        choose(settings, &catalog(endpoints), Service::Network).map(|chosen| chosen.url.to_string())
    }

    #[test]
    fn the_only_region_of_the_interface_is_taken() {
        let settings = CloudSettings {
            interface: Interface::Internal,
            ..CloudSettings::default()
        };
        assert_eq!(chosen(&settings, &TWO_REGIONS).unwrap(), "http://internal-1/");
        let settings = CloudSettings::default();
        assert_eq!(
            chosen(&settings, &[("public", None, "http://no-region")]).unwrap(),
            "http://no-region/"
        );
    }

    #[test]
    fn several_regions_and_none_chosen_is_an_error_that_lists_them() {
        let error = chosen(&CloudSettings::default(), &TWO_REGIONS).unwrap_err();
        assert!(
            matches!(&error, CloudError::SeveralRegions { regions, .. } if regions == &["R1", "R2"]),
            "{error}"
        );
        assert!(error.to_string().contains("R1, R2"), "{error}");
    }

    #[test]
    fn a_chosen_region_is_taken_or_missed_by_name() {
        let mut settings = CloudSettings {
            region: Some("R2".into()),
            ..CloudSettings::default()
        };
        assert_eq!(chosen(&settings, &TWO_REGIONS).unwrap(), "http://public-2/");
        settings.region = Some("R3".into());
        let error = chosen(&settings, &TWO_REGIONS).unwrap_err();
        assert!(
            matches!(&error, CloudError::NoSuchRegion { regions, .. } if regions == &["R1", "R2"]),
            "{error}"
        );
    }

    #[test]
    fn a_missing_interface_says_what_is_there() {
        let settings = CloudSettings {
            interface: Interface::Admin,
            ..CloudSettings::default()
        };
        let error = chosen(&settings, &TWO_REGIONS).unwrap_err().to_string();
        assert!(
            error.contains("admin") && error.contains("internal in R1, public in R1, public in R2"),
            "{error}"
        );
        assert!(chosen(&settings, &[]).unwrap_err().to_string().ends_with("it has none"));
    }

    #[test]
    fn a_setting_wins_over_the_catalog() {
        let url = Url::parse("https://neutron.example.com/networking").unwrap();
        let settings = CloudSettings {
            network_endpoint: Some(url),
            ..CloudSettings::default()
        };
        assert_eq!(
            chosen(&settings, &TWO_REGIONS).unwrap(),
            "https://neutron.example.com/networking"
        );
    }

    #[test]
    fn the_version_is_added_only_where_it_is_missing() {
        for (service, url, wanted) in [
            (Service::Network, "http://h:9696", "http://h:9696/v2.0/ports"),
            (Service::Network, "http://h:9696/", "http://h:9696/v2.0/ports"),
            (
                Service::Network,
                "http://h/networking",
                "http://h/networking/v2.0/ports",
            ),
            (Service::Network, "http://h:9696/v2.0", "http://h:9696/v2.0/ports"),
            (Service::Compute, "http://h:8774/v2.1", "http://h:8774/v2.1/ports"),
            (
                Service::Compute,
                "http://h:8774/v2.1/78a2f3",
                "http://h:8774/v2.1/78a2f3/ports",
            ),
            (Service::Compute, "http://h/vm", "http://h/vm/v2.1/ports"),
        ] {
            let chosen = ChosenEndpoint {
                service,
                url: url.parse().unwrap(),
                region: None,
                overridden: false,
            };
            assert_eq!(chosen.url_of("ports"), wanted, "{url}");
        }
    }
}
