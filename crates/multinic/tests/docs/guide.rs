//! A document, taken apart.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use regex::Regex;

/// The operator's guide in English and in Korean.
pub const GUIDES: [&str; 2] = ["docs/operations.md", "docs/operations.ko.md"];

/// The management API's.
pub const API_GUIDES: [&str; 2] = ["docs/management-api.md", "docs/management-api.ko.md"];

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A document's text.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The words in backticks in the first cells of all tables that match.
pub fn first_cells(text: &str, word: &str) -> BTreeSet<String> {
    let word = Regex::new(&format!("`({word})`")).unwrap();
    let cells = rows(text).map(|row| row.split('|').nth(1).unwrap_or_default());
    let words = cells.flat_map(|cell| {
        word.captures_iter(cell)
            .map(|found| found[1].to_owned())
            .collect::<Vec<_>>()
    });
    words.collect()
}

/// The rows of all tables.
pub fn rows(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| line.starts_with('|'))
}

/// The code blocks of a language, without their indentation by lists.
pub fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("```{language}\n");
    let blocks = text.split(&fence).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap()).collect()
}
