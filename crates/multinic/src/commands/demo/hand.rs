//! The user's hand: the real kubectl where it is installed, else the same requests by ourselves.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use http::{Request, header::ACCEPT};
use kube::{
    Api, Client,
    api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams},
    core::GroupVersionKind,
};
use multinic_model::openstack_config::OpenstackConfig;
use serde_json::Value;

use super::{
    files::{NAME, NAMESPACE},
    show,
};
use crate::failure::Failure;

const TABLE: &str = "application/json;as=Table;v=v1;g=meta.k8s.io";

/// Does what the user would do with kubectl.
pub enum Hand {
    /// kubectl itself.
    Kubectl {
        /// Its kubeconfig; everything that it writes stays beside it.
        kubeconfig: PathBuf,
    },
    /// There is no kubectl.
    Own(Client),
}

impl Hand {
    /// kubectl, if this machine has it.
    pub fn find(kubeconfig: &Path, client: Client) -> Self {
        let version = Command::new("kubectl")
            .args(["version", "--client"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match version {
            Ok(status) if status.success() => Self::Kubectl {
                kubeconfig: kubeconfig.to_owned(),
            },
            _ => Self::Own(client),
        }
    }

    /// Who does it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Kubectl { .. } => "the kubectl of this machine",
            Self::Own(_) => "no kubectl on this machine: the same requests, sent by this program (server-side apply)",
        }
    }

    /// Applies every object of a file.
    pub async fn apply(&self, file: &Path) -> Result<String, Failure> {
        match self {
            Self::Kubectl { .. } => self.kubectl(&["apply", "-f", &file.to_string_lossy()]).await,
            Self::Own(client) => apply(client, &fs::read_to_string(file).map_err(Failure::failed)?).await,
        }
    }

    /// The command and its answer: the OpenstackConfigs as a table.
    pub async fn get(&self) -> Result<String, Failure> {
        let command = format!("get openstackconfigs -n {NAMESPACE}");
        let table = match self {
            Self::Kubectl { .. } => self.kubectl(&command.split(' ').collect::<Vec<_>>()).await?,
            Self::Own(client) => show::table(&table(client).await?),
        };
        Ok(format!("\n{}{table}", command_line(&command)))
    }

    /// The command and its answer: the OpenstackConfig is deleted, and gone.
    pub async fn delete(&self) -> Result<String, Failure> {
        let command = format!("delete openstackconfig {NAME} -n {NAMESPACE} --timeout=60s");
        let said = match self {
            Self::Kubectl { .. } => self.kubectl(&command.split(' ').collect::<Vec<_>>()).await?,
            Self::Own(client) => {
                let api: Api<OpenstackConfig> = Api::namespaced(client.clone(), NAMESPACE);
                api.delete(NAME, &DeleteParams::default())
                    .await
                    .map_err(Failure::failed)?;
                format!("openstackconfig {NAME} deleted\n")
            }
        };
        Ok(format!("\n{}{said}", command_line(&command)))
    }

    async fn kubectl(&self, arguments: &[&str]) -> Result<String, Failure> {
        let Self::Kubectl { kubeconfig } = self else {
            return Err(Failure::failed("there is no kubectl"));
        };
        let mut command = Command::new("kubectl");
        command
            .args(arguments)
            .arg("--cache-dir")
            .arg(kubeconfig.with_file_name("cache"))
            .env("KUBECONFIG", kubeconfig)
            .stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .map_err(Failure::failed)?
            .map_err(Failure::failed)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Failure::failed(format!(
            "failed to run kubectl {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        )))
    }
}

/// A command as the user would type it.
pub fn command_line(arguments: &str) -> String {
    format!("$ kubectl {arguments}\n")
}

async fn apply(client: &Client, text: &str) -> Result<String, Failure> {
    let objects: Vec<DynamicObject> = serde_saphyr::from_multiple(text).map_err(Failure::failed)?;
    let mut said = Vec::new();
    for object in objects {
        let types = object.types.clone().unwrap_or_default();
        let kind = GroupVersionKind::try_from(&types).map_err(Failure::failed)?;
        let resource = ApiResource::from_gvk(&kind);
        let api: Api<DynamicObject> = match &object.metadata.namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
            None => Api::all_with(client.clone(), &resource),
        };
        let name = object.metadata.name.clone().unwrap_or_default();
        let params = PatchParams::apply("multinic-demo");
        api.patch(&name, &params, &Patch::Apply(&object))
            .await
            .map_err(Failure::failed)?;
        said.push(format!("{}/{name} serverside-applied\n", kind.kind.to_lowercase()));
    }
    Ok(said.concat())
}

async fn table(client: &Client) -> Result<Value, Failure> {
    let path = format!("/apis/multinic.example.com/v1alpha1/namespaces/{NAMESPACE}/openstackconfigs");
    let request = Request::get(path)
        .header(ACCEPT, TABLE)
        .body(Vec::new())
        .map_err(Failure::failed)?;
    client.request(request).await.map_err(Failure::failed)
}
