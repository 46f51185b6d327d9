//! A running cloud.

use std::sync::{Arc, Mutex, atomic::AtomicU64};

use crate::{
    CloudBuilder, CloudHandle, Faults, LabError, LoggedRequest, Service,
    log::Log,
    net::{Door, Framing, Listener, Running, TooLong, bind},
    simulator::{Cloud, Simulator, Urls},
    state::State,
};

/// Contrabass, Keystone, Nova and Neutron on loopback, each on a free port, until dropped.
///
/// They run on a thread of their own: a test may pause its clock or block, and needs no runtime to start one.
#[derive(Debug)]
pub struct Lab {
    cloud: Arc<Cloud>,
    _running: Running,
}

impl Lab {
    /// Starts the services.
    pub fn start(cloud: CloudBuilder) -> Result<Self, LabError> {
        let state = State::build(cloud)?;
        let uwsgi = state.settings.uwsgi;
        let sockets = [bind()?, bind()?, bind()?, bind()?];
        let [contrabass, keystone, nova, neutron] = sockets.each_ref().map(|(_, address)| format!("http://{address}"));
        let cloud = Arc::new(Cloud {
            state: Arc::new(Mutex::new(state)),
            log: Log::default(),
            faults: Faults::default(),
            urls: Urls {
                contrabass,
                keystone,
                nova,
                neutron,
            },
            asked: AtomicU64::new(0),
        });
        let services = [Service::Contrabass, Service::Keystone, Service::Nova, Service::Neutron];
        let listeners = sockets.into_iter().zip(services).map(|((socket, _), service)| {
            let handler = Arc::new(Simulator {
                service,
                cloud: Arc::clone(&cloud),
            });
            Listener {
                socket,
                door: door(service, uwsgi),
                handler,
            }
        });
        let running = Running::start(listeners.collect())?;
        Ok(Self {
            cloud,
            _running: running,
        })
    }

    /// Contrabass, without a path: `http://127.0.0.1:…`.
    pub fn contrabass_url(&self) -> String {
        self.cloud.urls.contrabass.clone()
    }

    /// Keystone with its version: `http://127.0.0.1:…/v3`.
    pub fn keystone_url(&self) -> String {
        format!("{}/v3", self.cloud.urls.keystone)
    }

    /// Nova with its version: `http://127.0.0.1:…/v2.1`.
    pub fn nova_url(&self) -> String {
        format!("{}/v2.1", self.cloud.urls.nova)
    }

    /// Neutron without a version, as it stands in the catalog: `http://127.0.0.1:…`.
    pub fn neutron_url(&self) -> String {
        self.cloud.urls.neutron.clone()
    }

    /// Changes the cloud while it runs.
    pub fn cloud(&self) -> CloudHandle {
        CloudHandle::new(Arc::clone(&self.cloud.state))
    }

    /// Every request so far, in the order they were answered.
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.cloud.log.entries()
    }

    /// The requests to one service so far.
    pub fn requests_to(&self, service: Service) -> Vec<LoggedRequest> {
        let all = self.requests().into_iter();
        all.filter(|request| request.service == service).collect()
    }

    /// Waits until that holds of the requests so far. Without a limit of its own: the test runner has one.
    pub async fn until(&self, holds: impl FnMut(&[LoggedRequest]) -> bool) {
        self.cloud.log.until(holds).await;
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.cloud.log.clear();
    }

    /// Scripts faults.
    pub fn faults(&self) -> &Faults {
        &self.cloud.faults
    }
}

fn door(service: Service, uwsgi: bool) -> Door {
    // Both figures were measured on Debian 12's packages.
    let eventlet = Door {
        framing: Framing::KeepAlive,
        too_long: TooLong::Status414 { line: 8192 },
    };
    match service {
        Service::Keystone | Service::Nova if uwsgi => Door {
            framing: Framing::UntilClose,
            too_long: TooLong::Close { target: 65_070 },
        },
        _ => eventlet,
    }
}
