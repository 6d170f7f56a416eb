//! What a laboratory saw of a device whose servers, network or power were taken away for a while.
use crate::model::digest::Sha256Digest;
use serde::{Deserialize, Serialize};

/// What is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// The laboratory's servers reset every connection, so that each attempt is seen.
    Servers,
    /// Packets to what lies beyond the local network are lost; the local network stays.
    Upstream,
    /// The device's link to the local network.
    Link,
    Power,
}

impl Cut {
    pub fn words(self) -> &'static str {
        match self {
            Self::Servers => "without its servers",
            Self::Upstream => "without the way out",
            Self::Link => "without its link",
            Self::Power => "without power",
        }
    }

    /// Which gaps concern it.
    pub fn topic(self) -> &'static str {
        match self {
            Self::Servers => "servers",
            Self::Upstream => "upstream",
            Self::Link => "link",
            Self::Power => "power",
        }
    }
}

/// A local function, asked once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// As the maker declares it (`x-local` of table 23-ResMech).
    pub function: String,
    pub works: bool,
}

/// What must be as before, such as a log-in or a certificate: a command of the plan, and the digest of what it printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    pub name: String,
    /// `None`: the command failed.
    pub sha256: Option<Sha256Digest>,
}

/// A device at rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Connections and questions for names that came from it.
    pub heard: u64,
    pub functions: Vec<Asked>,
    /// Open TCP ports, and how many were asked.
    pub open: Vec<u16>,
    pub ports: u32,
    pub kept: Vec<Kept>,
}

impl State {
    /// In how far the other is not the same, in words; empty where it is.
    pub fn changes(&self, after: &Self) -> Vec<String> {
        let mut all = Vec::new();
        let new =
            after.open.iter().filter(|p| !self.open.contains(p)).map(|p| format!("port {p} is open, and was not"));
        let gone = self.open.iter().filter(|p| !after.open.contains(p)).map(|p| format!("port {p} is no longer open"));
        all.extend(new.chain(gone));
        for kept in &self.kept {
            if !after.kept.contains(kept) {
                all.push(format!("{} is not as before", kept.name));
            }
        }
        let stopped = after.functions.iter().filter(|f| !f.works);
        all.extend(stopped.map(|f| format!("{} does not work", f.function)));
        all
    }
}

/// An attempt to reach a server that resets every connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// The server's name, as the device's hello says it; else the port.
    pub to: String,
    /// From the beginning of the outage.
    pub at_ms: u64,
}

/// One outage, from a device in order to one that is in order again, or is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outage {
    pub cut: Cut,
    /// Counted from 1.
    pub round: u32,
    pub before: State,
    pub away_ms: u64,
    /// Connections and questions for names that came meanwhile.
    pub heard: u64,
    /// Whether one of its ports that were open before answered meanwhile.
    pub reached: bool,
    /// Each function, as often as it was asked meanwhile.
    pub asked: Vec<Asked>,
    /// Where servers were away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// How long after the end everything was as before; `None`: it was not as long as was waited for.
    pub back_ms: Option<u64>,
    pub waited_ms: u64,
    /// What was seen last.
    pub after: State,
}

impl Outage {
    /// Why it proves nothing: the device was not in order before, or what was to be taken away was not.
    pub fn idle(&self) -> Option<String> {
        let b = &self.before;
        if b.heard == 0 {
            return Some("the device was not heard before".to_owned());
        }
        if b.functions.iter().any(|f| !f.works) || b.kept.iter().any(|k| k.sha256.is_none()) {
            return Some("the device was not in order before".to_owned());
        }
        let cut = match self.cut {
            Cut::Servers => true,
            Cut::Upstream => self.heard == 0,
            // Without an open port, silence alone does not prove that it was away.
            Cut::Link | Cut::Power => self.heard == 0 && !self.reached && !b.open.is_empty(),
        };
        (!cut).then(|| format!("the device could not be proved to be {}", self.cut.words()))
    }
}
