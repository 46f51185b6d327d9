//! From YAML text to checked settings.

use std::{ops::RangeInclusive, time::Duration};

use super::{DigestName, Settings};
use crate::yaml;

/// Why settings are not usable. Says path, found and allowed; never a value that may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// Not YAML, too large or too deep.
    #[error("failed to read the settings as YAML: {0}")]
    Yaml(String),
    /// An unknown key or a bad value.
    #[error("failed to accept the settings: {path}: {problem}")]
    Value {
        /// Where, such as `openstack.portStatuses`.
        path: String,
        /// What was found and what is allowed.
        problem: String,
    },
}

/// The greatest size of a settings text, in bytes.
pub const MAX_SETTINGS_BYTES: usize = 256 * 1024;

/// How often passes may be made. What they ask of OpenStack is bounded by `openstack.requestsPerSecond` in any case.
const INTERVALS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);

impl Settings {
    /// Parses and checks a whole settings text.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        let value = yaml::one_document(text, MAX_SETTINGS_BYTES).map_err(SettingsError::Yaml)?;
        let settings: Self = serde_path_to_error::deserialize(value).map_err(|error| SettingsError::Value {
            path: error.path().to_string(),
            problem: error.inner().to_string(),
        })?;
        settings.check_iterations()?;
        settings.check_interval()?;
        settings.rabbitmq.check()?;
        Ok(settings)
    }

    /// Far below a second, passes would only wait for one another; after a day without one, nobody would notice that
    /// something is wrong.
    fn check_interval(&self) -> Result<(), SettingsError> {
        let interval = self.sync.interval.duration();
        if INTERVALS.contains(&interval) {
            return Ok(());
        }
        Err(SettingsError::Value {
            path: "sync.interval".to_owned(),
            problem: format!(
                "{} is out of bounds; expected 1s to 1day, such as 5m",
                humantime::format_duration(interval)
            ),
        })
    }

    /// Iterations that no digest uses would be silently ignored.
    fn check_iterations(&self) -> Result<(), SettingsError> {
        let password = &self.contrabass.password;
        if password.iterations.is_some() && password.digest != DigestName::Pbkdf2Sha256 {
            return Err(SettingsError::Value {
                path: "contrabass.password.iterations".to_owned(),
                problem: "only `digest: pbkdf2-sha256` has iterations".to_owned(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::SecretRef;

    const MINIMAL: &str = "contrabass: {endpoint: 'https://c.example.com', password: {key: {env: KEY}}}\n";

    /// The example of the design, as it stands there.
    const FULL: &str = "
contrabass:
  endpoint: https://contrabass.example.com
  providerPath: /api/providers/{id}
  token: {secret: contrabass, key: token}
  password: {key: {secret: contrabass, key: encryptionKey}, cipher: auto, digest: auto}
openstack:
  interface: public
  region: \"\"
  nodeNameMetadataKey: \"\"
  portStatuses: [ACTIVE, DOWN, BUILD]
  endpoints: {network: \"\", compute: \"\"}
  requestsPerSecond: 10
managementApi:
  endpoint: http://multinic-management-api:8080
  token: {secret: multinic, key: token}
sync: {interval: 5m, removalConfirmations: 2}
rabbitmq: {enabled: auto}
";

    #[test]
    fn the_example_of_the_design_is_the_default() {
        let full = Settings::parse(FULL).unwrap();
        let minimal = Settings::parse(MINIMAL).unwrap();
        assert_eq!(full.openstack, minimal.openstack);
        assert_eq!(full.sync, minimal.sync);
        assert_eq!(full.rabbitmq, minimal.rabbitmq);
        assert_eq!(full.sync.interval.duration(), Duration::from_mins(5));
        assert_eq!(full.sync.deletion_timeout.duration(), Duration::from_mins(10));
    }

    #[test]
    fn what_the_operator_needs_can_be_set() {
        let text = format!(
            "{MINIMAL}sync: {{interval: 1s, deletionTimeout: 90s}}\n\
             openstack: {{tls: {{caSecret: {{secret: cloud-ca, key: ca.crt}}}}}}\n"
        );
        let settings = Settings::parse(&text).unwrap();
        assert_eq!(settings.sync.interval.duration(), Duration::from_secs(1));
        assert_eq!(settings.sync.deletion_timeout.duration(), Duration::from_secs(90));
        let ca = SecretRef::Kubernetes {
            name: "cloud-ca".to_owned(),
            key: "ca.crt".to_owned(),
        };
        assert_eq!(settings.openstack.tls.ca_secret, Some(ca));
    }

    #[test]
    fn every_error_names_the_path_and_what_is_allowed() {
        let cases = [
            (
                "openstack: {interfce: public}",
                "openstack.interfce",
                "unknown field `interfce`, expected one of `interface`",
            ),
            ("openstack: {interface: outer}", "openstack.interface", "`public`"),
            (
                "openstack: {portStatuses: [UP]}",
                "openstack.portStatuses",
                "expected ACTIVE, DOWN, BUILD or ERROR",
            ),
            (
                "openstack: {portStatuses: []}",
                "openstack.portStatuses",
                "the list is empty",
            ),
            (
                "openstack: {requestsPerSecond: 0}",
                "openstack.requestsPerSecond",
                "expected a nonzero",
            ),
            (
                "openstack: {endpoints: {network: 'ftp://x'}}",
                "openstack.endpoints.network",
                "expected https://",
            ),
            ("openstack: {timeout: 5}", "openstack.timeout", "expected"),
            ("sync: {interval: soon}", "sync.interval", "such as 30s or 5m"),
            ("sync: {interval: 999ms}", "sync.interval", "expected 1s to 1day"),
            ("sync: {interval: 25h}", "sync.interval", "1day 1h is out of bounds"),
            (
                "sync: {deletionTimeout: never}",
                "sync.deletionTimeout",
                "such as 30s or 5m",
            ),
            (
                "sync: {removalConfirmations: -1}",
                "sync.removalConfirmations",
                "expected a nonzero",
            ),
            (
                "managementApi: {endpoint: 'https://u:hidden@x'}",
                "managementApi.endpoint",
                "with a user or password",
            ),
            (
                "managementApi: {endpoint: 'http://x', batchSize: 0}",
                "managementApi.batchSize",
                "nonzero",
            ),
            (
                "managementApi: {endpoint: 'http://x', token: hidden}",
                "managementApi.token",
                "expected {secret: NAME",
            ),
            ("surprise: 1", "surprise", "unknown field `surprise`"),
        ];
        for (line, place, allowed) in cases {
            let error = Settings::parse(&format!("{MINIMAL}{line}\n")).unwrap_err();
            let SettingsError::Value { path, problem } = &error else {
                panic!("{error}")
            };
            assert_eq!(path, place, "{line}: {problem}");
            assert!(problem.contains(allowed), "{line}: {problem}");
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, missing) in [("{}", "contrabass"), ("contrabass: {endpoint: 'http://x'}", "password")] {
            let error = Settings::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("missing field `{missing}`")), "{error}");
        }
    }

    #[test]
    fn broken_yaml_says_where_and_shows_no_value() {
        let error = Settings::parse("contrabass:\n  password: {key: hidden\n").unwrap_err();
        assert!(
            matches!(&error, SettingsError::Yaml(text) if text.contains("line")),
            "{error}"
        );
        assert!(!error.to_string().contains("hidden"), "{error}");
    }

    #[test]
    fn a_huge_text_is_refused() {
        let error = Settings::parse(&"#".repeat(MAX_SETTINGS_BYTES + 1)).unwrap_err();
        assert!(error.to_string().contains("larger than"), "{error}");
    }

    #[test]
    fn iterations_go_with_pbkdf2_only() {
        let text = MINIMAL.replace("KEY}", "KEY}, iterations: 1000");
        assert!(
            Settings::parse(&text)
                .unwrap_err()
                .to_string()
                .contains("only `digest: pbkdf2-sha256`")
        );
        assert!(Settings::parse(&text.replace("1000", "1000, digest: pbkdf2-sha256")).is_ok());
    }
}
