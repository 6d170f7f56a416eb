//! UDP says little by itself: only a parsed reply is a service.
use super::common::never_absent;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Transport};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "udp-probe-sweep",
    title: "UDP services were looked for with requests of their own protocols",
    page: include_str!("udp_probe_sweep.md"),
    expected: "the UDP sweep of every address finished",
    remedy: "scan again where the sweep did not finish; close UDP services that are not needed",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &["udp-services"],
    bind: bind::<UdpProbeSweep>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UdpProbeSweep {}

impl Judge for UdpProbeSweep {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let sweeps = evidence.known("udp-services", |r| match &r.observation {
            Observation::Swept { transport: Transport::Udp, asked, open, silent, .. } => Some((asked, open, silent)),
            _ => None,
        });
        let decision = every(&sweeps, "no UDP port was asked", |seen| {
            let (asked, open, silent) = seen.what;
            Point::Good(format!("asked {asked}; answered: {}; open or filtered: {}", or_none(open), or_none(silent)))
        });
        never_absent(decision, "udp-services", "no host was swept")
    }
}

fn or_none(ports: &str) -> &str {
    if ports.is_empty() { "none" } else { ports }
}
