//! The implementations of network security: are they reviewed, and is what runs what was reviewed?
use super::common::{listed, not_declared, said};
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every, none},
};
use crate::model::{Observation, Record, declarations::Entry};
use serde::Deserialize;

const TABLE: &str = "12-NetSecImpl";

pub const REVIEWED: Check = Check {
    id: "netsec-review-declared",
    title: "Every implementation of network security was reviewed or evaluated",
    page: include_str!("netsec_review_declared.md"),
    expected: "each entry of table 12-NetSecImpl names how it was reviewed or evaluated, and the report",
    remedy: "have the implementation reviewed, or use one that was, and name the report",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &[],
    bind: bind::<Reviewed>,
};

pub const COVERED: Check = Check {
    id: "netsec-review-covers",
    title: "The reviews cover every function in use",
    page: include_str!("netsec_review_covers.md"),
    expected: "each function of an entry of table 12-NetSecImpl that is in use stands in its report, which names versions",
    remedy: "have the missing functions reviewed, or stop using them",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &[],
    bind: bind::<Covered>,
};

pub const RUNNING: Check = Check {
    id: "netsec-version-matches",
    title: "The security software that the device reveals is the reviewed one",
    page: include_str!("netsec_version_matches.md"),
    expected: "each product and version of a security protocol that the device reveals is one that a report of table 12-NetSecImpl covers",
    remedy: "ship the version that was reviewed, or have the shipped one reviewed",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &["service-identify"],
    bind: bind::<Running>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reviewed {}

impl Judge for Reviewed {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared(TABLE) else {
            return not_declared(TABLE, "no implementation is declared".to_owned());
        };
        every(&entries, "no implementation of network security is declared", |seen| reviewed(seen.what))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.declared(TABLE).is_none()
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        let entries = evidence.declared(TABLE);
        let row = |seen: &crate::judge::Seen<&Entry>| {
            EntryRow::of(TABLE, seen.what.name(), reviewed(seen.what), vec![seen.cite().to_owned()])
        };
        entries.iter().flat_map(|k| k.items()).map(row).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Covered {}

impl Judge for Covered {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared(TABLE) else {
            return not_declared(TABLE, "no implementation is declared".to_owned());
        };
        every(&entries, "no implementation of network security is declared", |seen| covered(seen.what))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        let unsaid = |e: &Entry| e.list("x-functions").is_empty() || e.list("x-reviewed").is_empty();
        evidence.declared(TABLE).is_none_or(|k| k.items().iter().any(|s| unsaid(s.what)))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn covered(entry: &Entry) -> Point {
    let (name, used, reviewed) = (entry.name(), entry.list("x-functions"), entry.list("x-reviewed"));
    let missing = listed(used.iter().filter(|f| !reviewed.contains(f)));
    if used.is_empty() || reviewed.is_empty() {
        Point::Unclear(format!("{name} does not say which functions are in use and which were reviewed"))
    } else if !missing.is_empty() {
        Point::Bad(format!("{name}: in use and not reviewed: {missing}"))
    } else if entry.list("x-versions").is_empty() {
        Point::Unclear(format!("{name}: which versions its report covers is not said"))
    } else {
        Point::Good(format!("{name}: the report covers {}", listed(used)))
    }
}

fn reviewed(entry: &Entry) -> Point {
    let (name, how, report) = (entry.name(), entry.text("review_method"), entry.text("report"));
    match (says_none(how), says_none(report)) {
        (true, _) => Point::Bad(format!("{name} names no review and no evaluation")),
        (false, true) => Point::Unclear(format!("{name} was reviewed ({how}), but no report is named")),
        (false, false) => Point::Good(format!("{name}: {how}; report: {report}")),
    }
}

/// How a form says that there is nothing.
fn says_none(text: &str) -> bool {
    let plain = text.trim().trim_end_matches('.').to_lowercase();
    ["", "-", "--", "none", "no", "n/a", "na", "not applicable", "not reviewed", "tbd", "to do", "todo"]
        .contains(&plain.as_str())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Running {}

impl Judge for Running {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let revealed = evidence.known("service-identify", secured);
        let Some(entries) = evidence.declared(TABLE) else {
            let seen = listed(revealed.items().iter().map(|s| s.what.shown()));
            return not_declared(TABLE, format!("revealed: {}", if seen.is_empty() { "nothing" } else { &seen }));
        };
        if revealed.items().is_empty() {
            return none(&revealed, "the device reveals no name or version of its security software", |_| None);
        }
        let declared: Vec<&Entry> = entries.items().iter().map(|s| s.what).collect();
        every(&revealed, "nothing revealed", |seen| {
            let (at, shown) = (seen.subject(), seen.what.shown());
            match seen.what.covered(&declared) {
                Cover::Yes(by) => Point::Good(format!("{at} reveals {shown}, which {by} covers")),
                Cover::Version(by) => Point::Bad(format!("{at} reveals {shown}, but the report of {by} covers others")),
                Cover::No => Point::Bad(format!("{at} reveals {shown}, which no report covers")),
                Cover::Unsaid(by) => {
                    Point::Unclear(format!("{at} reveals {shown}, and {by} has no x-product to compare with"))
                }
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.declared(TABLE).is_none()
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

/// A product of a security protocol, as the device names it.
#[derive(Clone, Copy)]
struct Revealed<'a> {
    product: &'a str,
    version: Option<&'a str>,
}

enum Cover {
    Yes(String),
    /// The product, in other versions.
    Version(String),
    No,
    /// These entries do not say what product they are.
    Unsaid(String),
}

impl Revealed<'_> {
    fn shown(&self) -> String {
        format!("{} {}", self.product, self.version.unwrap_or("of an unknown version"))
    }

    fn covered(&self, declared: &[&Entry]) -> Cover {
        let same = |e: &&&Entry| e.text("x-product").eq_ignore_ascii_case(self.product);
        let here: Vec<&&Entry> = declared.iter().filter(same).collect();
        let covers = |e: &&&&Entry| self.version.is_none_or(|v| e.list("x-versions").iter().any(|x| x == v));
        match (here.iter().find(covers), here.first()) {
            (Some(entry), _) => Cover::Yes(entry.name()),
            (None, Some(entry)) => Cover::Version(entry.name()),
            (None, None) => {
                match listed(declared.iter().filter(|e| e.text("x-product").is_empty()).map(|e| e.name())) {
                    none if none.is_empty() => Cover::No,
                    unsaid => Cover::Unsaid(unsaid),
                }
            }
        }
    }
}

/// The protocols whose software is itself the implementation of security. A web server's name says nothing of its TLS.
const PROTOCOLS: [&str; 3] = ["ssh", "ipsec", "wireguard"];

fn secured(record: &Record) -> Option<Revealed<'_>> {
    let service = said(record)?.service;
    match &record.observation {
        Observation::Service { product: Some(product), version, .. } if PROTOCOLS.contains(&service) => {
            Some(Revealed { product, version: version.as_deref() })
        }
        _ => None,
    }
}
