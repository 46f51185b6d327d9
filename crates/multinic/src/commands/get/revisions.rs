//! `multinic get revisions NAME`: who changed what, and when.

use multinic_api_client::{ApiReader, views::Change};

use super::{PAGE, cells, connect::cluster, diff, explain::explain, page, show};
use crate::{
    cli::{OutputFormat, get::RevisionsArgs},
    failure::Failure,
    output::{Audience, columns::Columns, offer},
};

/// Shows the history, the newest change first.
pub async fn run(reader: &ApiReader, args: &RevisionsArgs, format: OutputFormat) -> Result<(), Failure> {
    let cluster = cluster(reader, &args.provider).await?;
    if format != OutputFormat::Table {
        let pages = reader.revisions(&cluster, &args.name, page(args.limit));
        return show(pages, args.limit, format, |_| Ok(String::new())).await.map(|_| ());
    }
    let mut history = History::new();
    let mut left = args.limit.map_or(usize::MAX, |limit| limit as usize);
    let mut pages = reader.revisions(
        &cluster,
        &args.name,
        args.limit.map_or(PAGE, |limit| limit.saturating_add(1).min(PAGE)),
    );
    while let Some(page) = pages.next::<Change>().await.map_err(explain)? {
        if offer(&history.page(page, &mut left))? == Audience::Gone || left == 0 {
            return Ok(());
        }
    }
    offer(&history.end(left)).map(|_| ())
}

/// A table in which each change waits for the one before it, which comes after it.
pub struct History {
    columns: Columns<5>,
    waiting: Option<Change>,
}

impl History {
    pub fn new() -> Self {
        Self {
            columns: Columns::new(["REVISION", "WHEN", "WHAT", "BY", "CHANGES"]),
            waiting: None,
        }
    }

    /// The lines of the changes that these complete, at most `left` of them.
    pub fn page(&mut self, changes: Vec<Change>, left: &mut usize) -> String {
        let mut rows = Vec::new();
        for change in changes {
            if let Some(now) = self.waiting.take().filter(|_| *left > 0) {
                rows.extend(Self::rows(Some(&change), &now));
                *left -= 1;
            }
            self.waiting = Some(change);
        }
        if rows.is_empty() {
            String::new()
        } else {
            self.columns.rows(rows)
        }
    }

    /// The lines of the last one.
    pub fn end(&mut self, left: usize) -> String {
        match self.waiting.take() {
            Some(now) if left > 0 => self.columns.rows(Self::rows(None, &now)),
            _ => String::new(),
        }
    }

    fn rows(before: Option<&Change>, now: &Change) -> Vec<[String; 5]> {
        let mut head = [
            now.revision.to_string(),
            cells::time(now.changed_at),
            now.kind.clone(),
            now.changed_by.clone(),
        ];
        let lines = diff::lines(before, now).into_iter();
        lines
            .map(|line| {
                let [revision, when, what, by] = std::mem::replace(&mut head, std::array::from_fn(|_| " ".to_owned()));
                [revision, when, what, by, line]
            })
            .collect()
    }
}
