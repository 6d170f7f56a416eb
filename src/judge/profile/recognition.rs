//! Which label stands in for which scheme, as data. It is shown beside profiles and changes no verdict.
use serde::{Deserialize, Serialize};
use std::{fmt, sync::LazyLock};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    #[serde(rename = "in force")]
    InForce,
    #[serde(rename = "intent")]
    Intent,
    #[serde(rename = "ended")]
    Ended,
}

impl Status {
    pub fn word(self) -> &'static str {
        match self {
            Self::InForce => "in force",
            Self::Intent => "intent",
            Self::Ended => "ended",
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recognition {
    pub label: String,
    /// The lowest level of the label that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    #[serde(rename = "for")]
    pub stands_in_for: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_level: Option<String>,
    pub status: Status,
    /// A date, YYYY-MM-DD.
    pub since: String,
    /// Requirements that need not be shown again; none named: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waives: Vec<String>,
    pub rule: String,
    pub sources: Vec<String>,
    pub confidence: String,
}

impl fmt::Display for Recognition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let level =
            |l: &Option<String>, more: &str| l.as_ref().map_or_else(String::new, |l| format!(" level {l}{more}"));
        write!(f, "{}{}", self.label, level(&self.level, " or above"))?;
        write!(f, " stands in for {}{}", self.stands_in_for, level(&self.for_level, ""))?;
        if !self.waives.is_empty() {
            write!(f, " ({})", self.waives.join(", "))?;
        }
        write!(f, ", {} since {} (confidence {}): {}", self.status.word(), self.since, self.confidence, self.rule)
    }
}

/// A scheme that is recognised somewhere and has no profile here.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scheme {
    pub id: String,
    pub title: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "scheme")]
    schemes: Vec<Scheme>,
    #[serde(rename = "recognition")]
    recognitions: Vec<Recognition>,
}

fn file() -> &'static File {
    static FILE: LazyLock<File> =
        LazyLock::new(|| toml::from_str(include_str!("../../../profiles/data/recognition.toml")).unwrap_or_default());
    &FILE
}

pub fn all() -> &'static [Recognition] {
    &file().recognitions
}

pub fn schemes() -> &'static [Scheme] {
    &file().schemes
}

/// What concerns a profile, as label or as what it stands in for.
pub fn of(id: &str) -> impl Iterator<Item = &'static Recognition> {
    all().iter().filter(move |r| r.label == id || r.stands_in_for == id)
}

pub fn between(a: &str, b: &str) -> impl Iterator<Item = &'static Recognition> {
    of(a).filter(move |r| r.label == b || r.stands_in_for == b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::profile::{BUILTIN, Profile};

    #[test]
    fn every_name_level_and_item_of_the_data_exists() {
        assert!(all().len() > 8);
        for r in all() {
            for (id, level) in [(&r.label, &r.level), (&r.stands_in_for, &r.for_level)] {
                if schemes().iter().any(|s| s.id == *id) {
                    continue;
                }
                assert!(BUILTIN.iter().any(|b| b.0 == id), "{id}");
                let name = level.as_ref().map_or_else(|| id.clone(), |l| format!("{id}:{l}"));
                let profile = Profile::builtin(&name).unwrap();
                if *id == r.stands_in_for {
                    for w in &r.waives {
                        assert!(profile.requirements.iter().any(|q| q.id == *w), "{w}");
                    }
                }
            }
            assert!(r.since.parse::<jiff::civil::Date>().is_ok(), "{}", r.since);
            assert!(["high", "medium", "low"].contains(&r.confidence.as_str()) && !r.sources.is_empty());
        }
    }
}
