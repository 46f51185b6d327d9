//! What Nova says of a server: unversioned (flat, `instance_id`) or versioned (`uuid`, within `nova_object.data`).

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{event::Look, raw};
use crate::{Hint, ServerHint};

/// What is read of either format.
#[derive(Deserialize)]
struct Server<'a> {
    #[serde(borrow, rename = "nova_object.data")]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    uuid: Option<&'a RawValue>,
    #[serde(borrow)]
    instance_id: Option<&'a RawValue>,
    #[serde(borrow)]
    tenant_id: Option<&'a RawValue>,
    #[serde(borrow)]
    display_name: Option<&'a RawValue>,
}

/// The hint, if the payload has the server's id.
pub(super) fn server(payload: Option<&RawValue>, look: Look, gone: bool) -> Option<Hint> {
    let mut server: Server<'_> = raw::read(payload)?;
    if let Some(data) = server.data {
        server = raw::read(Some(data))?;
    }
    Some(Hint::Server(ServerHint {
        instance: raw::parse(server.uuid.or(server.instance_id))?,
        project: raw::parse(server.tenant_id),
        name: raw::text(server.display_name),
        server: look.server,
        ports: look.ports,
        gone,
        detached: look.detached,
    }))
}
