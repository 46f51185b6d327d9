//! How a cluster is reached: a kubeconfig of the server's folder, or the cluster that the server runs in.
//!
//! A kubeconfig has to hold what it needs: it may name no other file and no program. The folder is a Secret that somebody
//! who registers clusters can write to; it must not be a way to run programs or to read files as the server.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use http::{HeaderValue, header::USER_AGENT};
use kube::{
    Client, Config,
    client::ClientBuilder,
    config::{AuthInfo, KubeConfigOptions, Kubeconfig},
};
use multinic_model::ClusterId;
use secrecy::{ExposeSecret, SecretString};

use super::error::DeliveryError;
use crate::store::{content::digest, providers::DeliveryTarget};

/// The longest kubeconfig, in bytes.
const MAX: u64 = 1024 * 1024;

/// How a cluster is reached. Another value is another way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Way {
    InCluster,
    Kubeconfig {
        path: PathBuf,
        /// Of the content; `None`: it cannot be read.
        digest: Option<String>,
    },
    /// A kubeconfig is named, and the server was given no folder of them.
    NoFolder {
        name: String,
    },
}

/// The folder of kubeconfigs. What was read is not kept.
#[derive(Clone, Debug)]
pub(super) struct Folder(pub Option<PathBuf>);

impl Folder {
    /// The way into a cluster; `None`: nothing is put into it.
    pub fn way(&self, cluster: &ClusterId, target: &DeliveryTarget) -> Option<Way> {
        match target {
            DeliveryTarget::None {} => None,
            DeliveryTarget::InCluster {} => Some(Way::InCluster),
            DeliveryTarget::Kubeconfig { name } => Some(self.kubeconfig(name.as_str())),
            DeliveryTarget::Auto {} => {
                let folder = self.0.as_deref()?;
                let is_file = folder.join(cluster.as_str()).is_file();
                is_file.then(|| self.kubeconfig(cluster.as_str()))
            }
        }
    }

    fn kubeconfig(&self, name: &str) -> Way {
        let Some(folder) = &self.0 else {
            return Way::NoFolder { name: name.to_owned() };
        };
        let path = folder.join(name);
        let text = read(&path).ok();
        Way::Kubeconfig {
            digest: text.map(|text| digest(text.expose_secret().as_bytes())),
            path,
        }
    }
}

impl Way {
    /// A client for it.
    pub async fn client(&self, time: Duration) -> Result<Client, DeliveryError> {
        let mut config = match self {
            Self::InCluster => Config::incluster().map_err(|error| DeliveryError::Client {
                reason: error.to_string(),
            })?,
            Self::Kubeconfig { path, .. } => config(path).await?,
            Self::NoFolder { name } => {
                return Err(DeliveryError::Kubeconfig {
                    name: name.clone(),
                    reason: "the server was given no folder of kubeconfigs (--kubeconfigs)".to_owned(),
                });
            }
        };
        config.connect_timeout = Some(time);
        config.read_timeout = Some(READ_TIMEOUT);
        config.reset_reader_on_write = true;
        config.write_timeout = Some(time);
        config.default_retry = false;
        config.headers.retain(|(name, _)| name != USER_AGENT);
        let agent = concat!("multinic-management-api/", env!("CARGO_PKG_VERSION"));
        config.headers.push((USER_AGENT, HeaderValue::from_static(agent)));
        let builder = ClientBuilder::try_from(config).map_err(|error| DeliveryError::Client {
            reason: error.to_string(),
        })?;
        Ok(builder.build())
    }
}

/// Between two pieces of an answer. A watch ends itself after less than this.
const READ_TIMEOUT: Duration = Duration::from_secs(310);

