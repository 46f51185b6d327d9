//! What a request may touch: its cluster, once the token allows it.

use std::marker::PhantomData;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use multinic_model::{ClusterId, NodeName};

use super::{
    caller::{Caller, Role},
    credential::{Authenticated, Credential},
};
use crate::http::{App, Fault, Problem};

/// Something that a role allows or does not.
pub trait Permission: Send {
    /// Whether the role allows it.
    fn allows(role: Role) -> bool;
}

/// Reading everything of a cluster.
#[derive(Debug)]
pub struct Read;

/// Reading single nodes.
#[derive(Debug)]
pub struct ReadNode;

/// Changing node configs.
#[derive(Debug)]
pub struct Write;

/// Reporting a node's status.
#[derive(Debug)]
pub struct Report;

impl Permission for Read {
    fn allows(role: Role) -> bool {
        role != Role::Agent
    }
}

impl Permission for ReadNode {
    fn allows(_: Role) -> bool {
        true
    }
}

impl Permission for Write {
    fn allows(role: Role) -> bool {
        role == Role::Operator
    }
}

impl Permission for Report {
    fn allows(role: Role) -> bool {
        role != Role::Viewer
    }
}

/// The cluster of the header `x-provider-id`, for which the caller has the permission.
#[derive(Debug)]
pub struct Scope<P> {
    /// The cluster.
    pub cluster: ClusterId,
    /// Who asks.
    pub caller: Caller,
    credential: Credential,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequestParts<App> for Scope<P> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Authenticated { caller, credential } = Authenticated::from_request_parts(parts, app).await?;
        let cluster = cluster(&parts.headers)?;
        if !P::allows(caller.role) {
            return Err(Problem::forbidden(format!(
                "the role of {:?} does not allow this",
                caller.name
            )));
        }
        caller.check_provider(&cluster)?;
        Ok(Self {
            cluster,
            caller,
            credential,
            permission: PhantomData,
        })
    }
}

impl<P> Scope<P> {
    /// Who asks, to be looked at again later.
    pub(crate) fn who(&self) -> Authenticated {
        Authenticated {
            caller: self.caller.clone(),
            credential: self.credential.clone(),
        }
    }

    /// The node of that name, if the caller may touch it.
    pub fn node(&self, name: &str) -> Result<NodeName, Problem> {
        let parsed = name.parse::<NodeName>();
        let node = parsed.map_err(|error| Problem::bad(Fault::new("nodeName", error.to_string()).found(name)))?;
        if self.caller.nodes.includes(&node) {
            Ok(node)
        } else {
            Err(Problem::forbidden(format!(
                "{:?} is not allowed for the node {node}",
                self.caller.name
            )))
        }
    }
}

impl Caller {
    /// Fails if the caller has nothing to do with the cluster.
    pub(crate) fn check_provider(&self, cluster: &ClusterId) -> Result<(), Problem> {
        if self.providers.includes(cluster) {
            Ok(())
        } else {
            Err(Problem::forbidden(format!(
                "{:?} is not allowed for the provider {cluster}",
                self.name
            )))
        }
    }
}

fn cluster(headers: &HeaderMap) -> Result<ClusterId, Problem> {
    const NAME: &str = "x-provider-id";
    const ALLOWED: &str = "1 to 128 visible ASCII characters without '/'";
    let mut values = headers.get_all(NAME).iter();
    let fault = |detail: &str| Fault::new(NAME, detail).allowed(ALLOWED);
    let Some(value) = values.next() else {
        return Err(Problem::bad(fault("the header is missing")));
    };
    if values.next().is_some() {
        return Err(Problem::bad(fault("the header came twice")));
    }
    let text = String::from_utf8_lossy(value.as_bytes());
    text.parse()
        .map_err(|_| Problem::bad(fault("this cannot be a cluster's id").found(&text)))
}
