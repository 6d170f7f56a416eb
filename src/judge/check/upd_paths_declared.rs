//! The other ways by which updates may come: names that the device asks for, and services that take files.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{never_absent, not_declared, said},
    lab::{IMAGES, SERVERS, updates, visit},
};
use crate::judge::{
    Decision, Evidence, Known, Verdict,
    evidence::Extent,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, declarations::Entry};
use serde::Deserialize;
use std::collections::BTreeSet;

const TABLE: &str = "7-UpdMech";
const POLLS: &str = "lab-update-polls";

pub const NAMES: Check = Check {
    id: "upd-names-declared",
    title: "Every name that the device asks for updates is declared",
    page: include_str!("upd_names_declared.md"),
    expected: "each host name that the device asked for in the laboratory is one that table 7-UpdMech names",
    remedy: "declare the name in table 7-UpdMech (x-names; x-other-names where it is not about updates)",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[IMAGES, POLLS, SERVERS],
    bind: bind::<Names>,
};

pub const LOADERS: Check = Check {
    id: "upd-loaders-declared",
    title: "Services that take files are declared where they take updates",
    page: include_str!("upd_loaders_declared.md"),
    expected: "no TFTP, FTP or CWMP service is open that table 7-UpdMech does not name",
    remedy: "close the service, or declare it in table 7-UpdMech (x-ports)",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &["service-identify"],
    bind: bind::<Loaders>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {}

/// A host name, and whether an update was asked for there.
type Asked<'a> = (&'a str, bool);

impl Judge for Names {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        // Cases that could not be shown hide no name.
        let of = |run| evidence.known_of(run, Some("names"), asked);
        let all: Known<Asked<'_>> = of(POLLS).and(of(SERVERS)).and(of(IMAGES));
        let names: BTreeSet<&str> = all.items().iter().map(|s| s.what.0).collect();
        let entries = evidence.declared(TABLE);
        let of = |key| {
            let entries: Vec<&Entry> = entries.iter().flat_map(|k| k.items()).map(|s| s.what).collect();
            entries.iter().flat_map(|e| e.list(key)).map(String::as_str).collect::<BTreeSet<&str>>()
        };
        let (updating, other) = (of("x-names"), of("x-other-names"));
        if updating.is_empty() {
            let names = names.into_iter().collect::<Vec<_>>().join(", ");
            return not_declared("7-UpdMech (x-names)", format!("asked for: {names}"));
        }
        let decision = every(&all, "it asked for no name", |seen| {
            let (name, update) = seen.what;
            match (updating.contains(name), other.contains(name), update) {
                (true, _, _) => Point::Good(format!("{name} is declared")),
                (false, _, true) => Point::Bad(format!("it asked {name} for an update, and no entry names it")),
                (false, true, false) => Point::Good(format!("{name} is declared, and not for updates")),
                (false, false, false) => Point::Unclear(format!("it asked for {name}, which no entry names")),
            }
        });
        never_absent(decision, SERVERS, "the device asked the laboratory for no name")
    }

    /// A person who watches the device's traffic decides the same.
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        undecided(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn asked(record: &Record) -> Option<Asked<'_>> {
    if let Some(visit) = visit(record) {
        let request = visit.request.as_ref().filter(|r| !r.host.is_empty())?;
        // By its address the device asks nobody's name server.
        let named = request.host.parse::<std::net::IpAddr>().is_err();
        return named.then_some((request.host.as_str(), updates(visit)));
    }
    match &record.observation {
        Observation::LabName { name, .. } => Some((name, false)),
        _ => None,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Loaders {}

/// Services by which somebody else hands a device its software.
const SERVICES: [&str; 3] = ["cwmp", "ftp", "tftp"];

impl Judge for Loaders {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let open = evidence.known("service-identify", |r| Some(said(r)?.service)).only(|s| SERVICES.contains(s));
        if let (true, Extent::Complete(looked)) = (open.items().is_empty(), open.extent()) {
            let what = "no service that takes files was found".to_owned();
            return Decision::Absent { looked: looked.clone(), what };
        }
        let entries = evidence.declared(TABLE);
        let ports: BTreeSet<&str> =
            entries.iter().flat_map(|k| k.items()).flat_map(|s| s.what.list("x-ports")).map(String::as_str).collect();
        every(&open, "no service that takes files", |seen| {
            let at = seen.subject().endpoint().map(|e| format!("{}/{}", e.transport, e.port)).unwrap_or_default();
            match ports.contains(at.as_str()) {
                true => Point::Good(format!("{at} ({}) is declared", seen.what)),
                false => Point::Unclear(format!("{at} ({}): see whether it takes updates", seen.what)),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        undecided(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn undecided(decision: &Decision) -> bool {
    match decision {
        Decision::Absent { .. } => false,
        Decision::Judged(j) => j.verdict() == Verdict::Inconclusive,
    }
}
