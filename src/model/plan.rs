//! What a scan was about to do, written before its first packet. The chains of its logs begin here.
use super::{Header, Scope, recording::Tool};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use thiserror::Error;

/// Its file beside a recording.
pub const FILE: &str = "plan.json";
/// A time-stamping authority's answer over the plan: no packet was sent before.
pub const TOKEN: &str = "plan.json.tsr";
/// An authority's answer over the last line of a finished recording: nothing was seen after.
pub const END_TOKEN: &str = "recording.jsonl.tsr";
pub const SCHEMA: &str = "scan-plan/1";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub schema: String,
    pub tool: Tool,
    pub targets: Vec<String>,
    pub hosts: Vec<IpAddr>,
    pub scope: Scope,
    /// Probe ids in the order in which they are to run.
    pub probes: Vec<String>,
    /// What a certifier gave, so that no older scan can be shown for this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// RFC 3339, UTC.
    pub made: String,
}

#[derive(Debug, Error)]
pub enum PlanError {
    #[error("is not a plan that this version reads: {0}; it is made by `patuh scan` and must not be edited")]
    Unreadable(#[from] serde_json::Error),
    #[error("schema `{0}` is not known to this version (it reads `{SCHEMA}`); use a newer patuh")]
    Schema(String),
}

impl Plan {
    pub fn parse(bytes: &[u8]) -> Result<Self, PlanError> {
        let plan: Self = serde_json::from_slice(bytes)?;
        if plan.schema == SCHEMA { Ok(plan) } else { Err(PlanError::Schema(plan.schema)) }
    }

    /// Whether a recording's first line says that this was done.
    pub fn is_of(&self, header: &Header) -> bool {
        (&self.targets, &self.hosts, &self.scope, &self.probes)
            == (&header.targets, &header.hosts, &header.scope, &header.plan)
    }
}
