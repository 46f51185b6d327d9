//! The memory of rejected logins. Contrabass hands out the cloud's *admin* account: it must never be locked by us.
//!
//! Keystone answers alike to a wrong password and to a project without a role, but counts only the first towards a
//! lock-out. So a rejection closes its own project at once, and the whole user after a few projects unless the password
//! has been seen to work.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::Timestamp;
use multinic_model::ProjectId;

use crate::{CloudCredentials, credentials::Fingerprint, error::CloudError};

/// Rejections of a password never seen to work after which no other project is tried. Common lock-out limits are five or
/// six.
const MAX_UNPROVEN_REJECTIONS: usize = 3;

/// What is known about the credentials of one provider.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    user: Option<Fingerprint>,
    /// The projects this password opened. Any of them proves it.
    opened: BTreeSet<ProjectId>,
    rejected: BTreeMap<ProjectId, Timestamp>,
}

impl Gate {
    /// An error if logging in could do harm.
    pub(crate) fn check(
        &mut self,
        credentials: &CloudCredentials,
        now: Timestamp,
        backoff: Duration,
    ) -> Result<(), CloudError> {
        let user = credentials.user_fingerprint();
        if self.user != Some(user) {
            *self = Self {
                user: Some(user),
                ..Self::default()
            };
        }
        self.rejected.retain(|_, since| now < *since + backoff);
        let own = self.rejected.get(&credentials.project);
        let closed = !self.proven() && self.rejected.len() >= MAX_UNPROVEN_REJECTIONS;
        let oldest = self.rejected.values().min().filter(|_| closed);
        match own.or(oldest) {
            Some(since) => Err(CloudError::RejectedEarlier {
                auth_url: credentials.identity_url().into(),
                username: credentials.username.clone(),
                since: *since,
                retry_at: *since + backoff,
            }),
            None => Ok(()),
        }
    }

    /// Whether the password is known to be right.
    pub(crate) fn proven(&self) -> bool {
        !self.opened.is_empty()
    }

    /// Remembers how a login of `credentials` ended.
    pub(crate) fn record<T>(&mut self, credentials: &CloudCredentials, result: &Result<T, CloudError>, now: Timestamp) {
        if self.user != Some(credentials.user_fingerprint()) {
            return;
        }
        match result {
            Err(CloudError::Login { .. }) => {
                // Whole seconds: it is shown to people.
                let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
                self.rejected.insert(credentials.project, now);
                // What worked before and works no more: the password may have changed, so nothing is proven any longer.
                if self.opened.contains(&credentials.project) {
                    self.opened.clear();
                }
            }
            // A token was issued, whatever was wrong with it afterwards.
            Ok(_)
            | Err(
                CloudError::WrongProject { .. }
                | CloudError::NoEndpoint { .. }
                | CloudError::NoSuchRegion { .. }
                | CloudError::SeveralRegions { .. },
            ) => {
                self.opened.insert(credentials.project);
                self.rejected.remove(&credentials.project);
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    const BACKOFF: Duration = Duration::from_mins(15);

    fn credentials(project: u128) -> CloudCredentials {
        CloudCredentials {
            provider: "p".parse().unwrap(),
            project: format!("{project:032x}").parse().unwrap(),
            auth_url: "http://keystone:5000".parse().unwrap(),
            username: "admin".into(),
            password: "one".into(),
            domain: "default".into(),
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn rejected(credentials: &CloudCredentials) -> Result<(), CloudError> {
        Err(CloudError::Login {
            auth_url: String::new(),
            username: String::new(),
            project: credentials.project,
            status: StatusCode::UNAUTHORIZED,
            message: String::new(),
        })
    }

    #[test]
    fn a_rejected_login_is_not_tried_again_before_the_backoff() {
        let (mut gate, one) = (Gate::default(), credentials(1));
        assert!(gate.check(&one, at(0), BACKOFF).is_ok());
        gate.record(&one, &rejected(&one), at(0));
        for second in [0, 1, 899] {
            let error = gate.check(&one, at(second), BACKOFF).unwrap_err();
            assert!(matches!(error, CloudError::RejectedEarlier { retry_at, .. } if retry_at == at(900)));
        }
        assert!(gate.check(&one, at(900), BACKOFF).is_ok());
    }

    #[test]
    fn changed_credentials_are_tried_at_once() {
        let (mut gate, one) = (Gate::default(), credentials(1));
        gate.check(&one, at(0), BACKOFF).unwrap();
        gate.record(&one, &rejected(&one), at(0));
        let changed = CloudCredentials {
            password: "two".into(),
            ..one
        };
        assert!(gate.check(&changed, at(1), BACKOFF).is_ok());
    }

    #[test]
    fn a_wrong_project_does_not_close_the_others() {
        let mut gate = Gate::default();
        for project in [1, 2] {
            gate.check(&credentials(project), at(0), BACKOFF).unwrap();
            gate.record(&credentials(project), &rejected(&credentials(project)), at(0));
        }
        assert!(gate.check(&credentials(3), at(1), BACKOFF).is_ok());
    }

    #[test]
    fn a_password_never_seen_to_work_gets_three_attempts_in_all() {
        let mut gate = Gate::default();
        let mut attempts = 0;
        for project in 1..50 {
            if gate.check(&credentials(project), at(0), BACKOFF).is_ok() {
                attempts += 1;
                gate.record(&credentials(project), &rejected(&credentials(project)), at(0));
            }
        }
        assert_eq!(attempts, 3);
    }

    #[test]
    fn a_password_that_worked_is_not_closed_by_wrong_projects() {
        let mut gate = Gate::default();
        gate.check(&credentials(100), at(0), BACKOFF).unwrap();
        gate.record(&credentials(100), &Ok(()), at(0));
        for project in 1..50 {
            assert!(gate.check(&credentials(project), at(0), BACKOFF).is_ok());
            gate.record(&credentials(project), &rejected(&credentials(project)), at(0));
        }
    }

    #[test]
    fn a_password_that_stops_working_everywhere_is_closed_after_three_attempts() {
        let mut gate = Gate::default();
        for project in 1..50 {
            gate.check(&credentials(project), at(0), BACKOFF).unwrap();
            gate.record(&credentials(project), &Ok(()), at(0));
        }
        let mut attempts = 0;
        for project in 1..50 {
            if gate.check(&credentials(project), at(1), BACKOFF).is_ok() {
                attempts += 1;
                gate.record(&credentials(project), &rejected(&credentials(project)), at(1));
            }
        }
        assert_eq!(attempts, 3);
    }
}
