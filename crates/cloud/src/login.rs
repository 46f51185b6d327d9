//! One login: from credentials to a session of the OpenStack library with a token and a checked catalog.
//!
//! Every login makes a new session. The library could renew the token of an old one, but it would first exchange the
//! old token for a new one, and Keystone gives such a token the *old* expiry.

use std::{error::Error, path::Path, sync::Arc};

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use multinic_model::ProjectId;
use multinic_transport::CaFile;
use openstack_sdk::{
    AsyncOpenStack, AuthError, OpenStackError,
    config::{Auth, CloudConfig},
};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    CloudCredentials, CloudSettings,
    catalog::{CatalogEndpoint, CatalogService, ChosenEndpoint, choose, regions},
    credentials::Domain,
    error::{CloudError, Place, Service},
    execute::transport_error,
    message::message,
};

/// What a login says about itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionInfo {
    /// The user's name as Keystone has it.
    pub user: String,
    /// The project the token is scoped to.
    pub project: ProjectId,
    /// Its name.
    pub project_name: String,
    /// The user's roles on the project, sorted.
    pub roles: Vec<String>,
    /// When the token expires, by Keystone's clock.
    pub expires_at: Timestamp,
    /// All regions of the catalog, sorted.
    pub regions: Vec<String>,
    /// Keystone as it was asked.
    pub identity: ChosenEndpoint,
    /// Nova as it will be asked.
    pub compute: ChosenEndpoint,
    /// Neutron as it will be asked.
    pub network: ChosenEndpoint,
}

/// A token with all that belongs to it.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) openstack: AsyncOpenStack,
    pub(crate) info: SessionInfo,
    /// How long the token is valid. Counted from Keystone's own two times, since our clock may differ from its clock.
    pub(crate) lifetime: SignedDuration,
}

/// Where a login goes.
pub(crate) fn place(credentials: &CloudCredentials) -> Place {
    let url = format!("{}auth/tokens", credentials.identity_url());
    Place {
        service: Service::Identity,
        method: "POST",
        url,
    }
}

/// Logs in with exactly one request: the version is known (v3), so nothing is discovered.
pub(crate) async fn login(
    settings: &CloudSettings,
    credentials: &CloudCredentials,
    now: Timestamp,
) -> Result<Login, CloudError> {
    // The library would say less about a bad file.
    settings
        .endpoint
        .tls
        .certificates()
        .map_err(|error| CloudError::Endpoint(Arc::new(error)))?;
    let ca_file = settings.endpoint.tls.as_file();
    let ca_file = ca_file.map_err(|error| CloudError::Endpoint(Arc::new(error)))?;
    let ca_path = ca_file.as_ref().map(CaFile::path);
    let config = config(settings, credentials, ca_path).map_err(|error| session_error(credentials, &error))?;
    let timeout = settings.endpoint.timeout;
    let openstack = AsyncOpenStack::builder(&config)
        .disable_auth_cache(true)
        .max_auth_retries(0)
        .http_timeout(timeout)
        .http_connect_timeout(timeout.min(std::time::Duration::from_secs(10)))
        .connect()
        .await
        .map_err(|error| failure(credentials, error))?;
    describe(settings, credentials, openstack, now)
}

/// The library's configuration. Its options can be set only through serde; no secret passes there.
fn config(
    settings: &CloudSettings,
    credentials: &CloudCredentials,
    ca_file: Option<&Path>,
) -> Result<CloudConfig, serde_json::Error> {
    let identity = credentials.identity_url();
    let mut options = json!({"identity_skip_discovery": true, "identity_endpoint_override": identity.as_str()});
    for (service, url) in [
        ("compute", &settings.compute_endpoint),
        ("network", &settings.network_endpoint),
    ] {
        if let (Some(url), Some(options)) = (url, options.as_object_mut()) {
            options.insert(format!("{service}_endpoint_override"), url.as_str().into());
        }
    }
    let mut config: CloudConfig = serde_json::from_value(options)?;
    config.auth = Some(auth(credentials));
    config.auth_type = Some("password".to_owned());
    config.auth_cache = Some(false);
    config.interface = Some(settings.interface.to_string());
    config.region_name.clone_from(&settings.region);
    config.cacert = ca_file.map(|path| path.to_string_lossy().into_owned());
    config.verify = Some(!settings.endpoint.tls.insecure_skip_verify);
    Ok(config)
}

fn auth(credentials: &CloudCredentials) -> Auth {
    let mut auth = Auth {
        auth_url: Some(credentials.identity_url().into()),
        username: Some(credentials.username.clone()),
        password: Some(credentials.password.clone()),
        project_id: Some(credentials.project.to_string()),
        ..Auth::default()
    };
    match credentials.domain() {
        Domain::Id(id) => auth.user_domain_id = Some(id.to_owned()),
        Domain::Name(name) => auth.user_domain_name = Some(name.to_owned()),
    }
    auth
}

