//! The resolve step: from configs to the credentials of every place they name.

use std::{collections::BTreeMap, sync::Arc};

use futures::future::join_all;
use multinic_cloud::CloudCredentials;
use multinic_model::{ClusterId, ConfigKey, ProjectId, ProviderId, Selection};
use multinic_planner::Claim;

use crate::{
    Connections, PlaceError,
    observer::{Observer, Step},
};

/// A config as the pass gets it.
#[derive(Clone, Debug)]
pub enum Config {
    /// It exists.
    Present {
        /// What it asks for.
        selection: Selection,
        /// The nodes it is known to have delivered.
        delivered: Vec<Claim>,
        /// Its spec changed since then.
        changed: bool,
    },
    /// It exists but cannot be read as a selection: what it has delivered stays as it is.
    Held {
        /// Which one.
        key: ConfigKey,
        /// The cluster it has delivered into.
        cluster: ClusterId,
        /// The nodes it is known to have delivered.
        delivered: Vec<Claim>,
    },
    /// It is being deleted.
    Departed {
        /// Which one.
        key: ConfigKey,
        /// Its cluster.
        cluster: ClusterId,
        /// The nodes it is known to have delivered.
        delivered: Vec<Claim>,
    },
}

impl Config {
    /// A config of which nothing earlier is known, as the command line has them.
    pub fn new(selection: Selection) -> Self {
        Self::Present {
            selection,
            delivered: Vec::new(),
            changed: false,
        }
    }

    /// The cluster in which it takes part.
    pub fn cluster(&self) -> &ClusterId {
        match self {
            Self::Present { selection, .. } => &selection.cluster,
            Self::Held { cluster, .. } | Self::Departed { cluster, .. } => cluster,
        }
    }

    /// The place that has to be read for it.
    pub fn place(&self) -> Option<Place> {
        self.selection().map(Place::of)
    }

    /// What it asks for, if it can say so.
    pub fn selection(&self) -> Option<&Selection> {
        match self {
            Self::Present { selection, .. } => Some(selection),
            Self::Held { .. } | Self::Departed { .. } => None,
        }
    }
}

/// One project of one OpenStack: the unit in which OpenStack is read.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// The OpenStack.
    pub provider: ProviderId,
    /// The project.
    pub project: ProjectId,
}

impl Place {
    /// The place of a config.
    pub fn of(selection: &Selection) -> Self {
        Self {
            provider: selection.provider.clone(),
            project: selection.project,
        }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "project {} of provider {}", self.project, self.provider)
    }
}

/// The configs with the credentials of their places. Next step: [`Resolved::read`].
pub struct Resolved {
    pub(crate) configs: Vec<Config>,
    pub(crate) places: BTreeMap<Place, Result<CloudCredentials, Arc<PlaceError>>>,
}

/// Asks Contrabass once for each provider, all side by side. A provider that cannot be resolved fails its own places.
pub async fn resolve(connections: &Connections, configs: Vec<Config>, observer: &dyn Observer) -> Resolved {
    let mut projects: BTreeMap<ProviderId, Vec<ProjectId>> = BTreeMap::new();
    for place in configs.iter().filter_map(Config::selection).map(Place::of) {
        let of_provider = projects.entry(place.provider).or_default();
        if !of_provider.contains(&place.project) {
            of_provider.push(place.project);
        }
    }
    observer.step(Step::Resolving {
        providers: projects.len(),
    });
    let places = join_all(projects.into_iter().map(|(provider, projects)| async move {
        let account = connections.account(&provider).await.map_err(Arc::new);
        projects.into_iter().map(move |project| {
            let place = Place {
                provider: provider.clone(),
                project,
            };
            let credentials = account.clone().map(|account| account.in_project(&place));
            (place, credentials)
        })
    }))
    .await;
    Resolved {
        configs,
        places: places.into_iter().flatten().collect(),
    }
}

/// The account that Contrabass names for a provider, decrypted. It shows nothing of itself.
#[derive(Clone)]
pub struct Account {
    pub(crate) provider: multinic_contrabass::Provider,
    pub(crate) password: secrecy::SecretString,
    /// Which cipher and digest fitted.
    pub(crate) scheme: multinic_contrabass::Scheme,
}

impl Connections {
    pub(crate) async fn account(&self, provider: &ProviderId) -> Result<Account, PlaceError> {
        let provider = self
            .contrabass
            .provider(provider)
            .await
            .map_err(PlaceError::Contrabass)?;
        self.decrypt(provider)
    }

    pub(crate) fn decrypt(&self, provider: multinic_contrabass::Provider) -> Result<Account, PlaceError> {
        let opened = self
            .envelope
            .open(&provider.admin_password)
            .map_err(PlaceError::Password)?;
        tracing::debug!(scheme = %opened.scheme, "the password envelope is open");
        Ok(Account {
            provider,
            password: opened.text,
            scheme: opened.scheme,
        })
    }
}

impl Account {
    pub(crate) fn in_project(&self, place: &Place) -> CloudCredentials {
        CloudCredentials {
            provider: place.provider.clone(),
            project: place.project,
            auth_url: self.provider.keystone_url.clone(),
            username: self.provider.admin_id.clone(),
            password: self.password.clone(),
            domain: self.provider.domain.clone(),
        }
    }
}
