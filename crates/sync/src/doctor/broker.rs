//! The broker of a provider's notifications. It only accelerates, so nothing here is worse than something to look at.

use std::sync::Arc;

use multinic_model::ProviderId;
use multinic_notifications::{LinkError, LinkSettings, Probe, probe};

use super::Found;
use crate::{Connections, LinksError};

/// Names the queue, which a probe does not declare.
const INSTALLATION: &str = "doctor";

/// One finding for each virtual host; one if there is none.
pub(super) async fn examine(connections: &Connections, provider: &ProviderId) -> Vec<Found> {
    let links = match connections.links(provider, INSTALLATION).await {
        Ok(links) => links,
        Err(error) => return vec![not_known(error)],
    };
    if links.is_empty() {
        return vec![Found::Fine("not used: polling only".to_owned())];
    }
    let mut found = Vec::new();
    for link in &links {
        found.push(match probe(link).await {
            Ok(probe) => there(link, &probe),
            Err(error) => not_there(error),
        });
    }
    found
}

fn not_known(error: LinksError) -> Found {
    let hint = Some(error.hint().to_owned());
    Found::Impaired {
        error: Arc::new(error),
        hint,
    }
}

fn there(link: &LinkSettings, Probe { broker, absent }: &Probe) -> Found {
    let place = format!("{broker} as {:?}, virtual host {:?}", link.user, link.vhost);
    let mut present: Vec<&str> = link.bindings.iter().map(|binding| binding.exchange.as_str()).collect();
    present.dedup();
    present.retain(|exchange| !absent.iter().any(|one| one == exchange));
    let present = if present.is_empty() {
        "none".to_owned()
    } else {
        present.join(", ")
    };
    if absent.is_empty() {
        return Found::Fine(format!("{place}; exchanges: {present}"));
    }
    Found::Finding(format!(
        "{place}; exchanges: {present}; absent: {}: nothing was published there since the broker started \
         ([oslo_messaging_notifications] driver = messagingv2), or rabbitmq.bindings names another exchange or virtual host",
        absent.join(", ")
    ))
}

fn not_there(error: LinkError) -> Found {
    let what = match &error {
        LinkError::Unreachable { .. } | LinkError::Broken { .. } | LinkError::Cancelled { .. } => {
            "see whether the broker runs, and whether host, port and rabbitmq.tls are right"
        }
        LinkError::LoginRefused { .. } => {
            "correct rabbitMQId and rabbitMQPw in Contrabass, or rabbitmq.user and rabbitmq.password"
        }
        LinkError::Forbidden { .. } => {
            "correct rabbitmq.vhost, or grant the user what it needs there (docs/operations.md, notifications)"
        }
        LinkError::QueueMismatch { .. } => "delete the queue, or set rabbitmq.queue.name",
    };
    Found::Impaired {
        error: Arc::new(error),
        hint: Some(format!("{what}; until then changes are found by polling")),
    }
}
