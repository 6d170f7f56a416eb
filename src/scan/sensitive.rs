//! Classes of secrets and personal data in a text. Only the class is kept, never the text.
use super::data::{byte_pattern, pattern, rows};
use regex::{Regex, bytes};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::LazyLock,
};

#[derive(Deserialize)]
struct Rule {
    id: String,
    class: String,
    pattern: String,
}

static RULES: LazyLock<Vec<(String, Regex)>> = LazyLock::new(|| {
    let rules: Vec<Rule> =
        rows("secret-patterns.toml", include_str!("../../profiles/data/secret-patterns.toml"), "pattern");
    rules.into_iter().map(|r| (r.class, pattern(&r.id, &r.pattern))).collect()
});

/// The classes of sensitive content in `text`, sorted.
pub fn classes(text: &str) -> Vec<String> {
    let all: BTreeSet<&String> = RULES.iter().filter(|(_, r)| r.is_match(text)).map(|(c, _)| c).collect();
    all.into_iter().cloned().collect()
}

/// The classes of sensitive content in `text`, each with where it first stands.
pub fn places(text: &str) -> BTreeMap<String, usize> {
    let mut all = BTreeMap::new();
    for (class, rule) in RULES.iter() {
        if let Some(found) = rule.find(text) {
            let at = all.entry(class.clone()).or_insert(found.start());
            *at = found.start().min(*at);
        }
    }
    all
}

/// What a device gives out as the value of a secret, and the cookies that it sets.
static VALUES: LazyLock<[bytes::Regex; 3]> = LazyLock::new(|| {
    let named = r#"(?i-u)\b(?:[a-z0-9]+[_.-])*(?:pass(?:word|wd|phrase|code)?|psk|wpa_?key|secret|(?:api|private|access)_?key|(?:access|auth)_?token)["']?[ \t]*[:=][ \t]*["']?([^"'\s,;&<>{}()\[\]]{3,})"#;
    let cookie = r"(?i-u)\bset-cookie:[ \t]*[^=;\r\n]+=([^;\r\n]+)";
    let element = r"(?i-u)<(?:\w*(?:password|passwd|passphrase|psk|wpa_?key|secret))>([^<\s][^<]+)<";
    let cookie_value = byte_pattern("cookie-value", cookie);
    [byte_pattern("secret-value", named), cookie_value, byte_pattern("secret-element", element)]
});

/// Where the values of secrets stand in what passed over a connection: they are not kept.
pub fn values(passed: &[u8]) -> Vec<Range<usize>> {
    let found = VALUES.iter().flat_map(|r| r.captures_iter(passed)).filter_map(|c| c.get(1));
    found.map(|m| m.range()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_are_found_and_the_words_around_them_are_not() {
        for (text, hidden) in [
            (r#"{"ssid":"Home","password":"sunflower-77"}"#, vec!["sunflower-77"]),
            ("psk=abc12345&mode=2", vec!["abc12345"]),
            (r#"{"wifi_password":"sunflower-77"}"#, vec!["sunflower-77"]),
            ("<Wifi><WpaKey>abc12345</WpaKey></Wifi>", vec!["abc12345"]),
            ("HTTP/1.1 200 OK\r\nSet-Cookie: sid=f00dcafe; HttpOnly\r\n", vec!["f00dcafe"]),
            (r#"<input type="password" name="p">"#, vec![]),
            ("login: root\r\nPassword: \r\nLogin incorrect", vec![]),
        ] {
            let found: Vec<&str> = values(text.as_bytes()).into_iter().map(|r| &text[r]).collect();
            assert_eq!(found, hidden, "{text}");
        }
    }

    #[test]
    fn every_pattern_matches_its_example_and_not_its_counter_example() {
        let text = include_str!("../../profiles/data/secret-patterns.toml");
        crate::scan::data::examples_hold(text, "pattern", RULES.len());
    }
}
