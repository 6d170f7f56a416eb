//! Assessment: a pure function of recording, declarations, attestations and profile. The same inputs give the same bytes.
use super::{
    applies::{Contradiction, Statement},
    attested::{AttestationRow, Attesting, WaiverRow},
    beside::{Beside, Side},
    check::{EntryRow, Proves, Severity},
    evidence::Evidence,
    profile::{Profile, standing::day},
    requirements::{Requiring, fails, overall},
    row::row,
    units::{in_group, units},
};
use crate::model::{Attestations, Ics, Ixit, Recording, Sha256Digest, Shared, recording::Tool};
use serde::Serialize;
use std::collections::BTreeMap;

pub use super::{requirements::RequirementRow, units::UnitRow};

pub const SCHEMA: &str = "assessment/1";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Outcome {
    Pass,
    Fail,
    Inconclusive,
    NotApplicable,
    AwaitingAssessor,
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::NotApplicable => "NOT_APPLICABLE",
            Self::AwaitingAssessor => "AWAITING_ASSESSOR",
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Assessment {
    pub schema: &'static str,
    pub tool: Tool,
    pub profile: ProfileRef,
    pub inputs: InputDigests,
    pub as_of: String,
    pub verdict: Outcome,
    pub requirements: Vec<RequirementRow>,
    pub results: Vec<CheckRow>,
    pub units: Vec<UnitRow>,
    pub counts: Counts,
    /// Everything that was not looked at, whatever it concerned.
    pub gaps: Vec<String>,
    /// Declarations that the device or another declaration does not bear out.
    pub contradictions: Vec<Contradiction>,
    /// What people judged, whether it counts or not.
    pub attestations: Vec<AttestationRow>,
    pub waivers: Vec<WaiverRow>,
}

#[derive(Debug, Serialize)]
pub struct ProfileRef {
    pub id: String,
    pub level: String,
    pub title: String,
    pub edition: String,
    pub jurisdiction: String,
    pub legal_status: String,
    pub applies_to: String,
    pub valid_from: String,
    pub valid_to: Option<String>,
    /// `in force`, or why it was not when the recording was made.
    pub standing: String,
    pub disclaimer: String,
    pub sha256: String,
}

#[derive(Debug, Serialize)]
pub struct InputDigests {
    pub recording: Sha256Digest,
    pub ics: Option<Sha256Digest>,
    pub ixit: Option<Sha256Digest>,
    pub attestations: Option<Sha256Digest>,
    /// Recordings of further samples of the model, in the order in which they were named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sha256Digest>,
    /// The recording of the factory state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub factory: Option<Sha256Digest>,
    /// The recordings from other sides, by side and state.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub sides: BTreeMap<String, Sha256Digest>,
}

#[derive(Debug, Serialize)]
pub struct CheckRow {
    pub check: &'static str,
    pub title: &'static str,
    pub verdict: Outcome,
    pub requirements: Vec<String>,
    pub units: Vec<String>,
    pub subjects: Vec<String>,
    pub expected: &'static str,
    pub observed: String,
    pub reasons: Vec<String>,
    pub evidence: Vec<Shared>,
    pub gaps: Vec<String>,
    /// Per declared entry of the IXIT, where the check exercises entries.
    pub entries: Vec<EntryRow>,
    pub severity: Severity,
    pub remedy: &'static str,
    #[serde(skip)]
    pub(super) proves: Proves,
    /// An assessor may decide it instead: it holds up nobody.
    #[serde(skip)]
    pub(super) left: bool,
}

/// Of requirements.
#[derive(Debug, Default, Serialize)]
pub struct Counts {
    pub pass: usize,
    pub fail: usize,
    pub inconclusive: usize,
    pub not_applicable: usize,
    pub awaiting_assessor: usize,
}

/// A file that was read, with the digest of its bytes.
pub struct Read<T> {
    pub value: T,
    pub digest: Sha256Digest,
}

pub struct Inputs<'a> {
    pub recording: &'a Recording,
    pub ics: Option<&'a Read<Ics>>,
    pub ixit: Option<&'a Read<Ixit>>,
}

/// Judges a recording under a profile, without anything that a person attested.
pub fn assess(inputs: &Inputs<'_>, profile: &Profile) -> Assessment {
    assess_attested(inputs, None, profile)
}

