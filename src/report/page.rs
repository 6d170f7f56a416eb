//! What the page and the document list: of what a device may have made very long, the first and how many more there are.
use super::{
    case::{NAMED, first, named},
    html::{EndpointRow, EvidenceRow, Section, endpoints, evidence},
};
use crate::{
    judge::{
        Assessment,
        applies::Contradiction,
        assess::{CheckRow, Outcome, ProfileRef, RequirementRow},
        attested::{AttestationRow, WaiverRow},
        check::{EntryRow, Severity},
    },
    model::Recording,
};
use serde::Serialize;
use std::collections::BTreeSet;

/// As many rows a table has; a page with more opens in no browser that people have.
pub(super) const ROWS: usize = 2000;

/// As many records an endpoint's row names.
pub(super) const CITED: usize = 10;

/// Ids of records and runs.
#[derive(Serialize)]
pub(super) struct Cites<'a> {
    first: Vec<&'a str>,
    more: usize,
}

impl<'a> Cites<'a> {
    fn of<T: AsRef<str>>(ids: &'a [T]) -> Self {
        let (first, more) = first(ids);
        Self { first: first.iter().map(AsRef::as_ref).collect(), more }
    }
}

/// An assessment as the page shows it.
#[derive(Serialize)]
pub(super) struct Judged<'a> {
    profile: &'a ProfileRef,
    verdict: Outcome,
    requirements: &'a [RequirementRow],
    contradictions: Vec<Contradicted<'a>>,
    attestations: &'a [AttestationRow],
    waivers: &'a [WaiverRow],
}

#[derive(Serialize)]
struct Contradicted<'a> {
    about: &'a str,
    declared: &'a str,
    observed: &'a str,
    evidence: Cites<'a>,
}

impl<'a> Judged<'a> {
    pub fn of(a: &'a Assessment) -> Self {
        let contradicted = |c: &'a Contradiction| Contradicted {
            about: &c.about,
            declared: &c.declared,
            observed: &c.observed,
            evidence: Cites::of(&c.evidence),
        };
        Self {
            profile: &a.profile,
            verdict: a.verdict,
            requirements: &a.requirements,
            contradictions: a.contradictions.iter().map(contradicted).collect(),
            attestations: &a.attestations,
            waivers: &a.waivers,
        }
    }
}

/// What one check came to.
#[derive(Serialize)]
pub(super) struct Result<'a> {
    check: &'a str,
    title: &'a str,
    verdict: Outcome,
    severity: Severity,
    requirements: &'a [String],
    units: &'a [String],
    expected: &'a str,
    observed: &'a str,
    reasons: &'a [String],
    subjects: String,
    evidence: Cites<'a>,
    gaps: &'a [String],
    entries: &'a [EntryRow],
    remedy: &'a str,
}

impl<'a> Result<'a> {
    pub fn of(row: &'a CheckRow) -> Self {
        Self {
            check: row.check,
            title: row.title,
            verdict: row.verdict,
            severity: row.severity,
            requirements: &row.requirements,
            units: &row.units,
            expected: row.expected,
            observed: &row.observed,
            reasons: &row.reasons,
            subjects: named(&row.subjects, ", "),
            evidence: Cites::of(&row.evidence),
            gaps: &row.gaps,
            entries: &row.entries,
            remedy: row.remedy,
        }
    }
}

/// The tables of endpoints and records.
#[derive(Serialize)]
pub(super) struct Tables {
    pub endpoints: Vec<EndpointRow>,
    pub more_endpoints: usize,
    pub records: Vec<EvidenceRow>,
    pub more_records: usize,
}

impl Tables {
    /// Every record, or where they are more than a table has rows, those that the rest of the page names.
    pub fn of(recording: &Recording, sections: &[Section<'_>]) -> Self {
        let (endpoints, more_endpoints) = endpoints(recording, ROWS);
        let all = recording.records().count();
        let named: BTreeSet<&str> = if all <= ROWS { BTreeSet::new() } else { cited(sections, &endpoints) };
        let records = evidence(recording, |r| all <= ROWS || named.contains(&*r.id));
        Self { more_records: all.saturating_sub(records.len()), records, endpoints, more_endpoints }
    }

    /// What is said over the table of records.
    pub fn caption(&self) -> String {
        match (self.records.len(), self.more_records) {
            (_, 0) => "Every record, in the order in which it was made.".to_owned(),
            (shown, more) => {
                format!("The {shown} records that are named above; {more} more stand in recording.jsonl.")
            }
        }
    }
}

fn cited<'a>(sections: &'a [Section<'_>], endpoints: &'a [EndpointRow]) -> BTreeSet<&'a str> {
    let mut ids = BTreeSet::new();
    for a in sections.iter().map(|s| s.a) {
        ids.extend(a.results.iter().flat_map(|r| first(&r.evidence).0).map(|id| &**id));
        ids.extend(a.contradictions.iter().flat_map(|c| first(&c.evidence).0).map(|id| &**id));
    }
    ids.extend(endpoints.iter().flat_map(|e| &e.evidence).map(|id| &**id));
    ids
}

/// Words of one endpoint: the first, and how many more.
pub(super) fn told(mut words: Vec<String>) -> Vec<String> {
    let more = words.len().saturating_sub(NAMED);
    words.truncate(NAMED);
    words.extend((more > 0).then(|| format!("and {more} more")));
    words
}
