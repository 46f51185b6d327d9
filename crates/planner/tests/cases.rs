#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
//! The golden folders: one plan after the other against `expected.yaml`.

mod golden;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Set it to write what the planner says now into every `expected.yaml`.
const UPDATE: &str = "UPDATE_CASES";

#[test]
fn every_case_says_what_is_expected() {
    let folders = folders();
    let differing: Vec<_> = folders.iter().filter_map(|folder| check(folder)).collect();
    assert!(
        differing.is_empty(),
        "{} of {} cases differ; if that is meant, run `{UPDATE}=1 cargo test -p multinic-planner --test cases` and \
         read the diff\n\n{}",
        differing.len(),
        folders.len(),
        differing.join("\n")
    );
    assert!(folders.len() >= 30, "only {} cases were found", folders.len());
}

fn folders() -> Vec<PathBuf> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<_> = fs::read_dir(cases)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    folders
}

fn check(folder: &Path) -> Option<String> {
    let said = golden::run(folder);
    let file = folder.join("expected.yaml");
    if env::var_os(UPDATE).is_some() {
        fs::write(&file, &said).unwrap();
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    let name = folder.file_name().unwrap().to_string_lossy().into_owned();
    (said != expected).then(|| format!("{name}\n{}", diff(&expected, &said)))
}

/// Lines that are only expected, and lines that are only said, around the longest common beginning and end.
fn diff(expected: &str, said: &str) -> String {
    let (expected, said): (Vec<_>, Vec<_>) = (expected.lines().collect(), said.lines().collect());
    let start = expected.iter().zip(&said).take_while(|(a, b)| a == b).count();
    let rest = expected.len().min(said.len()) - start;
    let ends = expected.iter().rev().zip(said.iter().rev()).take(rest);
    let end = ends.take_while(|(a, b)| a == b).count();
    let marked = |mark: &str, lines: &[&str]| {
        let lines = &lines[start..lines.len() - end];
        lines
            .iter()
            .flat_map(|line| ["  ", mark, " ", line, "\n"])
            .collect::<String>()
    };
    format!("  line {}\n{}{}", start + 1, marked("-", &expected), marked("+", &said))
}
