//! `docs/erd.md`.

use std::{fs, path::Path};

use super::schema::{Schema, mermaid, of_postgres, of_sqlite};
use crate::support::database::TestDatabase;

async fn schemas() -> [Schema; 2] {
    let (sqlite, postgres) = (TestDatabase::sqlite(), TestDatabase::postgres());
    sqlite.store().await;
    postgres.store().await;
    [
        of_sqlite(&mut sqlite.connect().await).await,
        of_postgres(&mut postgres.connect().await).await,
    ]
}

fn document() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/erd.md")).unwrap_or_default()
}

/// The part of the document about one table.
fn section<'d>(document: &'d str, table: &str) -> &'d str {
    let rest = document
        .split_once(&format!("\n## {table}\n"))
        .unwrap_or_else(|| panic!("{table} has no section"))
        .1;
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

#[tokio::test]
async fn both_databases_have_the_same_schema() {
    let [sqlite, postgres] = schemas().await;
    assert_eq!(sqlite, postgres);
}

#[tokio::test]
async fn the_diagram_is_the_real_schema() {
    let [sqlite, _] = schemas().await;
    let diagram = mermaid(&sqlite);
    assert!(
        document().contains(&format!("```mermaid\n{diagram}```")),
        "docs/erd.md needs this diagram:\n{diagram}"
    );
}

#[tokio::test]
async fn every_column_key_and_index_is_explained() {
    let [sqlite, _] = schemas().await;
    let document = document();
    for (name, table) in &sqlite {
        let section = section(&document, name);
        let explained = |what: String| assert!(section.contains(&what), "{name}: {what} is not explained");
        for (column, kind, _) in &table.columns {
            explained(format!("| `{column}` | {kind} |"));
        }
        explained(format!("primary key (`{}`)", table.primary_key.join("`, `")));
        for columns in &table.unique {
            explained(format!("unique (`{}`)", columns.join("`, `")));
        }
        for (index, (columns, _)) in &table.indexes {
            explained(format!("`{index}` (`{}`)", columns.join("`, `")));
        }
        for (columns, other, _) in &table.references {
            explained(format!("(`{}`) → `{other}`", columns.join("`, `")));
        }
        let rows = section.lines().filter(|line| line.starts_with("| `")).count();
        assert_eq!(rows, table.columns.len(), "{name}: a row for each column and no other");
    }
}
