//! A declaration of status is a promise that ports keep or break.
use super::common::not_declared;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Judgement,
    judgement::{Point, every},
};
use crate::model::{
    Endpoint, Gap, Observation, Subject, Transport, Why,
    declarations::{DeclaredEndpoint, EndpointStatus},
    observation::PortState,
};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "svc-declared-state-mismatch",
    title: "What is declared disabled is closed, and what is declared enabled answers",
    page: include_str!("svc_declared_state_mismatch.md"),
    expected: "every endpoint declared disabled is closed, and every one declared enabled answers",
    remedy: "disable the interface in production builds, or correct the declaration",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["tcp-ports", "udp-services"],
    bind: bind::<SvcDeclaredStateMismatch>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcDeclaredStateMismatch {}

impl Judge for SvcDeclaredStateMismatch {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(declared) = evidence.ixit.and_then(|i| i.endpoints.as_deref()) else {
            return not_declared("x-endpoints", "nothing declares a status".to_owned());
        };
        let seen = |probe| {
            evidence.known(probe, |r| match (&r.observation, r.subject.endpoint()) {
                (Observation::Port { state, .. }, Some(e)) => Some(Seen::Port(e, *state)),
                (Observation::Swept { transport, asked, .. }, _) => Some(Seen::Asked(*transport, asked)),
                _ => None,
            })
        };
        let all = seen("tcp-ports").and(seen("udp-services"));
        let mut open: BTreeMap<Endpoint, Subject> = BTreeMap::new();
        for s in all.items() {
            if let Seen::Port(e, PortState::Open) = s.what {
                open.insert(e, s.subject().clone());
            }
        }
        let points = |s: &Seen<'_>| of(s, declared, &open);
        let judged = all.only(|s| !points(s).is_empty());
        if judged.items().is_empty() {
            let gap = Gap { wanted: "ports".to_owned(), subject: None, why: Why::NotRun };
            return Decision::Judged(Judgement::missing(gap, "no declared endpoint was asked".to_owned()));
        }
        every(&judged, "no declared endpoint", |s| worst(points(&s.what)))
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }
}

#[derive(Clone, Copy)]
enum Seen<'a> {
    Port(Endpoint, PortState),
    /// A sweep of these ports: what is not among the open ones was closed.
    Asked(Transport, &'a str),
}

fn of(seen: &Seen<'_>, declared: &[DeclaredEndpoint], open: &BTreeMap<Endpoint, Subject>) -> Vec<Point> {
    match seen {
        Seen::Port(e, PortState::Open) => {
            let here = declared.iter().filter(|d| d.covers(e.transport, e.port));
            here.map(|d| match d.status {
                EndpointStatus::Disabled => Point::Bad(format!("{e} is open, and declared disabled")),
                EndpointStatus::Enabled => Point::Good(format!("{e} is open, as declared")),
                EndpointStatus::Transient => Point::Good(format!("{e} is open, and declared transient")),
            })
            .collect()
        }
        Seen::Port(_, PortState::Refused | PortState::Silent { .. }) => Vec::new(),
        Seen::Asked(transport, asked) => {
            let written = format!("{transport}:{asked}").parse::<crate::model::scope::PortSpec>().unwrap_or_default();
            let ports = match transport {
                Transport::Tcp => written.tcp,
                Transport::Udp => written.udp.unwrap_or_default(),
            };
            let closed = |d: &&DeclaredEndpoint| {
                d.transport == *transport
                    && ports.binary_search(&d.port).is_ok()
                    && !open.keys().any(|e| d.covers(e.transport, e.port))
            };
            let point = |d: &DeclaredEndpoint| match d.status {
                EndpointStatus::Disabled => Point::Good(format!("{} is closed, as declared", d.name())),
                EndpointStatus::Transient => Point::Good(format!("{} is closed, and declared transient", d.name())),
                // An error of the document, or of the state that the device is in: no failure of the device.
                EndpointStatus::Enabled => {
                    Point::Unclear(format!("{} is declared enabled, and does not answer", d.name()))
                }
            };
            declared.iter().filter(closed).map(point).collect()
        }
    }
}

/// All that one record says, by the worst of it.
fn worst(points: Vec<Point>) -> Point {
    let rank = |p: &Point| match p {
        Point::Good(_) => 0,
        Point::Unclear(_) => 1,
        Point::Bad(_) => 2,
    };
    let top = points.iter().map(rank).max().unwrap_or(1);
    let text = |p: &Point| match p {
        Point::Good(s) | Point::Unclear(s) | Point::Bad(s) => s.clone(),
    };
    let said = points.iter().filter(|p| rank(p) == top).map(text).collect::<Vec<_>>().join(", ");
    match top {
        0 => Point::Good(said),
        1 => Point::Unclear(said),
        _ => Point::Bad(said),
    }
}
