//! Who may ask a gateway for ways in may open them.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{not_declared, open_port},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Transport, declarations::EndpointStatus, scope::Vantage};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "natpmp-pcp-exposed",
    title: "Port mapping is offered to declared networks alone",
    page: include_str!("natpmp_pcp_exposed.md"),
    expected: "NAT-PMP and PCP answer on no side but the LAN, and only where that is declared",
    remedy: "bind NAT-PMP and PCP to the LAN, or switch them off",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["udp-services"],
    bind: bind::<NatpmpPcpExposed>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NatpmpPcpExposed {}

impl Judge for NatpmpPcpExposed {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let mapping = |service: Option<&str>| matches!(service, Some("natpmp" | "pcp"));
        let all = evidence.known("udp-services", open_port).only(|(_, service)| mapping(*service));
        let side = match evidence.vantage() {
            Vantage::Lan => None,
            Vantage::Wan => Some("WAN"),
            Vantage::Guest => Some("guest network"),
        };
        let declared = evidence.ixit.and_then(|i| i.endpoints.as_deref());
        if side.is_none() && declared.is_none() && !all.items().is_empty() {
            return not_declared("x-endpoints", "port mapping answers on the LAN".to_owned());
        }
        every(&all, "port mapping is not answered on this side", |seen| {
            let (at, _) = seen.what;
            let here = |e: &&crate::model::declarations::DeclaredEndpoint| {
                e.covers(Transport::Udp, at.port) && e.status != EndpointStatus::Disabled
            };
            match (side, declared.unwrap_or_default().iter().find(here)) {
                (Some(side), _) => Point::Bad(format!("{at} answers from the {side}")),
                (None, Some(_)) => {
                    Point::Good(format!("{at} answers on the LAN, as declared; look from the other sides, too"))
                }
                (None, None) => Point::Bad(format!("{at} answers on the LAN and is not declared")),
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
