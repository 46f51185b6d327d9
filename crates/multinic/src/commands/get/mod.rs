//! `multinic get`: what the management API holds, for people and for programs.

mod cells;
mod connect;
mod diff;
mod explain;
mod node;
mod nodes;
mod providers;
mod revisions;
mod watch;

use std::process::ExitCode;

use multinic_api_client::Pages;
use serde_json::Value;

use self::{connect::reader, explain::explain};
use crate::{
    cli::{
        OutputFormat,
        get::{GetArgs, GetCommand},
    },
    failure::Failure,
    output::{Audience, items::Items, offer, print},
};

/// The most items that are asked for, and in memory, at once.
const PAGE: u32 = 500;

/// Shows what was asked for.
pub async fn run(args: &GetArgs) -> Result<ExitCode, Failure> {
    let reader = reader(&args.server)?;
    match &args.what {
        GetCommand::Nodes(wanted) if wanted.watch => watch::run(&reader, wanted, args.output).await,
        GetCommand::Nodes(wanted) => nodes::run(&reader, wanted, args.output).await,
        GetCommand::Node(wanted) => node::run(&reader, wanted, args.output).await,
        GetCommand::Providers => providers::run(&reader, args.output).await,
        GetCommand::Revisions(wanted) => revisions::run(&reader, wanted, args.output).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

/// Shows a list page by page: as `table` makes lines of it, or as the items came.
async fn show(
    mut pages: Pages<'_>,
    limit: Option<u32>,
    format: OutputFormat,
    mut table: impl FnMut(Vec<Value>) -> Result<String, Failure>,
) -> Result<usize, Failure> {
    let mut items = Items::new(format);
    let (mut left, mut shown) = (limit.map_or(usize::MAX, |limit| limit as usize), 0);
    while left > 0 {
        let page = pages.next::<Value>().await.map_err(explain)?;
        let Some(mut page) = page else { break };
        page.truncate(left);
        left -= page.len();
        shown += page.len();
        let text = match format {
            OutputFormat::Table => table(page)?,
            _ => items.add(&page)?,
        };
        if offer(&text)? == Audience::Gone {
            return Ok(shown);
        }
    }
    if format != OutputFormat::Table {
        print(items.end())?;
    }
    Ok(shown)
}

/// How many items a page has to have when at most so many are wanted.
fn page(limit: Option<u32>) -> u32 {
    limit.map_or(PAGE, |limit| limit.min(PAGE))
}
