//! What is open must be declared: declared against observed.
use super::common::{OpenPort, Said, is_unknown, listed, not_declared, open_ports, said_by_endpoint};
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Seen,
    assess::Outcome,
    judgement::{Point, every, none},
};
use crate::model::declarations::{DeclaredEndpoint, EndpointStatus};
use crate::model::{Endpoint, Subject};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "svc-undeclared-open",
    title: "Every reachable service is declared",
    page: include_str!("svc_undeclared_open.md"),
    expected: "every open port is an enabled entry of the IXIT with the protocol that it speaks",
    remedy: "remove or disable the service, or declare and justify it in the IXIT",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["tcp-ports", "udp-services", "service-identify"],
    bind: bind::<SvcUndeclaredOpen>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcUndeclaredOpen {}

impl Judge for SvcUndeclaredOpen {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let (open, said) = (open_ports(evidence), said_by_endpoint(evidence));
        let Some(declared) = evidence.ixit.and_then(|i| i.endpoints.as_ref()) else {
            let seen = listed(open.items().iter().map(|s| format!("{} {}", s.what.0, spoken(s, &said).protocol)));
            return not_declared("x-endpoints", format!("open: {}", if seen.is_empty() { "none" } else { &seen }));
        };
        let faces = |d: &&DeclaredEndpoint| d.faces(evidence.vantage());
        let declared: Vec<DeclaredEndpoint> = declared.iter().filter(faces).cloned().collect();
        if open.items().is_empty() {
            return none(&open, "no port is open", |_| None);
        }
        every(&open, "no open port", |seen| point(seen.what.0, spoken(seen, &said), &declared))
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        let (open, said) = (open_ports(evidence), said_by_endpoint(evidence));
        let declared = evidence.ixit.and_then(|i| i.endpoints.as_deref()).unwrap_or_default();
        declared.iter().map(|d| entry(d, open.items(), &said)).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }
}

/// A declared endpoint: found as declared, found otherwise, or not seen. Not seen is no fault of the device's.
fn entry(declared: &DeclaredEndpoint, open: &[Seen<OpenPort<'_>>], said: &BTreeMap<Subject, Said<'_>>) -> EntryRow {
    let here: Vec<_> = open.iter().filter(|s| covers(declared, s.what.0)).collect();
    let points: Vec<Point> =
        here.iter().map(|s| point(s.what.0, spoken(s, said), std::slice::from_ref(declared))).collect();
    let worst = points.iter().find(|p| matches!(p, Point::Bad(_)));
    let worst = worst.or(points.iter().find(|p| matches!(p, Point::Unclear(_)))).or(points.first());
    let (verdict, observed) = match (worst, declared.status) {
        (Some(Point::Bad(s)), _) => (Outcome::Fail, s.clone()),
        (Some(Point::Unclear(s)), _) => (Outcome::Inconclusive, s.clone()),
        (Some(Point::Good(s)), _) => (Outcome::Pass, s.clone()),
        (None, EndpointStatus::Disabled) => (Outcome::Inconclusive, "declared disabled, and not seen open".to_owned()),
        (None, EndpointStatus::Enabled | EndpointStatus::Transient) => {
            (Outcome::Inconclusive, "not seen open, so it was not exercised".to_owned())
        }
    };
    let evidence = here.iter().map(|s| s.cite().to_owned()).collect();
    EntryRow { table: "x-endpoints", entry: declared.name(), verdict, observed, evidence }
}

/// A protocol and whether TLS protects it.
#[derive(Clone, Copy)]
struct Spoken<'a> {
    protocol: &'a str,
    tls: bool,
}

impl Spoken<'_> {
    /// `https` is `http` with TLS.
    fn plain(self) -> Self {
        match ALIASES.iter().find(|(alias, _)| *alias == self.protocol) {
            Some((_, protocol)) => Self { protocol, tls: true },
            None => self,
        }
    }
}

fn spoken<'a>(seen: &Seen<OpenPort<'a>>, said: &BTreeMap<Subject, Said<'a>>) -> Spoken<'a> {
    let (said, (_, parsed)) = (said.get(seen.subject()), seen.what);
    let protocol = said.map(|s| s.service).filter(|w| !is_unknown(w)).or(parsed).unwrap_or("unknown");
    Spoken { protocol, tls: said.is_some_and(|s| s.tls) }.plain()
}

fn point(open: Endpoint, spoken: Spoken<'_>, declared: &[DeclaredEndpoint]) -> Point {
    let here: Vec<_> = declared.iter().filter(|d| covers(d, open)).collect();
    if here.is_empty() {
        return Point::Bad(format!("{open} ({}) is not declared", spoken.protocol));
    }
    if is_unknown(spoken.protocol) && !here.iter().any(|d| is_unknown(&d.protocol)) {
        return Point::Unclear(format!("{open} is declared, but what it speaks could not be told"));
    }
    let Some(entry) = here.iter().find(|d| speaks(d, spoken)) else {
        let words = listed(here.iter().map(|d| d.protocol.as_str()));
        return Point::Bad(format!("{open} is declared as {words}, but speaks {}", described(spoken)));
    };
    match entry.status {
        EndpointStatus::Enabled => Point::Good(format!("{open} ({}) is declared", spoken.protocol)),
        EndpointStatus::Disabled => Point::Bad(format!("{open} ({}) is declared disabled", spoken.protocol)),
        EndpointStatus::Transient => Point::Unclear(format!("{open} ({}) is declared transient", spoken.protocol)),
    }
}

fn covers(declared: &DeclaredEndpoint, open: Endpoint) -> bool {
    declared.covers(open.transport, open.port)
}

fn speaks(declared: &DeclaredEndpoint, spoken: Spoken<'_>) -> bool {
    let promised = Spoken { protocol: &declared.protocol, tls: false }.plain();
    promised.protocol == spoken.protocol && (spoken.tls || !promised.tls)
}

fn described(spoken: Spoken<'_>) -> String {
    format!("{} {} TLS", spoken.protocol, if spoken.tls { "with" } else { "without" })
}

const ALIASES: [(&str, &str); 5] =
    [("coaps", "coap"), ("ftps", "ftp"), ("https", "http"), ("mqtts", "mqtt"), ("rtsps", "rtsp")];
