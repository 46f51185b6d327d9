//! A cloud as one sentence: what is said next belongs to what was said before.
//!
//! ```
//! use multinic_lab::CloudBuilder;
//!
//! let cloud = CloudBuilder::new()
//!     .provider("a919ea1c-9a09-4a9f-9021-ec68c1de2159")
//!     .project("df64928216f740d3a6b84a66fa30b649", "biz")
//!     .network("biz-mgmt").mtu(1450).subnet("biz-mgmt-v4", "10.10.0.0/16")
//!     .vm("worker-1").metadata("k8s-node-name", "w1")
//!     .port("biz-mgmt-v4").status("DOWN");
//! # let _ = cloud;
//! ```

mod apply;
mod drafts;
mod objects;
mod place;
mod ready_made;

use std::time::Duration;

use drafts::Draft;

pub use apply::Added;
pub(crate) use place::{only, unknown};
pub use ready_made::{
    DEMO_ADMIN_PASSWORD, DEMO_ADMIN_PW, DEMO_ADMIN_PW_MD5, DEMO_ENCRYPTION_KEY, DEMO_RABBIT_PASSWORD, DEMO_RABBIT_PW,
    SEED_PROJECT, SEED_PROVIDER, SEED_SUBNET_ID, SEED_SUBNET_NAME,
};

/// Says what a cloud consists of. Mistakes are kept and reported when the sentence is used
/// ([`Lab::start`](crate::Lab::start), [`CloudHandle::add`](crate::CloudHandle::add)).
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until it is given to a lab"]
pub struct CloudBuilder {
    drafts: Vec<Draft>,
    settings: Vec<Setting>,
    project: Option<String>,
    problem: Option<String>,
}

/// A switch of the whole installation.
#[derive(Clone, Debug)]
enum Setting {
    ContrabassToken(String),
    TokenTtl(Duration),
    NovaMaxLimit(usize),
    Region(String),
    Catalog {
        service_type: String,
        interface: String,
        region: String,
        url: Option<String>,
    },
    KeepAlive,
}

impl CloudBuilder {
    /// An empty cloud with the region `RegionOne`.
    pub fn new() -> Self {
        Self::default()
    }

    /// A provider that Contrabass knows; its administrator is a Keystone user with the admin role in every project.
    /// By default `admin`, [`DEMO_ADMIN_PASSWORD`], [`DEMO_ADMIN_PW`], domain `default`, and the lab's Keystone.
    pub fn provider(mut self, id: &str) -> Self {
        self.drafts.push(Draft::provider(id));
        self
    }

    /// Of a provider: the administrator's name.
    pub fn admin(self, name: &str) -> Self {
        self.on("admin", |draft| {
            draft.as_provider().map(|provider| name.clone_into(&mut provider.admin))
        })
    }

    /// Of a provider or a user: the password Keystone accepts, in plain text.
    pub fn password(self, password: &str) -> Self {
        self.on("password", |draft| {
            draft.password().map(|place| password.clone_into(place))
        })
    }

    /// Of a provider: the envelope Contrabass gives out as `adminPw`, whatever is in it.
    pub fn envelope(self, admin_pw: &str) -> Self {
        self.on("envelope", |draft| {
            draft
                .as_provider()
                .map(|provider| admin_pw.clone_into(&mut provider.admin_pw))
        })
    }

    /// Of a provider: the domain's id, by default `default`.
    pub fn domain(self, id: &str) -> Self {
        self.on("domain", |draft| {
            draft.as_provider().map(|provider| id.clone_into(&mut provider.domain))
        })
    }

    /// Of a provider: another Keystone than the lab's own.
    pub fn keystone_url(self, url: &str) -> Self {
        self.on("keystone_url", |draft| {
            draft.as_provider().map(|provider| provider.url = Some(url.to_owned()))
        })
    }

    /// Of a provider: what Contrabass says about RabbitMQ; the password is an envelope, the addresses are `host:port`.
    pub fn rabbitmq(self, id: &str, envelope: &str, addresses: &[&str]) -> Self {
        let addresses: Vec<_> = addresses.iter().map(|&address| address.to_owned()).collect();
        self.on("rabbitmq", |draft| {
            draft
                .as_provider()
                .map(|provider| provider.rabbit = Some((id.to_owned(), envelope.to_owned(), addresses)))
        })
    }

    /// A project (new, or one that is there already); what follows belongs to it.
    pub fn project(mut self, id: &str, name: &str) -> Self {
        self.drafts.push(Draft::Project {
            id: id.to_owned(),
            name: name.to_owned(),
        });
        self.project = Some(id.to_owned());
        self
    }

    /// What follows belongs to a project that is there already.
    pub fn in_project(mut self, id: &str) -> Self {
        self.project = Some(id.to_owned());
        self
    }

    /// A user without the admin role: `member` or `reader` of the current project.
    pub fn user(mut self, name: &str, role: &str) -> Self {
        let project = self.current_project("user");
        self.drafts.push(Draft::user(name, role, project));
        self
    }

    /// Of a user: disabled.
    pub fn disabled(self) -> Self {
        self.on("disabled", |draft| draft.as_user().map(|user| user.enabled = false))
    }

    /// Contrabass asks for this bearer token.
    pub fn contrabass_token(self, token: &str) -> Self {
        self.set(Setting::ContrabassToken(token.to_owned()))
    }

    /// How long Keystone's tokens live; by default an hour.
    pub fn token_ttl(self, ttl: Duration) -> Self {
        self.set(Setting::TokenTtl(ttl))
    }

    /// Nova's `max_limit`: the longest page; by default 1000.
    pub fn nova_max_limit(self, limit: usize) -> Self {
        self.set(Setting::NovaMaxLimit(limit))
    }

    /// One more region, with the same endpoints as `RegionOne`.
    pub fn region(self, name: &str) -> Self {
        self.set(Setting::Region(name.to_owned()))
    }

    /// Changes the catalog's line for that service type, interface and region; without a URL it is taken out.
    pub fn catalog(self, service_type: &str, interface: &str, region: &str, url: Option<&str>) -> Self {
        self.set(Setting::Catalog {
            service_type: service_type.to_owned(),
            interface: interface.to_owned(),
            region: region.to_owned(),
            url: url.map(str::to_owned),
        })
    }

    /// Keystone and Nova answer with lengths and keep connections, instead of as under Debian's uWSGI.
    pub fn without_uwsgi(self) -> Self {
        self.set(Setting::KeepAlive)
    }

    fn set(mut self, setting: Setting) -> Self {
        self.settings.push(setting);
        self
    }

    fn current_project(&mut self, word: &str) -> String {
        self.project.clone().unwrap_or_else(|| {
            self.problem
                .get_or_insert_with(|| format!(".{word}() needs a project before it"));
            String::new()
        })
    }

    fn on(mut self, word: &str, change: impl FnOnce(&mut Draft) -> Option<()>) -> Self {
        if self.drafts.last_mut().and_then(change).is_none() {
            return self.complain(format!(".{word}() does not go with what stands before it"));
        }
        self
    }

    fn complain(mut self, problem: String) -> Self {
        self.problem.get_or_insert(problem);
        self
    }
}
