//! A walk along every hop, saying what is found at each: Contrabass → password → Keystone → catalog → subnet → VMs →
//! ports → RabbitMQ → management API. A chain stops at its first broken hop, whose cause explains all that would follow.

mod broker;
mod judge;

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    sync::Arc,
};

use multinic_cloud::{CloudCredentials, ReadRequest, SessionInfo};
use multinic_model::{ClusterId, ProviderId, Selection, inventory::Inventory};
use strum::Display;

use crate::{Connections, PlaceError, resolve::Place};

/// A hop, in the order of the walk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Display)]
pub enum Hop {
    /// The provider's entry.
    Contrabass,
    /// Its encrypted password.
    #[strum(serialize = "password")]
    Password,
    /// The login.
    Keystone,
    /// The endpoints.
    #[strum(serialize = "catalog")]
    Catalog,
    /// The target subnet and its network's MTU.
    #[strum(serialize = "subnet")]
    Subnet,
    /// The selected servers.
    #[strum(serialize = "VMs")]
    Vms,
    /// Their ports on the subnet.
    #[strum(serialize = "ports")]
    Ports,
    /// Where changes are announced.
    #[strum(serialize = "RabbitMQ")]
    RabbitMq,
    /// Where node configs go.
    #[strum(serialize = "management API")]
    ManagementApi,
}

/// What was found at one hop.
#[derive(Clone, Debug)]
pub struct Check {
    /// Where.
    pub hop: Hop,
    /// Whose: a provider, a project, a config or a cluster.
    pub subject: String,
    /// How it is.
    pub found: Found,
}

/// How a hop is.
#[derive(Clone, Debug)]
pub enum Found {
    /// As it should be; one sentence says what is there.
    Fine(String),
    /// Usable, but something is not as the user asks.
    Finding(String),
    /// It does not work, and everything else does without it.
    Impaired {
        /// Why.
        error: Arc<dyn Error + Send + Sync>,
        /// What to do.
        hint: Option<String>,
    },
    /// Nothing beyond this hop can work.
    Broken {
        /// Why.
        error: Arc<dyn Error + Send + Sync>,
        /// What to do.
        hint: Option<String>,
    },
}

/// Walks every chain of the selections; `tell` hears of each hop as soon as it is known.
pub async fn examine(connections: &Connections, selections: &[Selection], tell: &mut (dyn FnMut(Check) + Send)) {
    let mut places: BTreeMap<Place, Vec<&Selection>> = BTreeMap::new();
    for selection in selections {
        places.entry(Place::of(selection)).or_default().push(selection);
    }
    let mut broken = false;
    for (place, selections) in &places {
        let mut walk = Walk {
            connections,
            subject: place.to_string(),
            tell,
        };
        broken |= walk.place(place, selections).await.is_none();
    }
    if !broken {
        brokers(connections, places.keys(), tell).await;
        management_api(connections, selections, tell).await;
    }
}

async fn brokers(
    connections: &Connections,
    places: impl Iterator<Item = &Place>,
    tell: &mut (dyn FnMut(Check) + Send),
) {
    let providers: BTreeSet<&ProviderId> = places.map(|place| &place.provider).collect();
    for provider in providers {
        for found in broker::examine(connections, provider).await {
            tell(Check {
                hop: Hop::RabbitMq,
                subject: format!("provider {provider}"),
                found,
            });
        }
    }
}

struct Walk<'a> {
    connections: &'a Connections,
    subject: String,
    tell: &'a mut (dyn FnMut(Check) + Send),
}

impl Walk<'_> {
    /// `None` as soon as a hop is broken.
    async fn place(&mut self, place: &Place, selections: &[&Selection]) -> Option<()> {
        let credentials = self.credentials(place).await?;
        let session = self.connections.cloud.connect(&credentials).await;
        let session = match session {
            Ok(session) => session,
            Err(error) => {
                if !judge::is_about_the_catalog(&error) {
                    return self.broken(Hop::Keystone, PlaceError::Cloud(error));
                }
                self.fine(Hop::Keystone, format!("logged in as {:?}", credentials.username));
                return self.broken(Hop::Catalog, PlaceError::Cloud(error));
            }
        };
        self.session(&session);
        let request = ReadRequest {
            subnets: selections.iter().map(|selection| selection.subnet.clone()).collect(),
            vms: selections
                .iter()
                .flat_map(|selection| selection.vms.iter().cloned())
                .collect(),
        };
        match self.connections.cloud.read(&credentials, &request).await {
            Ok(inventory) => {
                for selection in selections {
                    self.selection(selection, &inventory);
                }
                Some(())
            }
            Err(error) => self.broken(judge::hop_of(&error), PlaceError::Cloud(error)),
        }
    }

    async fn credentials(&mut self, place: &Place) -> Option<CloudCredentials> {
        let provider = match self.connections.contrabass.provider(&place.provider).await {
            Ok(provider) => provider,
            Err(error) => return self.broken(Hop::Contrabass, PlaceError::Contrabass(error)),
        };
        self.fine(
            Hop::Contrabass,
            format!(
                "{} as {:?}, domain {:?}",
                provider.keystone_url, provider.admin_id, provider.domain
            ),
        );
        match self.connections.decrypt(provider) {
            Ok(account) => {
                self.fine(Hop::Password, format!("decrypted ({})", account.scheme));
                Some(account.in_project(place))
            }
            Err(error) => self.broken(Hop::Password, error),
        }
    }

    fn session(&mut self, session: &SessionInfo) {
        let SessionInfo {
            user,
            project_name,
            roles,
            expires_at,
            compute,
            network,
            regions,
            ..
        } = session;
        self.fine(
            Hop::Keystone,
            format!(
                "logged in as {user:?} to project {project_name:?} with {}; the token lives until {expires_at}",
                judge::roles(roles)
            ),
        );
        let regions = regions.join(", ");
        self.fine(
            Hop::Catalog,
            format!(
                "Nova at {}, Neutron at {}; regions: {regions}",
                compute.url, network.url
            ),
        );
    }

    fn selection(&mut self, selection: &Selection, inventory: &Inventory) {
        for (hop, found) in judge::selection(selection, inventory) {
            (self.tell)(Check {
                hop,
                subject: selection.key.to_string(),
                found,
            });
        }
    }

    fn fine(&mut self, hop: Hop, what: String) {
        (self.tell)(Check {
            hop,
            subject: self.subject.clone(),
            found: Found::Fine(what),
        });
    }

    fn broken<T>(&mut self, hop: Hop, error: PlaceError) -> Option<T> {
        let hint = error.hint();
        let found = Found::Broken {
            error: Arc::new(error),
            hint,
        };
        (self.tell)(Check {
            hop,
            subject: self.subject.clone(),
            found,
        });
        None
    }
}

async fn management_api(connections: &Connections, selections: &[Selection], tell: &mut (dyn FnMut(Check) + Send)) {
    let clusters: BTreeSet<&ClusterId> = selections.iter().map(|selection| &selection.cluster).collect();
    for cluster in clusters {
        let found = match &connections.management_api {
            None => Found::Finding("not set: `plan` works, `sync` does not".to_owned()),
            Some(api) => match api.read_back(cluster).await {
                Ok(earlier) => Found::Fine(judge::earlier(&earlier)),
                Err(error) => {
                    let hint = Some(error.hint().to_owned());
                    Found::Broken {
                        error: Arc::new(error),
                        hint,
                    }
                }
            },
        };
        tell(Check {
            hop: Hop::ManagementApi,
            subject: format!("cluster {cluster}"),
            found,
        });
    }
}
