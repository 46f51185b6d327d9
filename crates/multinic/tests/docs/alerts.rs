//! The example alerts can be loaded, and ask for metrics that exist.

use regex::Regex;
use serde_json::Value;

use crate::{
    guide::{API_GUIDES, GUIDES, blocks, read},
    metrics::{api_names, names},
};

/// The rule file of a guide.
fn rules(guide: &str) -> Vec<Value> {
    let text = read(guide);
    let blocks = blocks(&text, "yaml");
    let file = blocks.iter().find(|block| block.starts_with("groups:")).unwrap();
    let file: Value = serde_saphyr::from_str(file).unwrap();
    let groups = file["groups"].as_array().unwrap();
    assert!(groups.iter().all(|group| group["name"].is_string()));
    groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap().clone())
        .collect()
}

#[test]
fn alerts_are_complete_and_ask_for_metrics_that_exist() {
    let (operator, api) = (names(), api_names());
    let metric = Regex::new("(?:multinic|process)_[a-z_]+").unwrap();
    let length = Regex::new("^[0-9]+[smh]$").unwrap();
    let guides = GUIDES.map(|guide| (guide, &operator));
    for (guide, names) in guides.into_iter().chain(API_GUIDES.map(|guide| (guide, &api))) {
        let rules = rules(guide);
        assert!(rules.len() >= 5);
        for rule in rules {
            let keys: Vec<&str> = rule.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(keys, ["alert", "annotations", "expr", "for", "labels"], "{rule}");
            let expression = rule["expr"].as_str().unwrap();
            let asked: Vec<&str> = metric.find_iter(expression).map(|found| found.as_str()).collect();
            assert!(!asked.is_empty(), "{rule}");
            let whole = |name: &str| name.trim_end_matches("_bucket").to_owned();
            assert!(asked.iter().all(|name| names.contains(&whole(name))), "{asked:?}");
            for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
                assert_eq!(
                    expression.matches(open).count(),
                    expression.matches(close).count(),
                    "{rule}"
                );
            }
            assert!(length.is_match(rule["for"].as_str().unwrap()), "{rule}");
            assert!(
                ["critical", "warning"].contains(&rule["labels"]["severity"].as_str().unwrap()),
                "{rule}"
            );
            assert!(!rule["annotations"]["summary"].as_str().unwrap().is_empty(), "{rule}");
        }
    }
}

#[test]
fn both_languages_have_the_same_alerts() {
    for guides in [GUIDES, API_GUIDES] {
        let [english, korean] = guides.map(|guide| {
            let rules = rules(guide).into_iter();
            rules
                .map(|rule| (rule["alert"].clone(), rule["expr"].clone(), rule["for"].clone()))
                .collect::<Vec<_>>()
        });
        assert_eq!(english, korean);
    }
}
