//! From what was said to objects.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CloudBuilder, Setting,
    drafts::{Draft, ProviderDraft, UserDraft},
    place::unknown,
};
use crate::{
    LabError,
    ids::{self, Id},
    state::{CatalogOverride, Project, State, User},
};

/// 2026-01-01T00:00:00Z: when the first object of every lab was made.
const BEGINNING: i64 = 1_767_225_600;

/// The ids of what was added, in the order it was said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Added {
    /// Networks.
    pub networks: Vec<String>,
    /// Subnets.
    pub subnets: Vec<String>,
    /// VMs.
    pub vms: Vec<String>,
    /// Ports.
    pub ports: Vec<String>,
}

impl State {
    /// An installation that consists of this.
    pub fn build(cloud: CloudBuilder) -> Result<Self, LabError> {
        let mut state = Self {
            clock: BEGINNING,
            ..Self::default()
        };
        state.extend(cloud)?;
        Ok(state)
    }

    /// Adds this to what is there. After an error, what was said before the mistake has been added.
    pub fn extend(&mut self, cloud: CloudBuilder) -> Result<Added, LabError> {
        if let Some(problem) = cloud.problem {
            return Err(LabError::Build(problem));
        }
        for setting in cloud.settings {
            self.apply_setting(setting);
        }
        let mut added = Added::default();
        for draft in cloud.drafts {
            match draft {
                Draft::Provider(provider) => self.add_provider(provider),
                Draft::Project { id, name } => self.add_project(&id, name),
                Draft::User(user) => self.add_user(user)?,
                Draft::Network(network) => self.add_network(network, &mut added)?,
                Draft::Vm(vm) => self.add_vm(vm, &mut added)?,
                Draft::LoosePort(port) => {
                    let id = self.add_port(port, None)?;
                    added.ports.push(id.to_string());
                }
            }
        }
        Ok(added)
    }

    fn apply_setting(&mut self, setting: Setting) {
        let settings = &mut self.settings;
        match setting {
            Setting::ContrabassToken(token) => settings.contrabass_token = Some(token),
            Setting::TokenTtl(ttl) => settings.token_ttl = ttl,
            Setting::NovaMaxLimit(limit) => settings.nova_max_limit = limit,
            Setting::Region(region) => settings.regions.push(region),
            Setting::Catalog {
                service_type,
                interface,
                region,
                url,
            } => {
                settings.catalog.push(CatalogOverride {
                    service_type,
                    interface,
                    region,
                    url,
                });
            }
            Setting::KeepAlive => settings.uwsgi = false,
        }
    }

    fn add_provider(&mut self, provider: ProviderDraft) {
        self.providers.insert(provider.id.clone(), provider.record());
        let existing = self
            .identity
            .users
            .iter_mut()
            .find(|user| user.name == provider.admin && user.domain == provider.domain);
        if let Some(user) = existing {
            user.password = provider.password;
            return;
        }
        let id = ids::hex("user", self.next().0);
        self.identity.users.push(User {
            id,
            name: provider.admin,
            password: provider.password,
            domain: provider.domain,
            enabled: true,
            admin: true,
            roles: BTreeMap::new(),
        });
    }

    fn add_project(&mut self, id: &str, name: String) {
        let id: Id = id.into();
        self.identity.projects.insert(Id::clone(&id), Project { id, name });
    }

    pub(super) fn project(&self, id: &str) -> Result<Id, LabError> {
        let project = self.identity.projects.get(id);
        project
            .map(|project| Id::clone(&project.id))
            .ok_or_else(|| unknown("project", id))
    }

    fn add_user(&mut self, user: UserDraft) -> Result<(), LabError> {
        let project = self.project(&user.project)?;
        let id = ids::hex("user", self.next().0);
        self.identity.users.push(User {
            id,
            name: user.name,
            password: user.password,
            domain: "default".to_owned(),
            enabled: user.enabled,
            admin: false,
            roles: [(project, BTreeSet::from([user.role]))].into(),
        });
        Ok(())
    }
}
