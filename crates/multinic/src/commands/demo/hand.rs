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

/// What is shown of an object: kubectl's path, and where it is.
const COLUMNS: [(&str, &str, &str); 5] = [
    ("NODE", ".spec.nodeName", "/spec/nodeName"),
    ("LINK", ".spec.interfaces[*].name", "/spec/interfaces[*]/name"),
    (
        "MAC",
        ".spec.interfaces[*].macAddress",
        "/spec/interfaces[*]/macAddress",
    ),
    ("ADDRESS", ".spec.interfaces[*].address", "/spec/interfaces[*]/address"),
    ("MTU", ".spec.interfaces[*].mtu", "/spec/interfaces[*]/mtu"),
];

/// Does what the user would do with kubectl, in one cluster.
pub struct Hand {
    /// Everything that kubectl writes stays beside it.
    kubeconfig: PathBuf,
    /// Whether the command names it; else it is the one in the environment.
    is_named: bool,
    by: By,
}

enum By {
    /// kubectl itself.
    Kubectl,
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
        Self {
            kubeconfig: kubeconfig.to_owned(),
            is_named: false,
            by: match version {
                Ok(status) if status.success() => By::Kubectl,
                _ => By::Own(client),
            },
        }
    }

    /// The same hand in another cluster.
    pub fn elsewhere(&self, kubeconfig: &Path, client: Client) -> Self {
        Self {
            kubeconfig: kubeconfig.to_owned(),
            is_named: true,
            by: match self.by {
                By::Kubectl => By::Kubectl,
                By::Own(_) => By::Own(client),
            },
        }
    }

    /// Who does it.
    pub const fn name(&self) -> &'static str {
        match self.by {
            By::Kubectl => "the kubectl of this machine",
            By::Own(_) => "no kubectl on this machine: the same requests, sent by this program (server-side apply)",
        }
    }

    /// The beginning of every command.
    pub fn command(&self) -> String {
        format!("kubectl --kubeconfig {}", self.kubeconfig.display())
    }

    /// Applies every object of a file.
    pub async fn apply(&self, file: &Path) -> Result<String, Failure> {
        match &self.by {
            By::Kubectl => self.kubectl(&["apply", "-f", &file.to_string_lossy()]).await,
            By::Own(client) => apply(client, &fs::read_to_string(file).map_err(Failure::failed)?).await,
        }
    }

    /// The command and its answer: the OpenstackConfigs as a table.
    pub async fn configs(&self) -> Result<String, Failure> {
        self.table("openstackconfigs", "multinic.example.com").await
    }

    /// The command and its answer: the MultiNicNodeConfigs as a table.
    pub async fn objects(&self) -> Result<String, Failure> {
        self.table("multinicnodeconfigs", "multinic.io").await
    }

    async fn table(&self, resource: &str, group: &str) -> Result<String, Failure> {
        let command = format!("get {resource} -n {NAMESPACE}");
        let table = match &self.by {
            By::Kubectl => self.kubectl(&command.split(' ').collect::<Vec<_>>()).await?,
            By::Own(client) => {
                let path = format!("/apis/{group}/v1alpha1/namespaces/{NAMESPACE}/{resource}");
                show::table(&ask(client, &path, TABLE).await?)
            }
        };
        Ok(self.answered(&command, &table))
    }

    /// The command and its answer: what a MultiNicNodeConfig says.
    pub async fn object(&self, name: &str) -> Result<String, Failure> {
        let columns = COLUMNS.map(|(name, path, _)| format!("{name}:{path}")).join(",");
        let command = format!("get multinicnodeconfig {name} -n {NAMESPACE} -o custom-columns={columns}");
        let said = match &self.by {
            By::Kubectl => self.kubectl(&command.split(' ').collect::<Vec<_>>()).await?,
            By::Own(client) => {
                let path = format!("/apis/multinic.io/v1alpha1/namespaces/{NAMESPACE}/multinicnodeconfigs/{name}");
                let object = ask(client, &path, "application/json").await?;
                show::columns(&object, &COLUMNS.map(|(name, _, pointer)| (name, pointer)))
            }
        };
        Ok(self.answered(&command, &said))
    }

    /// The command and its answer: the OpenstackConfig is deleted, and gone.
    pub async fn delete(&self) -> Result<String, Failure> {
        let command = format!("delete openstackconfig {NAME} -n {NAMESPACE} --timeout=60s");
        let said = match &self.by {
            By::Kubectl => self.kubectl(&command.split(' ').collect::<Vec<_>>()).await?,
            By::Own(client) => {
                let api: Api<OpenstackConfig> = Api::namespaced(client.clone(), NAMESPACE);
                api.delete(NAME, &DeleteParams::default())
                    .await
                    .map_err(Failure::failed)?;
                format!("openstackconfig {NAME} deleted\n")
            }
        };
        Ok(self.answered(&command, &said))
    }

    fn answered(&self, command: &str, said: &str) -> String {
        let line = if self.is_named {
            format!("$ {} {command}\n", self.command())
        } else {
            command_line(command)
        };
        format!("\n{line}{said}")
    }

    async fn kubectl(&self, arguments: &[&str]) -> Result<String, Failure> {
        let mut command = Command::new("kubectl");
        command
            .args(arguments)
            .arg("--cache-dir")
            .arg(self.kubeconfig.with_extension("cache"))
            .env("KUBECONFIG", &self.kubeconfig)
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

async fn ask(client: &Client, path: &str, accept: &str) -> Result<Value, Failure> {
    let request = Request::get(path).header(ACCEPT, accept).body(Vec::new());
    let request = request.map_err(Failure::failed)?;
    client.request(request).await.map_err(Failure::failed)
}
