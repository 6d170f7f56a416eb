//! A port that was shut and is open later serves something that nobody saw.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{looked, never_absent},
    tcp_full_sweep_v4::ports,
};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record, Subject, Transport,
    declarations::{DeclaredEndpoint, EndpointStatus},
};
use jiff::Timestamp;
use serde::Deserialize;
use std::{collections::BTreeSet, net::IpAddr};

pub const CHECK: Check = Check {
    id: "svc-intermittent-rescan",
    title: "No undeclared port opens later",
    page: include_str!("svc_intermittent_rescan.md"),
    expected: "what is open at the end of a scan was open at its beginning, or is declared",
    remedy: "open no listener for debugging or for a session, or declare it",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["tcp-ports", "tcp-rescan"],
    bind: bind::<SvcIntermittentRescan>,
};

const AGAIN: &str = "tcp-rescan";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcIntermittentRescan {
    /// Between the two sweeps, at least, for a PASS.
    #[serde(default = "ten")]
    minutes: u32,
}

fn ten() -> u32 {
    10
}

/// What one sweep of a host came to.
#[derive(Clone)]
struct Sweep {
    host: IpAddr,
    open: BTreeSet<u16>,
    refused: BTreeSet<u16>,
    at: Option<Timestamp>,
}

impl Judge for SvcIntermittentRescan {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let before = evidence.known("tcp-ports", sweep);
        let first: Vec<Sweep> = before.items().iter().map(|s| s.what.clone()).collect();
        let declared = evidence.ixit.and_then(|i| i.endpoints.as_deref());
        let again: Known<Sweep> = evidence.known(AGAIN, sweep).and(looked(evidence, "tcp-ports"));
        let decision = every(&again, "no port was asked a second time", |seen| {
            match first.iter().find(|s| s.host == seen.what.host) {
                Some(first) => self.compare(first, &seen.what, declared),
                None => Point::Unclear("the first sweep of this host is not recorded".to_owned()),
            }
        });
        never_absent(decision, AGAIN, "no port was asked a second time")
    }

    /// A quick scan that finds nothing new decides nothing.
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        let of = |probe| evidence.known(probe, sweep).items().iter().map(|s| s.what.clone()).collect::<Vec<Sweep>>();
        let (first, again) = (of("tcp-ports"), of(AGAIN));
        let soon = |s: &Sweep| {
            let before = first.iter().find(|f| f.host == s.host);
            before.is_some_and(|f| s.open.is_subset(&f.open) && f.minutes_to(s) < Some(i64::from(self.minutes)))
        };
        evidence.never_tried(AGAIN) || !again.is_empty() && again.iter().all(soon)
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-endpoints"]
    }
}

impl Sweep {
    fn minutes_to(&self, later: &Self) -> Option<i64> {
        self.at.zip(later.at).map(|(a, b)| b.duration_since(a).as_secs() / 60)
    }
}

impl SvcIntermittentRescan {
    fn compare(&self, first: &Sweep, again: &Sweep, declared: Option<&[DeclaredEndpoint]>) -> Point {
        let new: Vec<u16> = again.open.difference(&first.open).copied().collect();
        let known = |port: u16| {
            let covers = |d: &&DeclaredEndpoint| d.covers(Transport::Tcp, port) && d.status != EndpointStatus::Disabled;
            declared.unwrap_or_default().iter().find(covers).is_some()
        };
        let told = |ports: &[u16]| ports.iter().map(|p| format!("tcp/{p}")).collect::<Vec<_>>().join(", ");
        let later = first.minutes_to(again);
        let when = later.map_or("later".to_owned(), |m| format!("{m} minutes later"));
        let undeclared: Vec<u16> = new.iter().copied().filter(|p| !known(*p)).collect();
        // A port that stayed silent before may have been open, and its answer lost.
        let (shut, silent): (Vec<u16>, Vec<u16>) = undeclared.iter().partition(|p| first.refused.contains(*p));
        if !shut.is_empty() && declared.is_some() {
            return Point::Bad(format!("{} was shut at first, open {when}, and is not declared", told(&shut)));
        }
        if !shut.is_empty() {
            return Point::Unclear(format!(
                "{} was shut at first and open {when}; x-endpoints was not supplied",
                told(&shut)
            ));
        }
        if !silent.is_empty() {
            return Point::Unclear(format!("{} was silent at first and open {when}", told(&silent)));
        }
        if again.open.is_empty() && again.refused.is_empty() {
            return Point::Unclear(format!("nothing answered {when}"));
        }
        match later.is_some_and(|m| m >= i64::from(self.minutes)) {
            true if new.is_empty() => Point::Good(format!("nothing more was open {when}")),
            true => Point::Good(format!("{} was open {when}, as declared", told(&new))),
            false => Point::Unclear(format!("nothing more was open {when}, which is soon")),
        }
    }
}

fn sweep(record: &Record) -> Option<Sweep> {
    match &record.observation {
        Observation::Swept { transport: Transport::Tcp, open, refused, .. } => {
            let Subject::Host(host) = record.subject else { return None };
            let at = record.at.parse().ok();
            Some(Sweep { host, open: ports(open).collect(), refused: ports(refused).collect(), at })
        }
        _ => None,
    }
}
