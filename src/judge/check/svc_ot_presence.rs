//! Protocols that move machines and were made without authentication.
use super::common::{is_unknown, open_ports, said_by_endpoint};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::declarations::EndpointStatus;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "svc-ot-presence",
    title: "Industrial and building protocols are declared",
    page: include_str!("svc_ot_presence.md"),
    expected: "no industrial or building protocol is served that was not declared",
    remedy: "disable these protocols, or restrict them to their own network",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["tcp-ports", "udp-services", "service-identify"],
    bind: bind::<SvcOtPresence>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcOtPresence {}

/// By their own replies.
const PROTOCOLS: [&str; 4] = ["bacnet", "knx", "modbus", "opcua"];
/// TCP ports that are asked nothing, or at 502 its identification alone, since a wrong byte may move a machine.
const UNASKED: [(u16, &str); 5] =
    [(102, "s7"), (502, "modbus"), (2404, "iec-104"), (20000, "dnp3"), (44818, "ethernet/ip")];

impl Judge for SvcOtPresence {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let said = said_by_endpoint(evidence);
        let declared = evidence.ixit.and_then(|i| i.endpoints.as_deref());
        every(&open_ports(evidence), "no open port", |seen| {
            let (at, parsed) = seen.what;
            let word =
                said.get(seen.subject()).map(|s| s.service).filter(|w| !is_unknown(w)).or(parsed).unwrap_or("unknown");
            let guess = UNASKED.iter().find(|(port, _)| *port == at.port && is_unknown(word)).map(|(_, p)| *p);
            let ours = declared
                .map(|all| all.iter().any(|d| d.covers(at.transport, at.port) && d.status != EndpointStatus::Disabled));
            match (PROTOCOLS.contains(&word), guess, ours) {
                (false, None, _) => Point::Good(format!("{at}: {word}")),
                (_, _, Some(true)) => Point::Good(format!("{at}: {} is declared", guess.unwrap_or(word))),
                (true, _, Some(false)) => Point::Bad(format!("{at}: {word} is served and not declared")),
                (true, _, None) => {
                    Point::Unclear(format!("{at}: {word} is served; whether it should is in x-endpoints, not supplied"))
                }
                (false, Some(p), _) => {
                    Point::Unclear(format!("{at}: open on the port of {p}, and asked no more, for safety"))
                }
            }
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }
}
