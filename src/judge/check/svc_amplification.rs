//! Who can forge a sender must not be able to use the device as an amplifier.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{looked, said_by_endpoint},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject, scope::Vantage};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "svc-amplification",
    title: "UDP services send back little for a small question",
    page: include_str!("svc_amplification.md"),
    expected: "no UDP service sends back more than three times what an unproven sender sent",
    remedy: "answer no control questions, ask for a cookie first (Echo, DTLS), or limit the size of replies",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["udp-gain", "service-identify"],
    bind: bind::<SvcAmplification>,
};

/// In tenths, so that no fraction decides.
const SMALL: u64 = 30;
const LARGE: u64 = 100;
/// What a local network uses to find things; they answer to many by design.
const DISCOVERY: [&str; 4] = ["mdns", "ssdp", "upnp", "ws-discovery"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcAmplification {}

impl Judge for SvcAmplification {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let said = said_by_endpoint(evidence);
        let gains = evidence.known("udp-gain", |r| match &r.observation {
            Observation::UdpGain { question, sent, received, .. } => Some((question, *sent, *received)),
            _ => None,
        });
        let gains = gains.and(looked(evidence, "service-identify"));
        let mut factors: BTreeMap<(&Subject, &String), Vec<u64>> = BTreeMap::new();
        for s in gains.items() {
            let (question, sent, received) = s.what;
            factors.entry((s.subject(), question)).or_default().push(received.saturating_mul(10) / sent.max(1));
        }
        every(&gains, "no UDP service", |seen| {
            let (question, ..) = seen.what;
            let service = said.get(seen.subject()).map_or("unknown", |s| s.service);
            let all = factors.get(&(seen.subject(), question)).map(Vec::as_slice).unwrap_or_default();
            point(seen.subject(), service, question, all, evidence.vantage())
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

fn point(at: &Subject, service: &str, question: &str, factors: &[u64], vantage: Vantage) -> Point {
    let (Some(least), Some(most)) = (factors.iter().min().copied(), factors.iter().max().copied()) else {
        return Point::Unclear(format!("{at}: {question} was not asked"));
    };
    let what = format!("{at} ({service}): {question} brings {}.{} times what was sent", most / 10, most % 10);
    if question == "ntp-monlist" && least > 0 {
        return Point::Bad(format!("{what}; monlist is answered"));
    }
    if most <= SMALL {
        return Point::Good(what);
    }
    if most > least.saturating_mul(2) {
        return Point::Unclear(format!("{what} at most, and {}.{} at least", least / 10, least % 10));
    }
    match vantage {
        Vantage::Wan if most > LARGE || service == "coap" => Point::Bad(format!("{what}, for anybody on the Internet")),
        Vantage::Wan => Point::Unclear(format!("{what}, between the bounds of 3 and 10")),
        Vantage::Lan | Vantage::Guest if DISCOVERY.contains(&service) => {
            Point::Good(format!("{what}; it is for discovery on the local network"))
        }
        Vantage::Lan | Vantage::Guest => {
            Point::Unclear(format!("{what}; whether it can be reached from the Internet was not tested"))
        }
    }
}
