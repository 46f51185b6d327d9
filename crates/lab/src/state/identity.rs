//! Projects, users and tokens.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::{Duration, SystemTime},
};

use crate::{Service, ids, ids::Id};

/// A project of the domain `default`.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    /// 32 hex digits.
    pub id: Id,
    /// Unique without regard to case.
    pub name: String,
}

/// A user of one domain.
#[derive(Clone, Debug)]
pub(crate) struct User {
    /// 32 hex digits.
    pub id: Id,
    /// Unique within the domain without regard to case.
    pub name: String,
    /// In plain text: this is a simulator.
    pub password: String,
    /// The domain's id; its name is the same with a capital.
    pub domain: String,
    /// A disabled user gets the same 401 as a wrong password.
    pub enabled: bool,
    /// The admin role in every project.
    pub admin: bool,
    /// The roles in single projects.
    pub roles: BTreeMap<Id, BTreeSet<String>>,
}

/// Whom a token speaks for.
#[derive(Clone, Debug)]
pub(crate) struct Scope {
    /// The user's id.
    pub user: Id,
    /// The project, unless unscoped.
    pub project: Option<Id>,
    /// Has the admin role there.
    pub admin: bool,
}

/// A token that was issued.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// Whom it speaks for.
    pub scope: Scope,
    /// `password`, and `token` if it was made from another token.
    pub methods: Vec<&'static str>,
    /// When it was issued.
    pub issued: SystemTime,
    /// When it ends.
    pub expires: SystemTime,
    /// Keystone does not know it any more; services that have cached it do.
    pub revoked: bool,
    /// Which services have seen it valid.
    pub cached: BTreeSet<Service>,
    /// Its number, from which its audit id is made.
    pub number: u64,
}

/// What a service makes of a token.
#[derive(Clone, Debug)]
pub(crate) enum TokenState {
    /// It is good.
    Valid(Scope),
    /// 401.
    Refused,
    /// 503: Keystone is away and the service has never seen the token.
    Unknowable,
}

/// Projects, users, tokens.
#[derive(Debug, Default)]
pub(crate) struct Identity {
    /// By id.
    pub projects: BTreeMap<Id, Project>,
    /// In the order they were made.
    pub users: Vec<User>,
    /// By their text.
    pub tokens: HashMap<String, Token>,
    issued: u64,
}

impl User {
    /// The roles in that project; empty if the user has nothing to do there.
    pub fn roles_in(&self, project: &str) -> BTreeSet<String> {
        let mut roles = self.roles.get(project).cloned().unwrap_or_default();
        if self.admin {
            roles.insert("admin".to_owned());
        }
        // Keystone implies the weaker roles from the stronger ones.
        if roles.contains("admin") {
            roles.insert("member".to_owned());
        }
        if roles.contains("member") {
            roles.insert("reader".to_owned());
        }
        roles
    }
}

impl Identity {
    /// By id.
    pub fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| &*user.id == id)
    }

    /// Issues a token.
    pub fn issue(&mut self, scope: Scope, methods: Vec<&'static str>, expires: SystemTime) -> (String, &Token) {
        self.issued += 1;
        let number = self.issued;
        // As long as a Fernet token of Keystone's usual payload, and as opaque.
        let text: String = (0..6)
            .map(|part| ids::hex("token", number * 8 + part).to_string())
            .collect();
        let text = format!("gAAAAAB{}", &text[..176]);
        let token = Token {
            scope,
            methods,
            issued: SystemTime::now(),
            expires,
            revoked: false,
            cached: BTreeSet::new(),
            number,
        };
        let token = self.tokens.entry(text.clone()).insert_entry(token).into_mut();
        (text, token)
    }

    /// What `service` makes of the token. Keystone itself is never fooled by a cache.
    pub fn check(&mut self, text: Option<&str>, service: Service, keystone_down: bool) -> TokenState {
        let Some(text) = text else { return TokenState::Refused };
        let known = self.tokens.get_mut(text);
        let cached = known.as_ref().is_some_and(|token| token.cached.contains(&service));
        if keystone_down && !cached {
            return TokenState::Unknowable;
        }
        match known {
            Some(token) if token.expires > SystemTime::now() && (cached || !token.revoked) => {
                if service != Service::Keystone {
                    token.cached.insert(service);
                }
                TokenState::Valid(token.scope.clone())
            }
            _ => TokenState::Refused,
        }
    }

    /// Ends one token, or every token.
    pub fn expire(&mut self, text: Option<&str>) {
        let past = SystemTime::now() - Duration::from_secs(1);
        for (_, token) in self
            .tokens
            .iter_mut()
            .filter(|(key, _)| text.is_none_or(|text| text == *key))
        {
            token.expires = past;
        }
    }
}
