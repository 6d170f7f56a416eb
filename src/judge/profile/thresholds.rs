//! The numbers and references that schemes set and that an assessor applies: a closed list, so that a misspelt one is found.
use serde::Deserialize;
use std::sync::LazyLock;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Number,
    Text,
    Flag,
    List,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Text => "text",
            Self::Flag => "flag (true or false)",
            Self::List => "list of texts",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    pub id: String,
    pub kind: Kind,
    /// What it limits, with its unit.
    pub text: String,
}

impl Threshold {
    pub fn accepts(&self, value: &toml::Value) -> bool {
        match self.kind {
            Kind::Number => value.is_integer() || value.is_float(),
            Kind::Text => value.is_str(),
            Kind::Flag => value.is_bool(),
            Kind::List => value.as_array().is_some_and(|a| a.iter().all(toml::Value::is_str)),
        }
    }
}

#[derive(Deserialize)]
struct File {
    #[serde(rename = "threshold")]
    thresholds: Vec<Threshold>,
}

pub fn all() -> &'static [Threshold] {
    static ALL: LazyLock<Vec<Threshold>> = LazyLock::new(|| {
        let read = toml::from_str::<File>(include_str!("../../../profiles/data/thresholds.toml"));
        read.map(|f| f.thresholds).unwrap_or_default()
    });
    &ALL
}

pub fn find(id: &str) -> Option<&'static Threshold> {
    all().iter().find(|t| t.id == id)
}

/// A value as a person writes it.
pub fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(s) => s.clone(),
        toml::Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
