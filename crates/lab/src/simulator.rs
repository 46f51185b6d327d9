//! One service of the cloud: faults first, then the service, then the log.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    Service, contrabass,
    fault::{self, Fault, Faults},
    ids, keystone,
    log::Log,
    net::{Answer, Handler, Reply, Request},
    neutron, nova,
    state::State,
};

/// Where the services listen; without a trailing slash or version.
#[derive(Clone, Debug)]
pub(crate) struct Urls {
    pub contrabass: String,
    pub keystone: String,
    pub nova: String,
    pub neutron: String,
}

/// What the four services share.
#[derive(Debug)]
pub(crate) struct Cloud {
    pub state: Arc<Mutex<State>>,
    pub log: Log,
    pub faults: Faults,
    pub urls: Urls,
    /// Counts requests, for their ids.
    pub asked: std::sync::atomic::AtomicU64,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Simulator {
    pub service: Service,
    pub cloud: Arc<Cloud>,
}

impl Handler for Simulator {
    fn answer(&self, request: &Request) -> Answer {
        let faults = self.cloud.faults.strike(self.service, request);
        if faults.iter().any(|fault| matches!(fault, Fault::ExpireToken)) {
            self.expire_token(request);
        }
        let answer = fault::answer(&faults, request, |request| self.serve(request));
        self.cloud
            .log
            .record(self.service, request, &answer, !faults.is_empty());
        answer
    }
}

impl Simulator {
    fn expire_token(&self, request: &Request) {
        // Without a token there is nothing to expire: the service refuses the request anyway.
        if let Some(token) = request.header("x-auth-token") {
            self.cloud
                .state
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .identity
                .expire(Some(token));
        }
    }

    fn serve(&self, request: &Request) -> Reply {
        let mut state = self.cloud.state.lock().unwrap_or_else(PoisonError::into_inner);
        let urls = &self.cloud.urls;
        match self.service {
            Service::Keystone => {
                keystone::answer(&mut state, urls, request).header("x-openstack-request-id", self.request_id())
            }
            Service::Nova => {
                let id = self.request_id();
                let reply = nova::answer(&mut state, urls, request).header("x-openstack-request-id", id.clone());
                reply.header("x-compute-request-id", id)
            }
            Service::Neutron => {
                neutron::answer(&mut state, urls, request).header("X-Openstack-Request-Id", self.request_id())
            }
            Service::Contrabass | Service::ManagementApi => contrabass::answer(&state, &urls.keystone, request),
        }
    }

    fn request_id(&self) -> String {
        let number = self.cloud.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        format!("req-{}", ids::uuid("request", number))
    }
}
