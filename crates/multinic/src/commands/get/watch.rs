//! `multinic get nodes --watch`: the nodes, then every change.

use multinic_api_client::{
    ApiReader, Told,
    views::{Change, Node},
};
use serde_json::{Value, json};

use super::{PAGE, cells, connect::cluster, explain::explain};
use crate::{
    cli::{OutputFormat, get::NodesArgs},
    failure::Failure,
    output::{
        Audience,
        columns::Columns,
        items::{document, view},
        offer, say,
    },
};

/// Goes on until Ctrl-C, until nobody reads, or until the server refuses for good.
pub async fn run(reader: &ApiReader, args: &NodesArgs, format: OutputFormat) -> Result<(), Failure> {
    let cluster = cluster(reader, &args.provider).await?;
    let mut watch = reader.watch(&cluster, args.node.as_ref());
    let mut shown = Shown::new(format);
    loop {
        let told = watch.next().await.map_err(explain)?;
        if let Told::Broken(error) = &told {
            say(&format!("warning: the watch broke and is taken up again: {error}"));
            continue;
        }
        if offer(&shown.text(told)?)? == Audience::Gone {
            return Ok(());
        }
    }
}

struct Shown {
    format: OutputFormat,
    columns: Columns<7>,
    /// The nodes of the beginning wait for one another, so that their columns are aligned.
    beginning: Vec<[String; 7]>,
}

impl Shown {
    fn new(format: OutputFormat) -> Self {
        let header = ["EVENT", "NODE", "INSTANCE", "INTERFACES", "REVISION", "WHEN", "BY"];
        Self {
            format,
            columns: Columns::new(header),
            beginning: Vec::new(),
        }
    }

    fn text(&mut self, told: Told) -> Result<String, Failure> {
        if self.format == OutputFormat::Table {
            return self.lines(told);
        }
        let value = match told {
            Told::Node(node) => json!({"event": "node", "data": node}),
            Told::Change { kind, sequence, change } => json!({"event": kind, "id": sequence, "data": change}),
            Told::Synced => json!({"event": "synced"}),
            Told::Restarted => json!({"event": "restarted"}),
            Told::Broken(_) => return Ok(String::new()),
        };
        document(&value, self.format)
    }

    fn lines(&mut self, told: Told) -> Result<String, Failure> {
        match told {
            Told::Node(node) => {
                self.beginning.push(node_row(node)?);
                if self.beginning.len() < PAGE as usize {
                    return Ok(String::new());
                }
            }
            Told::Change { change, .. } => self.beginning.push(change_row(change)?),
            Told::Restarted => {
                self.beginning.clear();
                say("changes were missed that the server has forgotten; every node follows again");
                return Ok(String::new());
            }
            Told::Synced | Told::Broken(_) => {}
        }
        Ok(self.columns.rows(std::mem::take(&mut self.beginning)))
    }
}

fn node_row(node: Value) -> Result<[String; 7], Failure> {
    let node: Node = view(node)?;
    Ok([
        "present".to_owned(),
        node.node_name,
        node.instance_id,
        node.interfaces.len().to_string(),
        cells::maybe(node.revision),
        cells::maybe(node.updated_at.map(cells::time)),
        String::new(),
    ])
}

fn change_row(change: Value) -> Result<[String; 7], Failure> {
    let change: Change = view(change)?;
    Ok([
        change.kind,
        change.node_name,
        change.instance_id,
        change.interfaces.len().to_string(),
        change.revision.to_string(),
        cells::time(change.changed_at),
        change.changed_by,
    ])
}
