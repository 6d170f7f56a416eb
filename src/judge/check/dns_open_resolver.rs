//! A resolver for everybody is a weapon for somebody.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Subject,
    declarations::EndpointStatus,
    observation::{Control, ControlAnswer},
    scope::Vantage,
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "dns-open-resolver",
    title: "The device resolves names for nobody who should not ask",
    page: include_str!("dns_open_resolver.md"),
    expected: "no DNS service resolves foreign names from the wide area network, nor undeclared ones from the local network",
    remedy: "bind the resolver to the local network, and refuse recursion elsewhere",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["control-questions"],
    bind: bind::<DnsOpenResolver>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DnsOpenResolver {}

impl Judge for DnsOpenResolver {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let asked = evidence.known_of("control-questions", Some("dns"), |r| match &r.observation {
            Observation::Controlled { question: Control::DnsRecursion, answer, proof } => Some((*answer, proof)),
            _ => None,
        });
        every(&asked, "no DNS service", |seen| {
            let (at, (answer, proof)) = (seen.subject(), seen.what);
            match answer {
                ControlAnswer::Answered => open(evidence, at, proof),
                ControlAnswer::Refused => Point::Good(format!("{at}: no recursion: {proof}")),
                // It had answered another question before, and may still have been at work on this one.
                ControlAnswer::Silent | ControlAnswer::Unclear => Point::Unclear(format!("{at}: {proof}")),
            }
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }

    fn everywhere(&self) -> bool {
        true
    }
}

/// Recursion is for those whom the device serves.
fn open(evidence: &Evidence<'_>, at: &Subject, proof: &str) -> Point {
    let declared = evidence.ixit.and_then(|i| i.endpoints.as_deref());
    let serves = at.endpoint().is_some_and(|e| {
        let is = |d: &crate::model::declarations::DeclaredEndpoint| {
            d.covers(e.transport, e.port) && d.protocol == "dns" && d.status != EndpointStatus::Disabled
        };
        declared.unwrap_or_default().iter().any(is)
    });
    match (evidence.vantage(), declared.is_some()) {
        (Vantage::Wan, _) => Point::Bad(format!("{at}: it resolves names from the wide area network: {proof}")),
        (Vantage::Lan | Vantage::Guest, true) if serves => {
            Point::Good(format!("{at}: it is declared as the resolver of this network: {proof}"))
        }
        (Vantage::Lan | Vantage::Guest, true) => {
            Point::Bad(format!("{at}: it resolves names, and is not declared to: {proof}"))
        }
        (Vantage::Lan | Vantage::Guest, false) => Point::Unclear(format!(
            "{at}: it resolves names; whether it should is in x-endpoints, not supplied: {proof}"
        )),
    }
}
