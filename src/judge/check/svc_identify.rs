//! A port number is not a protocol.
use super::common::{is_unknown, open_ports, said_by_endpoint};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "svc-identify",
    title: "Every open port was asked what it is",
    page: include_str!("svc_identify.md"),
    expected: "each open port is identified by a parsed protocol element, or speaks and is recorded as unknown",
    remedy: "none; tell the lab which protocol the port speaks",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &["tcp-ports", "udp-services", "service-identify"],
    bind: bind::<SvcIdentify>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcIdentify {}

impl Judge for SvcIdentify {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let said = said_by_endpoint(evidence);
        every(&open_ports(evidence), "no open port", |seen| {
            let (endpoint, parsed) = seen.what;
            match (parsed, said.get(seen.subject())) {
                (_, Some(s)) if !is_unknown(s.service) => Point::Good(format!("{endpoint}: {}", s.service)),
                (Some(word), _) => Point::Good(format!("{endpoint}: {word}")),
                (None, Some(s)) if !s.says.is_empty() => Point::Good(format!("{endpoint}: speaks an unknown protocol")),
                (None, Some(_)) => Point::Unclear(format!("{endpoint}: open, but it answered nothing")),
                (None, None) => Point::Unclear(format!("{endpoint}: not asked what it is")),
            }
        })
    }
}
