//! Classes of secrets and personal data in a text. Only the class is kept, never the text.
use super::data::{builtin, pattern};
use regex::Regex;
use serde::Deserialize;
use std::{collections::BTreeSet, sync::LazyLock};

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "pattern")]
    patterns: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    id: String,
    class: String,
    pattern: String,
}

static RULES: LazyLock<Vec<(String, Regex)>> = LazyLock::new(|| {
    let written: Written = builtin("secret-patterns.toml", include_str!("../../profiles/data/secret-patterns.toml"));
    written.patterns.into_iter().map(|r| (r.class, pattern(&r.id, &r.pattern))).collect()
});

/// The classes of sensitive content in `text`, sorted.
pub fn classes(text: &str) -> Vec<String> {
    let all: BTreeSet<&String> = RULES.iter().filter(|(_, r)| r.is_match(text)).map(|(c, _)| c).collect();
    all.into_iter().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_matches_its_example_and_not_its_counter_example() {
        let all: toml::Table = toml::from_str(include_str!("../../profiles/data/secret-patterns.toml")).unwrap();
        let rows = all["pattern"].as_array().unwrap();
        assert_eq!(rows.len(), RULES.len());
        for row in rows {
            let get = |k: &str| row[k].as_str().unwrap();
            let regex = Regex::new(get("pattern")).unwrap();
            assert!(regex.is_match(get("example")), "{row}");
            assert!(!regex.is_match(get("counter")), "{row}");
        }
    }
}
