//! English and Korean say the same, as far as a test can tell; links lead somewhere.

use regex::Regex;

use crate::guide::{blocks, read, root, rows};

const PAIRS: [(&str, &str); 3] = [
    ("README.md", "README.ko.md"),
    ("docs/operations.md", "docs/operations.ko.md"),
    ("docs/management-api.md", "docs/management-api.ko.md"),
];

/// Headings by depth, first cells of tables in backticks, commands without their comments.
fn bones(path: &str) -> (Vec<usize>, Vec<String>, Vec<String>) {
    let text = read(path);
    let prose = text.split("```").step_by(2).collect::<String>();
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let headings = headings.map(|line| line.chars().take_while(|c| *c == '#').count());
    let code = Regex::new("`[^`]+`").unwrap();
    let cells = rows(&text).map(|row| {
        let first = row.split('|').nth(1).unwrap_or_default();
        code.find_iter(first).map(|found| found.as_str()).collect::<String>()
    });
    let commands = blocks(&text, "sh").into_iter().flat_map(str::lines);
    let commands = commands.map(|line| line.split('#').next().unwrap().trim().to_owned());
    (
        headings.collect(),
        cells.collect(),
        commands.filter(|line| !line.is_empty()).collect(),
    )
}

#[test]
fn both_languages_have_the_same_headings_tables_and_commands() {
    for (english, korean) in PAIRS {
        let (a, b) = (bones(english), bones(korean));
        assert_eq!(a.0, b.0, "headings of {korean}");
        assert_eq!(a.1, b.1, "tables of {korean}");
        assert_eq!(a.2, b.2, "commands of {korean}");
    }
}

#[test]
fn links_lead_to_files_and_headings_that_exist() {
    let link = Regex::new(r"\]\(([^)#:]*)(?:#([^)]*))?\)").unwrap();
    let others = ["docs/architecture.md", "CONTRIBUTING.md", "docs/adr/README.md"];
    let paths = PAIRS
        .iter()
        .flat_map(|(english, korean)| [*english, *korean])
        .chain(others);
    for path in paths {
        let (text, folder) = (read(path), root().join(path).parent().unwrap().to_owned());
        for found in link.captures_iter(&text) {
            let file = if found[1].is_empty() {
                root().join(path)
            } else {
                folder.join(&found[1])
            };
            assert!(file.exists(), "{path}: {}", &found[0]);
            if let Some(anchor) = found.get(2) {
                let target = std::fs::read_to_string(&file).unwrap();
                let known: Vec<String> = target.lines().filter(|line| line.starts_with('#')).map(slug).collect();
                assert!(
                    known.contains(&anchor.as_str().to_owned()),
                    "{path}: {}: {known:?}",
                    &found[0]
                );
            }
        }
    }
}

/// A heading's anchor, as GitHub makes it.
fn slug(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}
