//! The implementation conformance statement: a claim per provision, and which conditions hold.
use super::{DeclarationError, located, write::quoted};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    Yes,
    No,
    NotApplicable,
}

impl Support {
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::NotApplicable => "not-applicable",
        }
    }

    /// In whatever case, as forms have it.
    pub fn parse(word: &str) -> Option<Self> {
        match word.trim().to_lowercase().as_str() {
            "yes" | "y" => Some(Self::Yes),
            "no" | "n" => Some(Self::No),
            "not-applicable" | "not applicable" | "n/a" => Some(Self::NotApplicable),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    pub support: Support,
    #[serde(default)]
    pub reason: String,
}

/// The statement.
///
/// ```toml
/// catalogue = "en303645-v2"
/// [conditions]
/// "2" = false
/// [claims]
/// "5.1-1" = { support = "yes" }
/// "5.1-2" = { support = "not-applicable", reason = "no pre-installed passwords" }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ics {
    /// Whose provisions are claimed; without it, those of the profile's catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<String>,
    /// Numbered conditions and lettered features of the catalogue: whether they hold for this device.
    #[serde(default)]
    pub conditions: BTreeMap<String, bool>,
    #[serde(default)]
    pub claims: BTreeMap<String, Claim>,
}

impl Ics {
    pub fn parse(file: &str, text: &str) -> Result<Self, DeclarationError> {
        let ics: Self = toml::from_str(text).map_err(|e| located(file, text, &e))?;
        for (id, claim) in &ics.claims {
            if claim.support == Support::NotApplicable && claim.reason.trim().is_empty() {
                let line = Self::line_of(text, id);
                let message = format!("`{id}` is claimed not applicable without a reason; add reason = \"...\"");
                return Err(DeclarationError { file: file.to_owned(), line, message });
            }
        }
        Ok(ics)
    }

    /// The file, without comments.
    pub fn toml(&self) -> String {
        let mut out = String::new();
        if let Some(catalogue) = &self.catalogue {
            let _ = writeln!(out, "catalogue = {}", quoted(catalogue));
        }
        out.push_str("\n[conditions]\n");
        for (id, holds) in &self.conditions {
            let _ = writeln!(out, "{} = {holds}", quoted(id));
        }
        out.push_str("\n[claims]\n");
        for (id, claim) in &self.claims {
            let (id, support, reason) = (quoted(id), quoted(claim.support.word()), quoted(&claim.reason));
            let _ = writeln!(out, "{id} = {{ support = {support}, reason = {reason} }}");
        }
        out
    }

    /// The line on which a claim or condition stands, as far as its key can be found.
    pub fn line_of(text: &str, key: &str) -> usize {
        let is = |line: &str| {
            let line = line.trim_start().trim_start_matches("[claims.");
            let line = line.trim_start_matches(['"', '\'']);
            line.strip_prefix(key).is_some_and(|rest| rest.starts_with(['"', '\'', ' ', '=', ']', '.']))
        };
        text.lines().position(is).map_or(1, |n| n + 1)
    }
}
