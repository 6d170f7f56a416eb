//! Drafts of the documents that a maker hands out or hands in. A draft never claims anything: it shows what was judged
//! in words that cannot be read as more, and names every field that is still to be filled in.
pub mod forms;
mod show;

pub use forms::{Form, Maker};
pub use show::{html, json, text};

use crate::{
    judge::{
        Assessment,
        assess::{Outcome, RequirementRow},
        profile::recognition,
    },
    model::{Ixit, Recording},
};
use serde::Serialize;

pub const SCHEMA: &str = "statement/1";
pub const DRAFT: &str = "DRAFT - not a statement, not signed, not a certificate";

#[derive(Debug, Serialize)]
pub struct Statement<'a> {
    pub schema: &'static str,
    pub draft: &'static str,
    pub kind: &'static str,
    pub title: &'static str,
    #[serde(rename = "use")]
    pub purpose: &'static str,
    pub confidence: &'static str,
    pub sources: &'static [String],
    pub profile: &'a crate::judge::assess::ProfileRef,
    pub inputs: &'a crate::judge::assess::InputDigests,
    /// What was looked at, and when.
    pub targets: &'a [String],
    pub as_of: &'a str,
    /// What the assessment allows to be stated, in one sentence.
    pub finding: String,
    /// Whether every mandatory requirement was shown to be met or declared not applicable.
    pub may_be_stated: bool,
    pub fields: Vec<Filled>,
    /// Labels of the fields that are still empty.
    pub missing: Vec<&'static str>,
    pub requirements: Vec<Row<'a>>,
    /// Labels that stand in for the requirements, or that this one stands in for.
    pub recognition: Vec<String>,
}

/// A field with what it holds, and who says so.
#[derive(Debug, Serialize)]
pub struct Filled {
    pub key: &'static str,
    pub label: &'static str,
    pub value: Option<String>,
    pub says: Says,
    pub confidence: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Says {
    Maker,
    /// The IXIT, where the maker's entry is declared and not only observed.
    Ixit,
    /// To be filled in.
    Nobody,
    /// To be filled in by hand, on the document.
    ByHand,
}

#[derive(Debug, Serialize)]
pub struct Row<'a> {
    pub id: &'a str,
    pub binding: &'static str,
    pub text: &'a str,
    pub outcome: Outcome,
    pub reads: &'static str,
    pub reasons: &'a [String],
    pub checks: Vec<String>,
    pub evidence: Vec<&'a str>,
    /// What a person still has to look at.
    pub to_do: &'a str,
    /// What the scheme wants to see beside it.
    pub artefact: Option<&'static str>,
}

/// How an outcome reads in a document. Only PASS reads as met.
fn reads(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "shown to be met",
        Outcome::Fail => "NOT MET",
        Outcome::Inconclusive => "OPEN: not decided",
        Outcome::AwaitingAssessor => "OPEN: an assessor has not completed it",
        Outcome::NotApplicable => "declared not applicable",
    }
}

pub fn statement<'a>(
    form: &'static Form,
    a: &'a Assessment,
    recording: &'a Recording,
    ixit: Option<&Ixit>,
    maker: &Maker,
) -> Statement<'a> {
    let fields: Vec<Filled> = form.fields.iter().map(|f| filled(f, ixit, maker)).collect();
    let (may_be_stated, finding) = finding(form, a);
    Statement {
        schema: SCHEMA,
        draft: DRAFT,
        kind: &form.id,
        title: &form.title,
        purpose: &form.purpose,
        confidence: &form.confidence,
        sources: &form.sources,
        profile: &a.profile,
        inputs: &a.inputs,
        targets: &recording.header.targets,
        as_of: &a.as_of,
        finding,
        may_be_stated,
        missing: fields.iter().filter(|f| f.value.is_none()).map(|f| f.label).collect(),
        fields,
        requirements: a.requirements.iter().map(|r| row(form, a, r)).collect(),
        recognition: recognition::of(&a.profile.id).map(ToString::to_string).collect(),
    }
}

fn filled(field: &'static forms::Field, ixit: Option<&Ixit>, maker: &Maker) -> Filled {
    let declared = ixit.and_then(|i| i.declared("dut")).and_then(|entries| entries.first().copied());
    let declared = declared.map(|e| e.text(&field.from)).filter(|t| !field.from.is_empty() && !t.is_empty());
    let (value, says) = match (field.by_hand, maker.of(&field.key), declared) {
        (true, _, _) => (None, Says::ByHand),
        (false, Some(said), _) => (Some(said.to_owned()), Says::Maker),
        (false, None, Some(said)) => (Some(said.to_owned()), Says::Ixit),
        (false, None, None) => (None, Says::Nobody),
    };
    Filled { key: &field.key, label: &field.label, value, says, confidence: &field.confidence }
}

/// Whether anything may be stated on this assessment, and why not.
fn finding(form: &Form, a: &Assessment) -> (bool, String) {
    let asked = || a.requirements.iter().filter(|r| r.level == "M" && r.id != form.itself);
    let ids = |of: &[Outcome]| asked().filter(|r| of.contains(&r.outcome)).map(|r| r.id.as_str()).collect::<Vec<_>>();
    let (failed, open) = (ids(&[Outcome::Fail]), ids(&[Outcome::Inconclusive, Outcome::AwaitingAssessor]));
    let shown = ids(&[Outcome::Pass]).len();
    let mut against = Vec::new();
    if !failed.is_empty() {
        against.push(format!("{} not met ({})", failed.len(), failed.join(", ")));
    }
    if !open.is_empty() {
        against.push(format!("{} open ({})", open.len(), open.join(", ")));
    }
    if a.profile.standing != "in force" {
        against.push(format!("the profile was {}", a.profile.standing));
    }
    if shown == 0 && against.is_empty() {
        against.push("no requirement was shown to be met".to_owned());
    }
    match against.is_empty() {
        true => (
            true,
            format!(
                "Each of the {shown} mandatory requirements judged was shown to be met; whether to state so is the maker's decision."
            ),
        ),
        false => (false, format!("Compliance cannot be stated on this assessment: {}.", against.join("; "))),
    }
}

fn row<'a>(form: &'static Form, a: &'a Assessment, r: &'a RequirementRow) -> Row<'a> {
    let results = || a.results.iter().filter(|c| r.results.iter().any(|id| id == c.check));
    let mut evidence: Vec<&str> = results().flat_map(|c| c.evidence.iter().map(AsRef::as_ref)).collect();
    evidence.sort_by(|x, y| crate::judge::evidence::natural(x).cmp(&crate::judge::evidence::natural(y)));
    evidence.dedup();
    let open = matches!(r.outcome, Outcome::AwaitingAssessor | Outcome::Inconclusive | Outcome::Fail);
    Row {
        id: &r.id,
        binding: if r.level == "M" { "mandatory" } else { "recommended" },
        text: &r.text,
        outcome: r.outcome,
        reads: reads(r.outcome),
        reasons: &r.reasons,
        checks: results().map(|c| format!("{} {}", c.check, c.verdict.word())).collect(),
        evidence,
        to_do: if open { &r.attest } else { "" },
        artefact: form.artefacts.get(&r.id).map(AsRef::as_ref),
    }
}
