//! Products and versions by what a service says. The rules are data with provenance and an example each.
use super::data::{builtin, pattern};
use regex::Regex;
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "fingerprint")]
    fingerprints: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    id: String,
    on: String,
    pattern: String,
    product: String,
    #[serde(default)]
    vendor: Option<String>,
    #[serde(default)]
    version: Option<usize>,
}

struct Compiled {
    rule: Rule,
    regex: Regex,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    pub product: Option<String>,
    pub version: Option<String>,
    pub vendor: Option<String>,
}

static RULES: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let text = include_str!("../../profiles/data/fingerprints.toml");
    let written: Written = builtin("fingerprints.toml", text);
    written.fingerprints.into_iter().map(|rule| Compiled { regex: pattern(&rule.id, &rule.pattern), rule }).collect()
});

/// The first rule for `on` (banner, http-server, ssh-ident ...) that matches what was said.
pub fn product(on: &str, said: &str) -> Option<Product> {
    if said.is_empty() {
        return None;
    }
    RULES.iter().filter(|c| c.rule.on == on).find_map(|c| {
        let hit = c.regex.captures(said)?;
        let version = c.rule.version.and_then(|g| hit.get(g)).map(|m| m.as_str().to_owned());
        Some(Product { product: Some(c.rule.product.clone()), version, vendor: c.rule.vendor.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_matches_its_example_and_not_its_counter_example() {
        let text = include_str!("../../profiles/data/fingerprints.toml");
        crate::scan::data::examples_hold(text, "fingerprint", RULES.len());
    }
}
