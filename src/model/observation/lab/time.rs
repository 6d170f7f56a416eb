//! What a laboratory saw of a device whose clock was moved by the time that it asks for.
use serde::{Deserialize, Serialize};

/// The time that was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// In which a certificate that is over was in force.
    Past,
    /// In which the genuine certificate is over.
    Future,
}

impl Told {
    pub fn words(self) -> &'static str {
        match self {
            Self::Past => "a time in the past",
            Self::Future => "a time in the future",
        }
    }

    /// Which gaps concern it.
    pub fn topic(self) -> &'static str {
        match self {
            Self::Past => "past",
            Self::Future => "future",
        }
    }
}

/// How a device met an update server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Met {
    /// It did not come.
    NoOne,
    /// It came, and asked for nothing.
    Refused,
    /// It asked for something.
    Believed,
}

/// One wrong time, from its first telling to the right time again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockMove {
    pub told: Told,
    /// From the right time, in seconds.
    pub off_s: i64,
    /// How often the device asked for the time meanwhile.
    pub asked: u64,
    /// How it met the server whose certificate is over (past), or the genuine one (future).
    pub met: Met,
    /// How often it asked after the right time was told again.
    pub asked_after: u64,
    /// How it then met the genuine server.
    pub met_after: Met,
    pub waited_ms: u64,
}
