//! The one way in which anything is asked: budget, send, count, judge, repeat.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;
use http::{Response, StatusCode};
use multinic_transport::retry_after;
use openstack_sdk::{
    RestError,
    api::{ApiError, QueryAsync, raw},
};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::{
    CloudCredentials,
    catalog::ChosenEndpoint,
    error::{CloudError, Place, Service},
    login::SessionInfo,
    message::message,
    request::{Addressed, Request},
    retry::{Cause, Retry},
    session::{Live, Sessions},
};

/// One project's services, for as long as one reading lasts.
pub(crate) struct Access<'a> {
    pub(crate) sessions: &'a Sessions,
    pub(crate) credentials: &'a CloudCredentials,
    live: Mutex<Arc<Live>>,
}

impl<'a> Access<'a> {
    /// Logs in, unless a session is at hand.
    pub(crate) async fn open(sessions: &'a Sessions, credentials: &'a CloudCredentials) -> Result<Self, CloudError> {
        let live = sessions.get(credentials, None).await?;
        Ok(Self {
            sessions,
            credentials,
            live: Mutex::new(live),
        })
    }

    pub(crate) fn info(&self) -> SessionInfo {
        self.live().login.info.clone()
    }

    /// Where a request goes.
    pub(crate) fn place(&self, request: &Request) -> Place {
        request.place(endpoint_of(&self.live().login.info, request.service))
    }

    /// Asks until there is an answer of type `T`, an error that stays, or no patience left.
    pub(crate) async fn get<T: DeserializeOwned>(&self, request: &Request) -> Result<T, CloudError> {
        let (start, mut retry) = (Instant::now(), Retry::new(self.sessions.settings.retry));
        let mut renewed = false;
        loop {
            let live = self.live();
            let error = match self.once(&live, request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match self.verdict(error, renewed)? {
                None => {
                    self.renew(&live).await?;
                    renewed = true;
                }
                Some((cause, error)) => {
                    let wait = retry.next(cause, start.elapsed(), rand::random()).ok_or(error)?;
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// What to do about a failure: `None` to renew the token, a cause to wait, or the error itself.
    fn verdict(&self, error: CloudError, renewed: bool) -> Result<Option<(Cause, CloudError)>, CloudError> {
        if let CloudError::Status {
            place,
            status: StatusCode::UNAUTHORIZED,
            message,
            ..
        } = error
        {
            return if renewed {
                Err(CloudError::TokenRefused { place, message })
            } else {
                Ok(None)
            };
        }
        let Some(cause) = error.cause() else { return Err(error) };
        if let (Cause::Busy(Some(wait)), CloudError::Status { place, .. }) = (cause, &error) {
            self.sessions.budget.hold(
                &self.credentials.provider,
                place.service,
                wait.min(self.sessions.settings.retry.budget),
            );
        }
        Ok(Some((cause, error)))
    }

    async fn renew(&self, refused: &Live) -> Result<(), CloudError> {
        let live = self.sessions.get(self.credentials, Some(refused.generation)).await?;
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = live;
        Ok(())
    }

    fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn once<T: DeserializeOwned>(&self, live: &Live, request: &Request) -> Result<T, CloudError> {
        let budget = &self.sessions.budget;
        budget.turn(&self.credentials.provider, request.service).await;
        let endpoint = endpoint_of(&live.login.info, request.service);
        let place = request.place(endpoint);
        let start = Instant::now();
        let query = raw(Addressed { request, endpoint }).skip_error_check(true);
        let result: Result<Response<Bytes>, _> = query.query_async(&live.login.openstack).await;
        let status = result.as_ref().ok().map(Response::status);
        budget.count(request.service, status);
        tracing::debug!(
            service = %request.service,
            method = place.method,
            path = place.url,
            status = status.map(|status| status.as_u16()),
            elapsed_ms = start.elapsed().as_millis(),
            "request"
        );
        match result {
            Ok(response) => judge(place, &response),
            Err(error) => Err(sending_error(place, error)),
        }
    }
}

fn endpoint_of(info: &SessionInfo, service: Service) -> &ChosenEndpoint {
    match service {
        Service::Identity => &info.identity,
        Service::Compute => &info.compute,
        Service::Network => &info.network,
    }
}

/// An answer counts only when its status says so and all of its JSON is there, the expected key included.
fn judge<T: DeserializeOwned>(place: Place, response: &Response<Bytes>) -> Result<T, CloudError> {
    let (status, body) = (response.status(), response.body());
    if !status.is_success() {
        let request_id = response
            .headers()
            .get("x-openstack-request-id")
            .and_then(|id| id.to_str().ok());
        return Err(CloudError::Status {
            place,
            status,
            message: message(body),
            request_id: request_id.map(str::to_owned),
            retry_after: retry_after(response.headers(), SystemTime::now()),
        });
    }
    serde_json::from_slice(body).map_err(|error| {
        if error.is_eof() {
            CloudError::Truncated {
                place,
                bytes: body.len(),
            }
        } else {
            CloudError::Body {
                place,
                source: Arc::new(error),
            }
        }
    })
}

fn sending_error(place: Place, error: ApiError<RestError>) -> CloudError {
    match error {
        ApiError::Client {
            source: RestError::Communication { source },
        } => transport_error(place, source),
        other => CloudError::Session {
            place,
            message: other.to_string(),
        },
    }
}

/// What the HTTP client says, without the URL: it would repeat a query of thousands of characters.
pub(crate) fn transport_error(place: Place, error: reqwest::Error) -> CloudError {
    let source = Arc::new(error.without_url());
    if source.is_connect() {
        CloudError::Connect { place, source }
    } else if source.is_timeout() {
        CloudError::Timeout { place, source }
    } else {
        CloudError::Broken { place, source }
    }
}
