//! Whether what the maker declares to publish can be reached, read in one place for all checks.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Known, Verdict,
    evidence::natural,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record,
    observation::public::{Document, Wall, Whence},
};
use serde::Deserialize;

pub(super) const RUN: &str = "public-documents";
pub(super) const TABLE: &str = "2-UserInfo";

/// A document that is declared.
#[derive(Clone, Copy)]
pub(super) enum Declared<'a> {
    Seen(&'a Document),
    /// Printed, or in an app.
    Elsewhere(&'a str),
}

/// What was seen of a field's documents in the newest run. Gaps of other documents do not count.
pub(super) fn declared<'a>(evidence: &Evidence<'a>, name: &str) -> Known<Declared<'a>> {
    let known = evidence.known_of(RUN, Some(name), |r: &'a Record| {
        let declared = match &r.observation {
            Observation::Document { document } if document.name == name => Declared::Seen(document),
            Observation::DocumentElsewhere { name: of, place } if of == name => Declared::Elsewhere(place),
            _ => return None,
        };
        Some((r.run.as_str(), declared))
    });
    newest(known).map(|(_, declared)| declared)
}

/// Of several runs the last one stands for all.
pub(super) fn newest<T: Copy>(known: Known<(&str, T)>) -> Known<(&str, T)> {
    let runs = known.items().iter().map(|s| s.what.0);
    let last = runs.max_by(|a, b| natural(a).cmp(&natural(b))).unwrap_or_default().to_owned();
    known.only(|(run, _)| *run == last)
}

/// What stands between an ordinary visitor and a document.
pub(super) enum Reach<'a> {
    Open(&'a Document),
    /// Content without a visit.
    Copy(&'a Document),
    Not(String),
    Unclear(String),
}

pub(super) fn reach<'a>(evidence: &Evidence<'_>, declared: Declared<'a>) -> Reach<'a> {
    let d = match declared {
        Declared::Elsewhere(place) => return Reach::Unclear(format!("declared without a web address: {place}")),
        Declared::Seen(d) => d,
    };
    let url = &d.url;
    if d.whence == Whence::Saved {
        return Reach::Copy(d);
    }
    if field(evidence, &d.name).is_some_and(|said| !said.contains(url.as_str())) {
        return Reach::Unclear(format!("the IXIT does not name {url} any more: visit again"));
    }
    match (d.wall, d.status) {
        (Wall::LogIn, _) => Reach::Not(format!("{url} asks for an account")),
        (Wall::Robots, status) => {
            let status = status.unwrap_or(0);
            Reach::Unclear(format!("{url} turned us away with {status}: open it in a browser"))
        }
        (Wall::Nothing, Some(status @ (404 | 410))) => Reach::Not(format!("{url} is not there ({status})")),
        (Wall::Nothing, Some(200..=299)) if d.same_as_missing => {
            Reach::Not(format!("{url} shows what the site shows for a path that cannot exist"))
        }
        (Wall::Nothing, Some(200..=299)) => Reach::Open(d),
        (Wall::Nothing, Some(status)) => Reach::Unclear(format!("{url} answers {status}: open it in a browser")),
        (Wall::Nothing, None) => Reach::Unclear(format!("{url} was not answered")),
    }
}

/// What the IXIT says in a field of its table of user information.
pub(super) fn field<'a>(evidence: &Evidence<'a>, key: &str) -> Option<&'a str> {
    let key = if key == "statement" { "x-statement" } else { key };
    let entry = evidence.ixit?.declared(TABLE)?.into_iter().next()?;
    Some(entry.text(key)).filter(|t| !t.is_empty())
}

/// Whoever opens the page in a browser may decide what an instrument could not.
pub(super) fn open_to_a_person(decision: &Decision) -> bool {
    match decision {
        Decision::Absent { .. } => false,
        Decision::Judged(j) => j.verdict() == Verdict::Inconclusive,
    }
}

