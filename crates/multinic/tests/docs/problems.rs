//! Every problem of the management API is explained, with its status, and no other.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use regex::Regex;

use crate::guide::{API_GUIDES, read, root, rows};

/// The sources of a folder.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            if path.is_dir() {
                sources(&path)
            } else {
                fs::read_to_string(path).unwrap()
            }
        })
        .collect()
}

/// `{name: status}` as the program makes them.
fn made() -> BTreeMap<String, BTreeSet<String>> {
    let text = sources(&root().join("crates/management-api/src"));
    let made = Regex::new(r#"(?:Problem|Self)::new\(\s*StatusCode::([A-Z_]+),\s*"([a-z-]+)""#).unwrap();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for made in made.captures_iter(&text) {
        found.entry(made[2].to_owned()).or_default().insert(status(&made[1]));
    }
    let [all, seen] = [r"Problem::new\(", r#"Problem::new\(\s*StatusCode::[A-Z_]+,\s*""#]
        .map(|pattern| Regex::new(pattern).unwrap().find_iter(&text).count());
    assert_eq!(all, seen, "a problem is made in a way that this test does not see");
    found
}

fn status(name: &str) -> String {
    let code = (400..600).filter_map(|code| reqwest::StatusCode::from_u16(code).ok());
    let mut named = code.filter(|code| {
        let reason = code.canonical_reason().unwrap_or_default();
        reason.to_uppercase().replace([' ', '-'], "_") == name
    });
    named.next().unwrap_or_else(|| panic!("{name}")).as_u16().to_string()
}

#[test]
fn every_problem_is_explained_and_no_other() {
    let expected = made();
    assert!(expected.len() >= 15, "{expected:?}");
    let row = Regex::new(r"^\| `([a-z-]+)` \| ([45]\d\d) \| \S").unwrap();
    for guide in API_GUIDES {
        let text = read(guide);
        let explained: BTreeMap<String, BTreeSet<String>> = rows(&text)
            .filter_map(|line| row.captures(line))
            .map(|found| (found[1].to_owned(), BTreeSet::from([found[2].to_owned()])))
            .collect();
        assert_eq!(explained, expected, "{guide}");
    }
}
