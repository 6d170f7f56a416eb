//! What the maker declares (ICS) and describes (IXIT), as TOML that people write.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

/// Why a declaration file could not be read.
#[derive(Debug, Error)]
#[error("{file}:{line}: {message}")]
pub struct DeclarationError {
    pub file: String,
    pub line: usize,
    pub message: String,
}

/// Turns a TOML error into file and line.
pub fn located(file: &str, text: &str, error: &toml::de::Error) -> DeclarationError {
    let at = error.span().map_or(0, |s| s.start);
    let line = text.get(..at).map_or(1, |t| t.matches('\n').count() + 1);
    let message = error.message().lines().next().unwrap_or("not readable").to_owned();
    DeclarationError { file: file.to_owned(), line, message }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Support {
    Yes,
    No,
    NotApplicable,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    pub support: Support,
    #[serde(default)]
    pub reason: String,
}

/// The implementation conformance statement: a claim per provision.
///
/// ```toml
/// [claims]
/// "5.1-1" = { support = "yes" }
/// "5.1-2" = { support = "not-applicable", reason = "no pre-installed passwords" }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ics {
    #[serde(default)]
    pub claims: BTreeMap<String, Claim>,
}

impl Ics {
    pub fn parse(file: &str, text: &str) -> Result<Self, DeclarationError> {
        let ics: Self = toml::from_str(text).map_err(|e| located(file, text, &e))?;
        for (id, claim) in &ics.claims {
            if claim.support == Support::NotApplicable && claim.reason.trim().is_empty() {
                let line = line_of(text, id);
                let message = format!("`{id}` is claimed not applicable without a reason; add reason = \"...\"");
                return Err(DeclarationError { file: file.to_owned(), line, message });
            }
        }
        Ok(ics)
    }
}

fn line_of(text: &str, needle: &str) -> usize {
    text.lines().position(|l| l.contains(needle)).map_or(1, |n| n + 1)
}

/// One network service that the maker describes (`x-endpoints` of the IXIT).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredEndpoint {
    pub transport: super::Transport,
    pub port: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_port: Option<u16>,
    pub protocol: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub auth_ref: String,
    #[serde(default = "enabled")]
    pub status: EndpointStatus,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub purpose: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EndpointStatus {
    Enabled,
    Disabled,
    Transient,
}

fn enabled() -> EndpointStatus {
    EndpointStatus::Enabled
}

/// One way to log in that the maker describes (table 1-AuthMech).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredAuth {
    pub id: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub auth_factor: String,
    /// The mechanism's word as in an inventory: http-basic, http-form, mqtt, ssh ...
    #[serde(default, rename = "x-mechanism")]
    pub mechanism: String,
}

/// The software components and versions under test (table 6-SoftComp), as far as a probe compares them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredSoftware {
    pub id: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub version: String,
}

/// The implementation extra information for testing. A missing table was not supplied; an empty one
/// says that the device has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ixit {
    #[serde(default, rename = "x-endpoints")]
    pub endpoints: Option<Vec<DeclaredEndpoint>>,
    #[serde(default, rename = "1-AuthMech")]
    pub auth: Option<Vec<DeclaredAuth>>,
    #[serde(default, rename = "6-SoftComp")]
    pub software: Option<Vec<DeclaredSoftware>>,
    /// Paths of resources that are public by design, such as `coap:/time` or `http:/status`.
    #[serde(default, rename = "x-public")]
    pub public: Option<Vec<String>>,
    /// Banner items whose disclosure is declared (28-LogIntf, disclosed information).
    #[serde(default, rename = "x-disclosed")]
    pub disclosed: Option<Vec<String>>,
}

impl Ixit {
    pub fn parse(file: &str, text: &str) -> Result<Self, DeclarationError> {
        toml::from_str(text).map_err(|e| located(file, text, &e))
    }
}
