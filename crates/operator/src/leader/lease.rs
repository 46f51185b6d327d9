//! The Lease object, read and written.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
};
use kube::{Api, Client, Error, api::PostParams};

use super::contender::{Answer, Record, Request};

/// One Lease of one namespace.
pub(super) struct Leases {
    api: Api<Lease>,
    name: String,
    /// As last read: labels and annotations are the user's.
    last: Option<Lease>,
}

impl Leases {
    pub fn new(client: Client, namespace: &str, name: &str) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            last: None,
        }
    }

    /// Sends `request`; an error is an answer that nobody knows.
    pub async fn send(&mut self, request: &Request) -> Result<Answer, Error> {
        let lease = match request {
            Request::Read => self.api.get(&self.name).await,
            Request::Create(record) => self.api.create(&PostParams::default(), &self.lease(record)).await,
            Request::Replace(record) => {
                let lease = self.lease(record);
                self.api.replace(&self.name, &PostParams::default(), &lease).await
            }
        };
        match lease {
            Ok(lease) => {
                let record = record(&lease);
                self.last = Some(lease);
                Ok(Answer::Stands(record))
            }
            Err(Error::Api(status)) if status.code == 404 && *request == Request::Read => Ok(self.absent()),
            Err(Error::Api(status)) if status.code == 404 && matches!(request, Request::Replace(_)) => {
                Ok(self.absent())
            }
            Err(Error::Api(status)) if status.code == 409 => Ok(Answer::Conflict),
            Err(error) => Err(error),
        }
    }

    fn absent(&mut self) -> Answer {
        self.last = None;
        Answer::Absent
    }

    fn lease(&self, record: &Record) -> Lease {
        let last = self.last.clone().unwrap_or_default();
        Lease {
            metadata: ObjectMeta {
                name: Some(self.name.clone()),
                resource_version: (!record.version.is_empty()).then(|| record.version.clone()),
                labels: last.metadata.labels,
                annotations: last.metadata.annotations,
                ..ObjectMeta::default()
            },
            spec: Some(LeaseSpec {
                holder_identity: Some(record.holder.clone().unwrap_or_default()),
                lease_duration_seconds: record.duration.map(seconds),
                acquire_time: record.acquired.map(MicroTime),
                renew_time: record.renewed.map(MicroTime),
                lease_transitions: Some(record.transitions),
                ..last.spec.unwrap_or_default()
            }),
        }
    }
}

fn record(lease: &Lease) -> Record {
    let spec = lease.spec.clone().unwrap_or_default();
    Record {
        holder: spec.holder_identity.filter(|holder| !holder.is_empty()),
        duration: spec
            .lease_duration_seconds
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Duration::from_secs),
        acquired: spec.acquire_time.map(|time| time.0),
        renewed: spec.renew_time.map(|time| time.0),
        transitions: spec.lease_transitions.unwrap_or_default(),
        version: lease.metadata.resource_version.clone().unwrap_or_default(),
    }
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}
