//! Accounts that people supply, so that a scan can look at what those see who may log in.
use super::Reference;
use crate::model::observation::Mechanism;
use serde::{Deserialize, Serialize};

/// What an account may do, as its owner says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    #[default]
    Admin,
    /// Less than that.
    User,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    pub user: String,
    /// Where its secret is kept, never the secret: `env:NAME` or `file:PATH`.
    pub secret: Reference,
    #[serde(default)]
    pub role: Role,
    /// The ways to log in that know it: every one, where none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mechanisms: Vec<Mechanism>,
    /// Whether its password may be changed for a moment, where the scope allows `alter`.
    #[serde(default, skip_serializing_if = "Change::is_forbidden")]
    pub password: Change,
}

/// What may become of a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    #[default]
    Stays,
    /// It is changed, tried, and set again to what it was.
    MayChange,
}

impl Change {
    fn is_forbidden(&self) -> bool {
        *self == Self::Stays
    }
}

/// A file with the passwords that the maker set on several devices, one row each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelFile {
    /// Where the CSV text is kept: `file:PATH` or `env:NAME`.
    pub file: Reference,
    /// The entry of IXIT table 1-AuthMech that asks for these passwords.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
}