async fn config(path: &Path) -> Result<Config, DeliveryError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let failed = |reason: &str| DeliveryError::Kubeconfig {
        name: name.clone(),
        reason: reason.to_owned(),
    };
    let text = read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => failed("there is no such file in the folder of kubeconfigs"),
        kind => failed(&kind.to_string()),
    })?;
    // The parser's own words may quote the file.
    let parsed = Kubeconfig::from_yaml(text.expose_secret()).map_err(|_| failed("it is not a kubeconfig"))?;
    if let Some(reason) = refusal(&parsed) {
        return Err(failed(reason));
    }
    let config = Config::from_custom_kubeconfig(parsed, &KubeConfigOptions::default()).await;
    let config = config.map_err(|_| failed("its current context does not name a cluster, a user and valid data"))?;
    if config.accept_invalid_certs {
        tracing::warn!(
            kubeconfig = name,
            "the kubeconfig says that the cluster's certificate is not verified"
        );
    }
    Ok(config)
}

fn read(path: &Path) -> std::io::Result<SecretString> {
    let file = std::fs::File::open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::ErrorKind::NotFound.into());
    }
    let mut text = String::new();
    if file.take(MAX + 1).read_to_string(&mut text)? as u64 > MAX {
        return Err(std::io::ErrorKind::FileTooLarge.into());
    }
    Ok(text.into())
}

/// Why a kubeconfig is not taken.
fn refusal(kubeconfig: &Kubeconfig) -> Option<&'static str> {
    let users = kubeconfig.auth_infos.iter().filter_map(|user| user.auth_info.as_ref());
    let clusters = kubeconfig
        .clusters
        .iter()
        .filter_map(|cluster| cluster.cluster.as_ref());
    let mut files = users
        .clone()
        .map(files)
        .chain(clusters.map(|cluster| cluster.certificate_authority.is_some()));
    if files.any(|names_a_file| names_a_file) {
        return Some("it names other files: certificates, keys and tokens have to stand in it");
    }
    let mut programs = users.map(|user| user.exec.is_some() || user.auth_provider.is_some());
    if programs.any(|names_a_program| names_a_program) {
        return Some("it logs in by a program (exec, auth-provider), which is not run: use a token or a certificate");
    }
    None
}

const fn files(user: &AuthInfo) -> bool {
    user.token_file.is_some() || user.client_certificate.is_some() || user.client_key.is_some()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const GOOD: &str = "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
        clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n\
        contexts: [{name: c, context: {cluster: c, user: u}}]\n";

    async fn client(user: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join("biz-1"),
            format!("{GOOD}users: [{{name: u, user: {user}}}]\n"),
        )
        .unwrap();
        let way = Folder(Some(folder.path().to_owned())).way(&"biz-1".parse().unwrap(), &DeliveryTarget::Auto {});
        let client = way.unwrap().client(Duration::from_secs(1)).await;
        client.map(drop).map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn a_kubeconfig_that_holds_what_it_needs_is_taken() {
        client("{token: t}").await.unwrap();
    }

    #[tokio::test]
    async fn one_that_names_files_or_programs_is_refused() {
        for user in [
            "{tokenFile: /etc/passwd}",
            "{client-certificate: x, client-key: /etc/shadow}",
            "{exec: {apiVersion: client.authentication.k8s.io/v1, command: rm, interactiveMode: Never}}",
            "{auth-provider: {name: gcp, config: {}}}",
        ] {
            let refused = client(user).await.unwrap_err();
            assert!(refused.contains("biz-1: it "), "{user}: {refused}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_with_it_is_said_without_repeating_it() {
        for user in ["{token: [secret]}", "secret"] {
            let refused = client(user).await.unwrap_err();
            assert!(
                refused.contains("not a kubeconfig") && !refused.contains("secret"),
                "{refused}"
            );
        }
    }

    #[test]
    fn only_a_file_that_is_named_like_the_cluster_is_taken_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("..data")).unwrap();
        let known = Folder(Some(folder.path().to_owned()));
        for id in ["biz-1", "..data"] {
            assert_eq!(known.way(&id.parse().unwrap(), &DeliveryTarget::Auto {}), None);
        }
        assert_eq!(
            Folder(None).way(&"biz-1".parse().unwrap(), &DeliveryTarget::Auto {}),
            None
        );
        let named = known.way(
            &"x".parse().unwrap(),
            &DeliveryTarget::Kubeconfig {
                name: "biz".parse().unwrap(),
            },
        );
        assert!(
            matches!(named, Some(Way::Kubeconfig { digest: None, .. })),
            "a missing file is an error, not no target"
        );
    }
}