fn reachable(evidence: &Evidence<'_>, names: &[&str]) -> Decision {
    let known = names.iter().map(|n| declared(evidence, n)).reduce(Known::and);
    let known = known.unwrap_or_else(|| super::common::looked(evidence, RUN));
    every(&known, "no such document is declared", |seen| match reach(evidence, seen.what) {
        Reach::Open(d) => Point::Good(format!("{} is open to anybody ({} bytes)", d.url, d.bytes)),
        Reach::Copy(d) => Point::Unclear(format!("{}: a copy does not show that the public can reach it", d.url)),
        Reach::Not(why) => Point::Bad(why),
        Reach::Unclear(why) => Point::Unclear(why),
    })
}

/// A check of one set of documents: a type of its own for each, since a check is bound by its type.
trait Names {
    const NAMES: &'static [&'static str];
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reachable<N> {
    #[serde(skip)]
    of: std::marker::PhantomData<N>,
}

impl<N: Names + Send + Sync> Judge for Reachable<N> {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        reachable(evidence, N::NAMES)
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        open_to_a_person(&self.judge(evidence))
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

#[derive(Default)]
struct Every;
#[derive(Default)]
struct Sensors;
#[derive(Default)]
struct Telemetry;
#[derive(Default)]
struct PersonalData;
#[derive(Default)]
struct NonUpdatable;
#[derive(Default)]
struct SupportPeriod;

impl Names for Every {
    const NAMES: &'static [&'static str] = &[
        "doc_change_mechanisms",
        "doc_sensors",
        "doc_secure_setup",
        "doc_setup_check",
        "doc_personal_data",
        "doc_telemetry_data",
        "doc_deletion",
        "doc_replacement",
        "pub_vdp",
        "pub_support_period",
        "pub_non_updatable",
    ];
}
impl Names for Sensors {
    const NAMES: &'static [&'static str] = &["doc_sensors"];
}
impl Names for Telemetry {
    const NAMES: &'static [&'static str] = &["doc_telemetry_data"];
}
impl Names for PersonalData {
    const NAMES: &'static [&'static str] = &["doc_personal_data"];
}
impl Names for NonUpdatable {
    const NAMES: &'static [&'static str] = &["pub_non_updatable"];
}
impl Names for SupportPeriod {
    const NAMES: &'static [&'static str] = &["pub_support_period"];
}

pub const EVERY: Check = Check {
    id: "doc-urls-reachable",
    title: "Declared user documentation can be reached",
    page: include_str!("doc_urls_reachable.md"),
    expected: "every web address that the IXIT declares for a document is open to anybody",
    remedy: "restore the pages, without an account before them",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Reachable<Every>>,
};

pub const SENSORS: Check = Check {
    id: "doc-sensors-reachable",
    title: "The documentation of sensors can be reached",
    page: include_str!("doc_sensors_reachable.md"),
    expected: "the documentation of sensors is open to anybody where it is declared to be",
    bind: bind::<Reachable<Sensors>>,
    ..EVERY
};

pub const TELEMETRY: Check = Check {
    id: "doc-telemetry-reachable",
    title: "The documentation of telemetry can be reached",
    page: include_str!("doc_telemetry_reachable.md"),
    expected: "the documentation of telemetry is open to anybody where it is declared to be",
    bind: bind::<Reachable<Telemetry>>,
    ..EVERY
};

pub const PERSONAL: Check = Check {
    id: "doc-personal-data-reachable",
    title: "The documentation of personal data can be reached",
    page: include_str!("doc_personal_data_reachable.md"),
    expected: "the documentation of personal data is open to anybody where it is declared to be",
    bind: bind::<Reachable<PersonalData>>,
    ..EVERY
};

pub const NON_UPDATABLE: Check = Check {
    id: "non-updatable-reachable",
    title: "Why software cannot be updated can be read by anybody",
    page: include_str!("non_updatable_reachable.md"),
    expected: "the rationale and replacement plan are open to anybody where they are declared to be",
    bind: bind::<Reachable<NonUpdatable>>,
    ..EVERY
};

pub const SUPPORT: Check = Check {
    id: "support-period-reachable",
    title: "The publication of the support period can be reached",
    page: include_str!("support_period_reachable.md"),
    expected: "the publication of the support period is open to anybody where it is declared to be",
    severity: Severity::High,
    bind: bind::<Reachable<SupportPeriod>>,
    ..EVERY
};
