//! Services that are known as back doors must not be there.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, observation::Signature};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "svc-known-backdoor-ports",
    title: "Known backdoors and engineering services are absent",
    page: include_str!("svc_known_backdoor_ports.md"),
    expected: "no port answers as a known backdoor or engineering service does",
    remedy: "remove the service from the firmware",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["known-services"],
    bind: bind::<SvcKnownBackdoorPorts>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcKnownBackdoorPorts {}

impl Judge for SvcKnownBackdoorPorts {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let asked = evidence.known("known-services", |r| match &r.observation {
            Observation::KnownService { signature, answer, proof } => Some((signature, *answer, proof)),
            _ => None,
        });
        every(&asked, "no port of the list is open", |seen| {
            let (signature, answer, proof) = seen.what;
            let what = format!("{} ({signature})", seen.subject());
            match answer {
                Signature::Matches => Point::Bad(format!("{what}: {proof}")),
                Signature::Other => Point::Unclear(format!("{what}: {proof}, which is not known")),
                Signature::Silent => Point::Good(format!("{what}: {proof}")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}
