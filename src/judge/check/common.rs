//! What several checks ask in the same way.
use crate::judge::{Decision, Evidence, Judgement, Known, judgement::MOST_TOLD};
use crate::model::declarations::DeclaredAuth;
use crate::model::observation::{HttpPage, PortState};
use crate::model::{Endpoint, Gap, Observation, Record, Subject, Transport, Why};
use std::collections::{BTreeMap, BTreeSet};

/// Undecided because the maker did not supply `table`; what was observed is told all the same, also that it was nothing.
pub(super) fn not_declared(table: &str, observed: String) -> Decision {
    let observed = match observed.trim_end() {
        "" => "nothing was observed".to_owned(),
        label if label.ends_with(':') => format!("{label} nothing"),
        _ => observed,
    };
    let gap = Gap { wanted: format!("ixit table {table}"), subject: None, why: Why::NotSupplied };
    Decision::Judged(Judgement::missing(gap, observed))
}

/// `decision`, but where there was nothing to judge: undecided, because `wanted` did not show itself.
/// For checks whose subject every device has, so that not seeing it says nothing about the device.
pub(super) fn never_absent(decision: Decision, wanted: &str, why: &str) -> Decision {
    match decision {
        Decision::Judged(j) => Decision::Judged(j),
        Decision::Absent { what, .. } => {
            let why = Why::NotUnderstood(why.to_owned());
            Decision::Judged(Judgement::missing(Gap { wanted: wanted.to_owned(), subject: None, why }, what))
        }
    }
}

/// No items, only how far `probe` looked: joined to others, its gaps withhold their PASS.
pub(super) fn looked<T>(evidence: &Evidence<'_>, probe: &str) -> Known<T> {
    evidence.looked(probe)
}

/// An open endpoint, and the service that its UDP reply parsed as.
pub(super) type OpenPort<'a> = (Endpoint, Option<&'a str>);

pub(super) fn open_port(record: &Record) -> Option<OpenPort<'_>> {
    match &record.observation {
        Observation::Port { state: PortState::Open, service } => Some((record.subject.endpoint()?, service.as_deref())),
        Observation::Port { state: PortState::Refused | PortState::Silent { .. }, .. } => None,
        _ => None,
    }
}

/// Every open endpoint of both transports, as far as it was also asked what it is.
pub(super) fn open_ports<'a>(evidence: &Evidence<'a>) -> Known<OpenPort<'a>> {
    let ports = evidence.known("tcp-ports", open_port).and(evidence.known("udp-services", open_port));
    ports.and(looked(evidence, "service-identify"))
}

/// What an endpoint says that it is.
#[derive(Clone, Copy)]
pub(super) struct Said<'a> {
    pub service: &'a str,
    pub tls: bool,
    pub starttls: bool,
    pub says: &'a [String],
}

pub(super) fn said(record: &Record) -> Option<Said<'_>> {
    match &record.observation {
        Observation::Service { service, tls, starttls, says, .. } => {
            Some(Said { service, tls: *tls, starttls: *starttls, says })
        }
        _ => None,
    }
}

pub(super) fn said_by_endpoint<'a>(evidence: &Evidence<'a>) -> BTreeMap<Subject, Said<'a>> {
    let all = evidence.known("service-identify", said);
    all.items().iter().map(|s| (s.subject().clone(), s.what)).collect()
}

/// A page that was fetched without a credential.
pub(super) fn page(record: &Record) -> Option<&HttpPage> {
    match &record.observation {
        Observation::Http { page } => Some(page),
        _ => None,
    }
}

/// `unknown`: it said nothing that we know.
pub(super) fn is_unknown(service: &str) -> bool {
    service == "unknown"
}

/// `a, b, c` without repeats, in order; of more than anybody reads the first, and how many more.
pub(super) fn listed<T: Ord + std::fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let set: BTreeSet<T> = items.into_iter().collect();
    let first = set.iter().take(MOST_TOLD).map(ToString::to_string).collect::<Vec<_>>().join(", ");
    match set.len().saturating_sub(MOST_TOLD) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Whether a declared log-in is declared for this place: on the endpoints that refer to it, or, if none does, anywhere.
pub(super) fn guards(evidence: &Evidence<'_>, entry: &DeclaredAuth, place: &Subject) -> bool {
    let endpoints = evidence.ixit.and_then(|i| i.endpoints.as_deref()).unwrap_or_default();
    let mut guarded = endpoints.iter().filter(|e| e.auth_ref.contains(&entry.id)).peekable();
    let at = place.endpoint();
    guarded.peek().is_none() || at.is_some_and(|at| guarded.any(|g| g.covers(at.transport, at.port)))
}

/// A port as declarations write it: `tcp/4444`.
pub(super) fn port_of(port: &str) -> Option<(Transport, u16)> {
    let (transport, number) = port.split_once('/')?;
    let transport = match transport {
        "tcp" => Transport::Tcp,
        "udp" => Transport::Udp,
        _ => return None,
    };
    Some((transport, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_more_than_anybody_reads_the_first_are_named_and_the_rest_counted() {
        assert_eq!(listed([2, 1, 2]), "1, 2");
        assert!(!listed(0..100).contains("more"));
        assert!(listed(0..103).ends_with("98, 99 and 3 more"));
    }

    #[test]
    fn that_nothing_was_observed_is_said() {
        let told = |observed: &str| match not_declared("x", observed.to_owned()) {
            Decision::Judged(j) => j.observed().join("; "),
            Decision::Absent { what, .. } => what,
        };
        assert_eq!(told("open: "), "open: nothing");
        assert_eq!(told(""), "nothing was observed");
        assert_eq!(told("open: tcp/80"), "open: tcp/80");
    }
}
