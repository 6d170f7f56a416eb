//! What was not looked at, and why: never the device's verdict, always ours.
use super::subject::Subject;
use serde::{Deserialize, Serialize};

/// Why something was not looked at. Never the device's verdict, always ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    NotRun,
    OutOfScope,
    TooIntrusive,
    NoPrivilege,
    DeviceGone,
    DeviceChanged,
    Interrupted,
    BudgetSpent,
    NotSupplied,
    NotAttested,
    /// The host answers on ports that nothing should serve; what it says of ports proves nothing.
    Wildcard,
    /// We asked and could not read the answer (a protocol or cipher we do not speak).
    NotUnderstood(String),
    OurError(String),
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotRun => "it was not run",
            Self::OutOfScope => "it is out of scope",
            Self::TooIntrusive => "the scope does not allow anything that intrusive",
            Self::NoPrivilege => "this machine does not permit it",
            Self::DeviceGone => "the device stopped answering",
            Self::DeviceChanged => "another device answered",
            Self::Interrupted => "the scan was interrupted",
            Self::BudgetSpent => "the budget was spent",
            Self::NotSupplied => "it was not supplied",
            Self::NotAttested => "no assessor has attested it",
            Self::Wildcard => "the host accepts connections on every port",
            Self::NotUnderstood(s) | Self::OurError(s) => s,
        })
    }
}

/// Something we did not do or could not finish. It can only ever move a verdict towards INCONCLUSIVE.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    pub wanted: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    pub why: Why,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.subject {
            Some(s) => write!(f, "{} ({s}): {}", self.wanted, self.why),
            None => write!(f, "{}: {}", self.wanted, self.why),
        }
    }
}