/// Judges a recording under a profile, with what assessors attested.
pub fn assess_attested(
    inputs: &Inputs<'_>,
    attestations: Option<&Read<Attestations>>,
    profile: &Profile,
) -> Assessment {
    assess_beside(inputs, &Beside::default(), attestations, profile)
}

/// Judges a recording beside others.
pub fn assess_beside(
    inputs: &Inputs<'_>,
    beside: &Beside,
    attestations: Option<&Read<Attestations>>,
    profile: &Profile,
) -> Assessment {
    let (ics, ixit) = (inputs.ics.map(|r| &r.value), inputs.ixit.map(|r| &r.value));
    let evidence = Evidence::new(inputs.recording, ics, ixit).beside(beside);
    let mut results: BTreeMap<&str, CheckRow> =
        profile.checks().map(|(check, judge)| (check.id, row(check, judge, &evidence))).collect();
    for r in &profile.requirements {
        for c in &r.checks {
            if let Some(row) = results.get_mut(c.as_str()) {
                row.requirements.push(r.id.clone());
            }
        }
    }
    let attesting = Attesting::new(attestations.map(|r| &r.value), inputs.recording.as_of());
    let mut statement = Statement::new(ics, profile, inputs.recording);
    let units = units(profile, &mut results, &attesting);
    let mut requirements = Vec::new();
    for r in &profile.requirements {
        let claimed = statement.of(r);
        requirements.push(
            Requiring { r, results: &results, units: &units, attesting: &attesting }.row(claimed, &mut statement),
        );
    }
    let known = |id: &str| units.iter().any(|u| u.id == id) || requirements.iter().any(|r: &RequirementRow| r.id == id);
    let refuted = |id: &str| {
        let failing = |r: &&RequirementRow| r.results.iter().any(|c| results.get(c.as_str()).is_some_and(fails));
        units.iter().any(|u| u.id == id && u.checks == Outcome::Fail)
            || requirements
                .iter()
                .filter(failing)
                .any(|r| r.id == id || r.cites.iter().any(|c| in_group(id, c, &units)))
    };
    let mut counts = Counts::default();
    for r in &requirements {
        *match r.outcome {
            Outcome::Pass => &mut counts.pass,
            Outcome::Fail => &mut counts.fail,
            Outcome::Inconclusive => &mut counts.inconclusive,
            Outcome::NotApplicable => &mut counts.not_applicable,
            Outcome::AwaitingAssessor => &mut counts.awaiting_assessor,
        } += 1;
    }
    Assessment {
        schema: SCHEMA,
        tool: tool(),
        profile: ProfileRef {
            id: profile.id.clone(),
            level: profile.level.clone(),
            title: profile.title.clone(),
            edition: profile.edition.clone(),
            jurisdiction: profile.jurisdiction.clone(),
            legal_status: profile.legal_status.clone(),
            applies_to: profile.applies_to.clone(),
            valid_from: profile.valid_from.to_string(),
            valid_to: profile.valid_to.map(|d| d.to_string()),
            standing: standing(profile, inputs.recording.as_of()),
            disclaimer: profile.disclaimer.clone(),
            sha256: profile.digest.hex(),
        },
        inputs: InputDigests {
            recording: inputs.recording.digest.clone(),
            ics: inputs.ics.map(|r| r.digest.clone()),
            ixit: inputs.ixit.map(|r| r.digest.clone()),
            attestations: attestations.map(|r| r.digest.clone()),
            samples: beside.samples.iter().map(|r| r.digest.clone()).collect(),
            factory: beside.factory.as_ref().map(|r| r.digest.clone()),
            sides: beside.sides.iter().map(|r| (Side::of(r).short(), r.digest.clone())).collect(),
        },
        as_of: inputs.recording.as_of().to_owned(),
        verdict: overall(&requirements),
        attestations: attesting.rows(known, refuted),
        waivers: attesting.waivers(|id| requirements.iter().any(|r| r.id == id)),
        contradictions: statement.contradictions(),
        requirements,
        results: results.into_values().collect(),
        units,
        counts,
        gaps: inputs.recording.gaps().iter().map(ToString::to_string).collect(),
    }
}

fn standing(profile: &Profile, as_of: &str) -> String {
    match day(as_of).map(|d| profile.in_force(d)) {
        Some(Ok(())) => "in force".to_owned(),
        Some(Err(e)) => format!("not in force when recorded: {e}"),
        None => format!("unknown: the recording's time `{as_of}` is no time"),
    }
}

/// This version of this tool.
pub fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}
