//! The real schema, as each database tells it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};

/// By table.
pub type Schema = BTreeMap<String, Table>;

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// Name, type, whether it may be null; in order.
    pub columns: Vec<(String, String, bool)>,
    pub primary_key: Vec<String>,
    pub unique: BTreeSet<Vec<String>>,
    /// Columns, and whether it is a partial index; by name.
    pub indexes: BTreeMap<String, (Vec<String>, bool)>,
    /// Columns, the other table, its columns.
    pub references: BTreeSet<(Vec<String>, String, Vec<String>)>,
}

async fn rows(connection: &mut AnyConnection, sql: impl Into<String>) -> Vec<AnyRow> {
    sqlx::query(AssertSqlSafe(sql.into()))
        .fetch_all(connection)
        .await
        .unwrap()
}

fn text(row: &AnyRow, column: &str) -> String {
    row.get(column)
}

fn list(row: &AnyRow, column: &str) -> Vec<String> {
    text(row, column).split(',').map(ToOwned::to_owned).collect()
}

pub async fn of_sqlite(connection: &mut AnyConnection) -> Schema {
    let mut schema = Schema::new();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' \
        AND name NOT LIKE 'sqlite%'";
    for row in rows(connection, tables).await {
        let name = text(&row, "name");
        let mut table = Table::default();
        let columns = format!("SELECT name, type, \"notnull\", pk FROM pragma_table_info('{name}') ORDER BY cid");
        let mut key = BTreeMap::new();
        for row in rows(connection, columns).await {
            let column = text(&row, "name");
            table
                .columns
                .push((column.clone(), text(&row, "type"), row.get::<i64, _>("notnull") == 0));
            key.insert(row.get::<i64, _>("pk"), column);
        }
        key.remove(&0);
        table.primary_key = key.into_values().collect();
        let indexes = format!(
            "SELECT l.name, l.origin, l.partial, (SELECT group_concat(name) FROM (SELECT name FROM \
             pragma_index_info(l.name) ORDER BY seqno)) AS columns FROM pragma_index_list('{name}') l"
        );
        for row in rows(connection, indexes).await {
            match text(&row, "origin").as_str() {
                "u" => drop(table.unique.insert(list(&row, "columns"))),
                "c" => {
                    let partial = row.get::<i64, _>("partial") == 1;
                    table
                        .indexes
                        .insert(text(&row, "name"), (list(&row, "columns"), partial));
                }
                _ => {}
            }
        }
        let references = format!(
            "SELECT \"table\" AS other, group_concat(\"from\") AS columns, group_concat(\"to\") AS others FROM \
             (SELECT * FROM pragma_foreign_key_list('{name}') ORDER BY id, seq) GROUP BY id, \"table\""
        );
        for row in rows(connection, references).await {
            table
                .references
                .insert((list(&row, "columns"), text(&row, "other"), list(&row, "others")));
        }
        schema.insert(name, table);
    }
    schema
}

pub async fn of_postgres(connection: &mut AnyConnection) -> Schema {
    let mut schema = Schema::new();
    let columns = "SELECT table_name::text, column_name::text, upper(data_type::text) AS type, \
        (is_nullable = 'YES') AS nullable, COALESCE(collation_name::text, '') AS collation \
        FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE '\\_%' ORDER BY ordinal_position";
    for row in rows(connection, columns).await {
        let kind = text(&row, "type");
        assert!(
            kind != "TEXT" || text(&row, "collation") == "C",
            "text is compared byte by byte"
        );
        let table: &mut Table = schema.entry(text(&row, "table_name")).or_default();
        table
            .columns
            .push((text(&row, "column_name"), kind, row.get("nullable")));
    }
    let constraints = "SELECT c.conrelid::regclass::text AS name, c.contype::text AS kind, c.confrelid::regclass::text AS other, \
        (SELECT string_agg(a.attname::text, ',' ORDER BY k.place) FROM unnest(c.conkey) WITH ORDINALITY k(number, place) \
         JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.number) AS columns, \
        COALESCE((SELECT string_agg(a.attname::text, ',' ORDER BY k.place) FROM unnest(c.confkey) WITH ORDINALITY k(number, place) \
         JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.number), '') AS others \
        FROM pg_constraint c WHERE c.connamespace = 'public'::regnamespace AND c.contype IN ('p', 'u', 'f')";
    for row in rows(connection, constraints).await {
        let Some(table) = schema.get_mut(&text(&row, "name")) else {
            continue;
        };
        match text(&row, "kind").as_str() {
            "p" => table.primary_key = list(&row, "columns"),
            "u" => drop(table.unique.insert(list(&row, "columns"))),
            _ => drop(
                table
                    .references
                    .insert((list(&row, "columns"), text(&row, "other"), list(&row, "others"))),
            ),
        }
    }
    let indexes = "SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS owner, \
        (i.indpred IS NOT NULL) AS partial, \
        (SELECT string_agg(a.attname::text, ',' ORDER BY k.place) FROM unnest(i.indkey::smallint[]) WITH ORDINALITY k(number, place) \
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number) AS columns \
        FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisunique";
    for row in rows(connection, indexes).await {
        if let Some(table) = schema.get_mut(&text(&row, "owner")) {
            table
                .indexes
                .insert(text(&row, "name"), (list(&row, "columns"), row.get("partial")));
        }
    }
    schema
}

/// Mermaid's diagram of it.
pub fn mermaid(schema: &Schema) -> String {
    let mut text = "erDiagram\n".to_owned();
    for (name, table) in schema {
        for (columns, other, _) in &table.references {
            let one = table.primary_key.iter().all(|column| columns.contains(column));
            let many = if one { "o|" } else { "o{" };
            writeln!(text, "    {other} ||--{many} {name} : \"{}\"", columns.join(", ")).unwrap();
        }
    }
    for (name, table) in schema {
        writeln!(text, "    {name} {{").unwrap();
        for (column, kind, nullable) in &table.columns {
            let mut keys = Vec::new();
            if table.primary_key.contains(column) {
                keys.push("PK");
            }
            if table.references.iter().any(|(columns, ..)| columns.contains(column)) {
                keys.push("FK");
            }
            if table.unique.iter().any(|columns| columns.contains(column)) {
                keys.push("UK");
            }
            let keys = keys.join(", ");
            let null = if *nullable { "\"may be empty\"" } else { "" };
            let words = [kind.as_str(), column, &keys, null];
            let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
            writeln!(text, "        {}", words.join(" ")).unwrap();
        }
        text.push_str("    }\n");
    }
    text
}
