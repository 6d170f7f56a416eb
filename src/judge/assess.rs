//! Assessment: a pure function of recording, declarations and profile. The same inputs give the same bytes.
use super::{
    check::{Check, Judge, Proves, Severity},
    evidence::{Evidence, natural},
    judgement::{Decision, Verdict},
    profile::{Binding, Profile, Requirement, standing::day},
};
use crate::model::{
    Ics, Ixit, Recording, Sha256Digest,
    declarations::{Claim, Support},
    recording::Tool,
};
use serde::Serialize;
use std::collections::BTreeMap;

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
}

#[derive(Debug, Serialize)]
pub struct RequirementRow {
    pub id: String,
    pub level: &'static str,
    pub text: String,
    pub outcome: Outcome,
    pub reasons: Vec<String>,
    pub cites: Vec<String>,
    /// Where it stands on the list that all regions share.
    pub provisions: Vec<String>,
    pub results: Vec<String>,
    pub attest: String,
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
    pub evidence: Vec<String>,
    pub gaps: Vec<String>,
    pub severity: Severity,
    pub remedy: &'static str,
    #[serde(skip)]
    proves: Proves,
}

#[derive(Debug, Serialize)]
pub struct UnitRow {
    pub id: String,
    pub case: String,
    pub kind: String,
    pub verdict: Outcome,
    pub by: Vec<String>,
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

/// Judges a recording under a profile.
pub fn assess(inputs: &Inputs<'_>, profile: &Profile) -> Assessment {
    let (ics, ixit) = (inputs.ics.map(|r| &r.value), inputs.ixit.map(|r| &r.value));
    let evidence = Evidence::new(inputs.recording, ics, ixit);
    let mut results: BTreeMap<&str, CheckRow> =
        profile.checks().map(|(check, judge)| (check.id, row(check, judge, &evidence))).collect();
    for r in &profile.requirements {
        for c in &r.checks {
            if let Some(row) = results.get_mut(c.as_str()) {
                row.requirements.push(r.id.clone());
            }
        }
    }
    let units = units(profile, &mut results);
    let requirements: Vec<_> = profile.requirements.iter().map(|r| requirement(r, &results, ics)).collect();
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
            sha256: profile.digest.hex().to_owned(),
        },
        inputs: InputDigests {
            recording: inputs.recording.digest.clone(),
            ics: inputs.ics.map(|r| r.digest.clone()),
            ixit: inputs.ixit.map(|r| r.digest.clone()),
        },
        as_of: inputs.recording.as_of().to_owned(),
        verdict: overall(&requirements),
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

fn row(check: &'static Check, judge: &dyn Judge, evidence: &Evidence<'_>) -> CheckRow {
    let mut row = CheckRow {
        check: check.id,
        title: check.title,
        verdict: Outcome::NotApplicable,
        requirements: Vec::new(),
        units: Vec::new(),
        subjects: Vec::new(),
        expected: check.expected,
        observed: String::new(),
        reasons: Vec::new(),
        evidence: Vec::new(),
        gaps: Vec::new(),
        severity: check.severity,
        remedy: check.remedy,
        proves: check.pass,
    };
    match judge.judge(evidence) {
        Decision::Absent { looked, what } => {
            row.observed = what;
            row.evidence = looked.into_iter().collect();
        }
        Decision::Judged(j) => {
            row.verdict = match j.verdict() {
                Verdict::Pass => Outcome::Pass,
                Verdict::Inconclusive => Outcome::Inconclusive,
                Verdict::Fail => Outcome::Fail,
            };
            row.observed = j.observed().join("; ");
            row.reasons = j.observed().to_vec();
            row.subjects = j.subjects().map(ToString::to_string).collect();
            row.evidence = j.cites().cloned().collect();
            row.gaps = j.gaps().map(ToString::to_string).collect();
        }
    }
    row.evidence.sort_by(|a, b| natural(a).cmp(&natural(b)));
    row
}

/// One requirement or unit from its checks. `person` says whether somebody must still look.
fn combine<'a>(rows: impl Iterator<Item = &'a CheckRow>, person: bool) -> Outcome {
    let (mut worst, mut full) = (None::<Verdict>, false);
    for row in rows {
        let verdict = match row.verdict {
            Outcome::Pass if row.proves == Proves::Nothing => continue,
            Outcome::Pass => Verdict::Pass,
            Outcome::Fail => Verdict::Fail,
            Outcome::Inconclusive => Verdict::Inconclusive,
            Outcome::NotApplicable | Outcome::AwaitingAssessor => continue,
        };
        full = (worst.is_none() || full) && row.proves == Proves::Full;
        worst = Some(worst.map_or(verdict, |w| w.max(verdict)));
    }
    match worst {
        Some(Verdict::Fail) => Outcome::Fail,
        Some(Verdict::Inconclusive) => Outcome::Inconclusive,
        Some(Verdict::Pass) if full && !person => Outcome::Pass,
        Some(Verdict::Pass) => Outcome::AwaitingAssessor,
        None if person => Outcome::AwaitingAssessor,
        None => Outcome::Inconclusive,
    }
}

