//! What the device announces must be declared and there: advertised against declared and against found.
use super::common::{listed, looked, not_declared, open_ports};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::declarations::{DeclaredEndpoint, EndpointStatus};
use crate::model::{Endpoint, Observation, Record, Subject};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "svc-inventory-cross-advertised",
    title: "Announced services are declared and there",
    page: include_str!("svc_inventory_cross_advertised.md"),
    expected: "every service that the device announces is a declared endpoint that listens",
    remedy: "announce only what is needed, and declare it",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["advertised", "upnp-description", "tcp-ports", "udp-services", "service-identify"],
    bind: bind::<SvcInventoryCrossAdvertised>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcInventoryCrossAdvertised {}

#[derive(Clone)]
struct Announced {
    what: String,
    at: Option<Endpoint>,
}

impl Judge for SvcInventoryCrossAdvertised {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let announced = evidence.known("advertised", announced).and(evidence.known("upnp-description", announced));
        let open = open_ports(evidence);
        let listening: BTreeSet<Endpoint> = open.items().iter().map(|s| s.what.0).collect();
        let announced = announced
            .and(looked(evidence, "tcp-ports"))
            .and(looked(evidence, "udp-services"))
            .and(looked(evidence, "service-identify"));
        let Some(declared) = evidence.ixit.and_then(|i| i.endpoints.as_deref()) else {
            if announced.items().is_empty() {
                return every(&announced, "no service is announced", |_| Point::Unclear(String::new()));
            }
            let seen = listed(announced.items().iter().map(|s| s.what.what.clone()));
            return not_declared("x-endpoints", format!("announced: {seen}"));
        };
        every(&announced, "no service is announced", |seen| point(&seen.what, declared, &listening))
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }
}

fn announced(record: &Record) -> Option<Announced> {
    match &record.observation {
        Observation::Advertised { service, instance, host, at, .. } => {
            let place = at.as_ref().map_or_else(|| host.clone(), ToString::to_string);
            let what = format!("{service} \"{instance}\" at {}", if place.is_empty() { "no place" } else { &place });
            Some(Announced { what, at: at.as_ref().and_then(Subject::endpoint) })
        }
        Observation::UpnpDescription { location, .. } => {
            let authority = location.strip_prefix("http://")?.split('/').next()?;
            let addr: Option<std::net::SocketAddr> = authority.parse().ok();
            let addr = addr.or_else(|| Some((authority.parse::<std::net::IpAddr>().ok()?, 80).into()));
            let at = addr.map(|a| Endpoint::tcp(a.ip(), a.port()));
            Some(Announced { what: format!("UPnP description {location}"), at })
        }
        _ => None,
    }
}

fn point(announced: &Announced, declared: &[DeclaredEndpoint], listening: &BTreeSet<Endpoint>) -> Point {
    let what = &announced.what;
    let Some(at) = announced.at else {
        return Point::Unclear(format!("{what}: it is not told to be on this device"));
    };
    let entry = declared.iter().find(|d| d.covers(at.transport, at.port));
    match (entry.map(|e| e.status), listening.contains(&at)) {
        (None, _) => Point::Bad(format!("{what} is announced and not declared")),
        (Some(EndpointStatus::Disabled), _) => Point::Bad(format!("{what} is announced and declared disabled")),
        (Some(EndpointStatus::Enabled | EndpointStatus::Transient), true) => {
            Point::Good(format!("{what} is declared and listens"))
        }
        (Some(EndpointStatus::Enabled | EndpointStatus::Transient), false) => {
            Point::Unclear(format!("{what} is declared, and was not seen to listen"))
        }
    }
}
