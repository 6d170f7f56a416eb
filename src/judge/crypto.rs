//! What public catalogues and cryptanalysis say of the cryptographic words of a declaration.
use jiff::civil::Date;
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use std::{collections::BTreeSet, sync::LazyLock};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Accepted,
    /// For existing products, up to a day where the catalogue names one.
    Legacy,
    Broken,
    /// It names nothing that can be looked up.
    Unclear,
}

/// One pattern of `profiles/data/crypto.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    pattern: String,
    standing: Standing,
    #[serde(default)]
    why: String,
    until: Option<String>,
    source: String,
    #[expect(dead_code, reason = "provenance, which a test reads")]
    confidence: String,
}

struct Row {
    pattern: Regex,
    standing: Standing,
    why: String,
    until: Option<Date>,
    source: String,
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "word")]
    words: Vec<Written>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let read = toml::from_str::<File>(include_str!("../../profiles/data/crypto.toml")).map(|f| f.words);
    read.unwrap_or_default().into_iter().filter_map(row).collect()
});

/// None: a pattern or a day that cannot be read, which a test keeps out.
fn row(w: Written) -> Option<Row> {
    let pattern =
        RegexBuilder::new(&format!(r"^(?:{})\b{{end-half}}", w.pattern)).case_insensitive(true).build().ok()?;
    let until = match &w.until {
        Some(day) => Some(day.parse().ok()?),
        None => None,
    };
    Some(Row { pattern, standing: w.standing, why: w.why, until, source: w.source })
}

/// A word of a declaration, as written, and what is known of it.
#[derive(Debug, PartialEq, Eq)]
pub struct Word<'a> {
    pub text: &'a str,
    pub standing: Standing,
    /// Why, and who says so.
    pub says: String,
    pub until: Option<Date>,
}

/// What a text names: the mechanisms that are known, and the words that look like one and are not.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Named<'a> {
    pub known: Vec<Word<'a>>,
    pub unknown: BTreeSet<&'a str>,
}

/// Reads a text from left to right; at each word the longest pattern wins.
pub fn named(text: &str) -> Named<'_> {
    let (mut out, mut at) = (Named::default(), 0);
    while let Some(rest) = text.get(at..).filter(|r| !r.is_empty()) {
        let begins = rest.chars().next().is_some_and(char::is_alphanumeric);
        if !begins {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let longest = ROWS
            .iter()
            .filter_map(|row| Some((row.pattern.find(rest)?.as_str().trim_end(), row)))
            .max_by_key(|(found, _)| found.len());
        let taken = match longest {
            Some((found, row)) => {
                out.known.push(Word { text: found, standing: row.standing, says: says(row), until: row.until });
                found
            }
            None => {
                let word = first_word(rest);
                if looks_like_a_mechanism(word) {
                    out.unknown.insert(word);
                }
                word
            }
        };
        at += taken.len().max(1);
    }
    out
}

fn first_word(rest: &str) -> &str {
    let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    rest.get(..end).unwrap_or(rest)
}

/// Capitals that name no mechanism.
const ORDINARY: [&str; 24] = [
    "API", "APP", "BIOS", "CPU", "FCC", "GPIO", "IOT", "JSON", "LAN", "LED", "MAC", "NFC", "NOT", "PIN", "QR", "RAM",
    "ROM", "SSID", "UART", "URL", "USB", "UUID", "WAN", "WLAN",
];

/// Letters and digits together, or capitals alone: how mechanisms are written.
fn looks_like_a_mechanism(word: &str) -> bool {
    if ORDINARY.contains(&word) {
        return false;
    }
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    let digits = word.chars().any(char::is_numeric);
    let capitals = word.chars().filter(|c| c.is_alphabetic()).all(char::is_uppercase);
    letters > 0 && (digits || capitals && letters > 2)
}

fn says(row: &Row) -> String {
    match row.why.as_str() {
        "" => row.source.clone(),
        why => format!("{why}: {}", row.source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standings(text: &str) -> Vec<(&str, Standing)> {
        named(text).known.iter().map(|w| (w.text, w.standing)).collect()
    }

    #[test]
    fn every_row_is_read_and_names_its_source_and_confidence() {
        let text = include_str!("../../profiles/data/crypto.toml");
        assert_eq!(text.matches("[[word]]").count(), ROWS.len());
        let file: toml::Table = toml::from_str(text).unwrap();
        for row in file.get("word").unwrap().as_array().unwrap() {
            assert!(!row.get("source").unwrap().as_str().unwrap().is_empty());
            assert!(["high", "medium", "low"].contains(&row.get("confidence").unwrap().as_str().unwrap()));
        }
    }

    #[test]
    fn what_a_maker_writes_is_taken_apart_into_mechanisms() {
        use Standing::{Accepted, Broken, Legacy, Unclear};
        for (text, want) in [
            ("TLS 1.2 and 1.3, ECDHE with P-256, AES-128-GCM", vec![Accepted, Accepted, Accepted]),
            ("TLS 1.0-1.2", vec![Broken]),
            ("TLSv1.2+", vec![Accepted]),
            ("https", vec![Unclear]),
            ("HTTPS over TLS 1.3", vec![Accepted]),
            ("RSA-2048 with SHA-256", vec![Legacy, Accepted]),
            ("RSA with SHA-1", vec![Unclear, Broken]),
            ("HMAC-SHA1", vec![Legacy]),
            ("3DES-CBC", vec![Broken]),
            ("DES", vec![Broken]),
            ("ed25519 signature over SHA-512", vec![Accepted, Accepted]),
            ("SSH-2 (curve25519, chacha20-poly1305)", vec![Accepted, Accepted, Accepted]),
            ("our own secret cipher", vec![Unclear]),
        ] {
            let got: Vec<Standing> = standings(text).into_iter().map(|w| w.1).collect();
            assert_eq!(got, want, "{text}: {:?}", standings(text));
        }
    }

    #[test]
    fn a_word_that_no_catalogue_row_knows_is_told_and_ordinary_words_are_not() {
        let named = named("The password is sent with FOO9 and QUX inside AES-256-GCM, once per day");
        assert_eq!(named.unknown, BTreeSet::from(["FOO9", "QUX"]));
        assert_eq!(named.known.len(), 1);
    }

    #[test]
    fn any_text_is_read_to_its_end() {
        for text in ["", "é", "ßß TLS", "\u{0}1", "TLS 1.", "----", "ＡＥＳ１２８"] {
            named(text);
        }
    }
}
