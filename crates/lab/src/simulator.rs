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
        // The lists of versions are answered before anything gives a request its id.
        let is_root = matches!(request.path(), "" | "/");
        let with_id = |reply: Reply, names: &[&'static str]| {
            let id = self.request_id();
            names.iter().fold(reply, |reply, name| reply.header(name, id.clone()))
        };
        match self.service {
            Service::Keystone => with_id(keystone::answer(&mut state, urls, request), &["x-openstack-request-id"]),
            Service::Nova if is_root => nova::answer(&mut state, urls, request),
            Service::Nova => {
                let names = ["x-openstack-request-id", "x-compute-request-id"];
                with_id(nova::answer(&mut state, urls, request), &names)
            }
            Service::Neutron if is_root => neutron::answer(&mut state, urls, request),
            Service::Neutron => with_id(neutron::answer(&mut state, urls, request), &["X-Openstack-Request-Id"]),
            Service::Contrabass | Service::ManagementApi => contrabass::answer(&state, &urls.keystone, request),
        }
    }

    fn request_id(&self) -> String {
        let number = self.cloud.asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        format!("req-{}", ids::uuid("request", number))
    }
}