fn describe(
    settings: &CloudSettings,
    credentials: &CloudCredentials,
    openstack: AsyncOpenStack,
    now: Timestamp,
) -> Result<Login, CloudError> {
    let token = openstack
        .get_auth_info()
        .ok_or_else(|| session_error(credentials, &"no token information"))?
        .token;
    let asked = credentials.project;
    let project = token.project.unwrap_or_default();
    // The first half of the scope check: everything below is asked for with this token.
    if project.id.as_deref().and_then(|id| id.parse().ok()) != Some(asked) {
        return Err(CloudError::WrongProject {
            asked,
            got: project.id.unwrap_or_default(),
        });
    }
    let catalog: Vec<_> = token
        .catalog
        .unwrap_or_default()
        .into_iter()
        .map(|service| CatalogService {
            service_type: service.service_type,
            endpoints: service
                .endpoints
                .into_iter()
                .map(|endpoint| CatalogEndpoint {
                    interface: endpoint.interface,
                    region: endpoint.region,
                    url: endpoint.url,
                })
                .collect(),
        })
        .collect();
    let expires_at = Timestamp::from_second(token.expires_at.timestamp()).unwrap_or(now);
    let issued_at = token
        .issued_at
        .and_then(|time| Timestamp::from_second(time.timestamp()).ok())
        .unwrap_or(now);
    let mut roles: Vec<_> = token
        .roles
        .unwrap_or_default()
        .into_iter()
        .map(|role| role.name)
        .collect();
    roles.sort();
    let info = SessionInfo {
        user: token.user.name,
        project: asked,
        project_name: project.name.unwrap_or_default(),
        roles,
        expires_at,
        regions: regions(&catalog),
        identity: ChosenEndpoint {
            service: Service::Identity,
            url: credentials.identity_url(),
            region: None,
            overridden: false,
        },
        compute: choose(settings, &catalog, Service::Compute)?,
        network: choose(settings, &catalog, Service::Network)?,
    };
    Ok(Login {
        openstack,
        info,
        lifetime: expires_at.duration_since(issued_at),
    })
}

fn failure(credentials: &CloudCredentials, error: OpenStackError) -> CloudError {
    match error {
        OpenStackError::AuthError { source } => auth_failure(credentials, source),
        OpenStackError::Communication { source } => transport_error(place(credentials), source),
        other => session_error(credentials, &other),
    }
}

fn auth_failure(credentials: &CloudCredentials, error: AuthError) -> CloudError {
    match error {
        AuthError::Identity(error) => refusal(credentials, error.code.try_into().unwrap_or(0), &error.message),
        AuthError::UnknownAuth { code, message: body } => {
            refusal(credentials, code, &message(body.unwrap_or_default().as_bytes()))
        }
        AuthError::AuthReceipt(_) => refusal(credentials, 401, "more than a password is asked for"),
        AuthError::Reqwest { source } if source.is_decode() => undecoded(credentials, source),
        AuthError::Reqwest { source } => transport_error(place(credentials), source),
        other => session_error(credentials, &other),
    }
}

/// JSON that ends too early, or a body that could not be read at all, may well be whole the next time.
fn undecoded(credentials: &CloudCredentials, error: reqwest::Error) -> CloudError {
    let json = error
        .source()
        .and_then(|source| source.downcast_ref::<serde_json::Error>());
    if json.is_none_or(serde_json::Error::is_eof) {
        return transport_error(place(credentials), error);
    }
    CloudError::Body {
        place: place(credentials),
        source: Arc::new(error.without_url()),
    }
}

/// Keystone's words without the password, should it repeat it.
fn redact(credentials: &CloudCredentials, text: &str) -> String {
    match credentials.password.expose_secret() {
        "" => text.to_owned(),
        password => text.replace(password, "[password]"),
    }
}

fn refusal(credentials: &CloudCredentials, code: u16, message: &str) -> CloudError {
    let message = redact(credentials, message);
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => CloudError::Login {
            auth_url: credentials.identity_url().into(),
            username: credentials.username.clone(),
            project: credentials.project,
            status,
            message,
        },
        // The library drops the headers of a failed login.
        _ => CloudError::Status {
            place: place(credentials),
            status,
            message,
            request_id: None,
            retry_after: None,
        },
    }
}

fn session_error(credentials: &CloudCredentials, message: &dyn std::fmt::Display) -> CloudError {
    CloudError::Session {
        place: place(credentials),
        message: redact(credentials, &message.to_string()),
    }
}