fn requirement(r: &Requirement, results: &BTreeMap<&str, CheckRow>, ics: Option<&Ics>) -> RequirementRow {
    let rows = || r.checks.iter().filter_map(|c| results.get(c.as_str()));
    let mut outcome = combine(rows(), !r.attest.is_empty());
    let mut reasons: Vec<String> = Vec::new();
    for row in rows() {
        match row.verdict {
            Outcome::Fail | Outcome::Inconclusive => {
                let why = if row.observed.is_empty() { row.gaps.join("; ") } else { row.observed.clone() };
                reasons.push(format!("{}: {why}", row.check));
            }
            Outcome::Pass | Outcome::NotApplicable | Outcome::AwaitingAssessor => {}
        }
    }
    if let Some(claim) = ics.and_then(|i| not_applicable(r, i)) {
        if outcome == Outcome::Fail {
            reasons.push(format!("the declaration says not applicable ({}), the device shows otherwise", claim.reason));
        } else {
            outcome = Outcome::NotApplicable;
            reasons = vec![format!("declared: {}", claim.reason)];
        }
    }
    if outcome == Outcome::AwaitingAssessor {
        reasons.push("what the checks show must be completed by an assessor".to_owned());
    }
    RequirementRow {
        id: r.id.clone(),
        level: match r.binding {
            Binding::Mandatory => "M",
            Binding::Recommended => "R",
        },
        text: r.text.clone(),
        outcome,
        reasons,
        cites: r.cites.clone(),
        results: r.checks.clone(),
        attest: r.step(),
        provisions: r.rows.clone(),
    }
}

/// A requirement that cites several provisions is not applicable only when none of them is.
fn not_applicable<'a>(r: &Requirement, ics: &'a Ics) -> Option<&'a Claim> {
    let claims: Option<Vec<&Claim>> = r.cites.iter().map(|c| ics.claims.get(c)).collect();
    let claims = claims.filter(|c| c.iter().all(|c| c.support == Support::NotApplicable))?;
    claims.first().copied()
}

fn units(profile: &Profile, results: &mut BTreeMap<&str, CheckRow>) -> Vec<UnitRow> {
    let cited: std::collections::BTreeSet<&str> =
        profile.requirements.iter().flat_map(|r| r.cites.iter().map(String::as_str)).collect();
    let Some(method) = profile.method else { return Vec::new() };
    let mut rows = Vec::new();
    for (_, case, unit) in method.units().filter(|(g, _, _)| cited.contains(g.id.as_str())) {
        let by: Vec<String> = unit.checks.iter().filter(|c| results.contains_key(c.as_str())).cloned().collect();
        for c in &by {
            if let Some(row) = results.get_mut(c.as_str()) {
                row.units.push(unit.id.clone());
            }
        }
        let verdict = combine(by.iter().filter_map(|c| results.get(c.as_str())), unit.checks.is_empty());
        rows.push(UnitRow { id: unit.id.clone(), case: case.id.clone(), kind: unit.kind.clone(), verdict, by });
    }
    // A unit that repeats another takes its verdict where that one is in the profile, too.
    let verdicts: BTreeMap<String, Outcome> = rows.iter().map(|r| (r.id.clone(), r.verdict)).collect();
    for (_, _, unit) in method.units() {
        let Some(of) = unit.same_as.as_ref().and_then(|s| verdicts.get(s)) else { continue };
        if let Some(row) = rows.iter_mut().find(|r| r.id == unit.id) {
            row.verdict = *of;
        }
    }
    rows
}

/// FAIL if a mandatory one fails, else INCONCLUSIVE if any is open, else PASS. Nothing judged is never a pass.
fn overall(rows: &[RequirementRow]) -> Outcome {
    let mandatory = || rows.iter().filter(|r| r.level == "M" && r.outcome != Outcome::NotApplicable);
    if mandatory().any(|r| r.outcome == Outcome::Fail) {
        return Outcome::Fail;
    }
    let open = |r: &RequirementRow| r.outcome != Outcome::Pass;
    if mandatory().next().is_none() || mandatory().any(open) { Outcome::Inconclusive } else { Outcome::Pass }
}
