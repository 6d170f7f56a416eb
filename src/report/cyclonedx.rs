//! CycloneDX 1.6 declarations: requirements as standards, and each case as a claim about the device with its evidence.
//!
//! What is undecided is no claim: its requirement has a rationale and no score.
use super::{
    case::{Case, cases, first, standing},
    html::Report,
    json::{each, some, with},
    words::words,
};
use crate::judge::{
    Assessment,
    assess::{Outcome, RequirementRow, tool},
};
use crate::model::{Record, Run, Shared, observation::clean};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

const SCHEMA: &str = "http://cyclonedx.org/schema/bom-1.6.schema.json";
const NS: &str = "urn:x-patuh:cyclonedx";
const DEVICE: &str = "device";
const ASSESSOR: &str = "assessor";

pub fn cyclonedx(report: &Report<'_>) -> String {
    let (recording, tool) = (report.recording, tool());
    let all: Vec<Case<'_>> = report.assessments.iter().flat_map(cases).collect();
    let targets = clean(&recording.header.targets.join(", "), usize::MAX);
    let claims: Vec<Case<'_>> = all.iter().filter(|c| decided(c)).copied().collect();
    let rows = evidence(report, &claims);
    let declarations = Declarations {
        assessors: json!([{"bom-ref": ASSESSOR, "organization": {"name": format!("{} {}", tool.name, tool.version)}}]),
        attestations: report.assessments.iter().map(|a| attestation(a, &all)).collect(),
        claims: (!claims.is_empty()).then(|| each(claims, claim)),
        evidence: (!rows.is_empty()).then(|| each(rows, Cited::value)),
        targets: json!({"components": [{"bom-ref": DEVICE, "type": "device", "name": targets}]}),
    };
    let judged = super::json::digest(report.assessments);
    let name = format!("{NS}\n{}\n{judged}", recording.digest);
    let bom = Bom {
        schema: SCHEMA,
        bom_format: "CycloneDX",
        declarations,
        definitions: json!({"standards": report.assessments.iter().map(standard).collect::<Vec<_>>()}),
        metadata: json!({
            "timestamp": recording.as_of(),
            "tools": {"components": [{"type": "application", "name": tool.name, "version": tool.version}]},
            "properties": [
                {"name": "patuh:standing", "value": standing(report.standing)},
                {"name": "patuh:recording", "value": recording.digest.to_string()},
            ],
        }),
        serial_number: format!("urn:uuid:{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())),
        spec_version: "1.6",
        version: 1,
    };
    // Plain data with text keys: writing it to memory cannot fail.
    serde_json::to_string_pretty(&bom).unwrap_or_default() + "\n"
}

/// Written as it is made: its lists may name more records than there is memory for such values. The fields stand in
/// the order of their names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom<D> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    declarations: D,
    definitions: Value,
    metadata: Value,
    serial_number: String,
    spec_version: &'static str,
    version: u32,
}

#[derive(Serialize)]
struct Declarations<C, E> {
    assessors: Value,
    attestations: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<C>,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<E>,
    targets: Value,
}

fn requirement(a: &Assessment, r: &RequirementRow) -> String {
    format!("requirement/{}/{}", a.profile.id, r.id)
}

fn reference(case: &Case<'_>) -> String {
    format!("claim/{}/{}/{}", case.assessment.profile.id, case.requirement.id, case.name())
}

fn decided(case: &Case<'_>) -> bool {
    matches!(case.outcome, Outcome::Pass | Outcome::Fail)
}

fn standard(a: &Assessment) -> Value {
    let p = &a.profile;
    let one = |r: &RequirementRow| {
        json!({"bom-ref": requirement(a, r), "identifier": r.id, "text": clean(&r.text, usize::MAX),
            "properties": [{"name": "patuh:binding", "value": if r.level == "M" { "mandatory" } else { "recommended" }}]})
    };
    json!({
        "bom-ref": format!("standard/{}", p.id),
        "name": p.title,
        "version": format!("{}, level {}", p.edition, p.level),
        "description": p.disclaimer,
        "requirements": a.requirements.iter().map(one).collect::<Vec<_>>(),
    })
}

fn attestation(a: &Assessment, all: &[Case<'_>]) -> Value {
    let own = |c: &&Case<'_>| std::ptr::eq(c.assessment, a);
    let map: Vec<Value> = a
        .requirements
        .iter()
        .map(|r| {
            let of = |outcome: Outcome| -> Vec<Value> {
                let same = all.iter().filter(own).filter(|c| c.requirement.id == r.id && c.outcome == outcome);
                same.map(|c| json!(reference(c))).collect()
            };
            let reasons = r.reasons.iter().map(|w| clean(w, usize::MAX)).collect::<Vec<_>>().join("; ");
            let conformance = json!({"rationale": format!("{}: {reasons}", r.outcome.word())});
            let score = match r.outcome {
                Outcome::Pass => Some(json!(1)),
                Outcome::Fail => Some(json!(0)),
                Outcome::Inconclusive | Outcome::NotApplicable | Outcome::AwaitingAssessor => None,
            };
            let row = json!({"requirement": requirement(a, r), "conformance": with(conformance, "score", score)});
            with(with(row, "claims", some(of(Outcome::Pass))), "counterClaims", some(of(Outcome::Fail)))
        })
        .collect();
    let summary = format!("{}: {}", a.profile.title, a.verdict.word());
    json!({"summary": summary, "assessor": ASSESSOR, "map": map})
}

fn claim(case: &Case<'_>) -> Value {
    let (cited, more) = first(case.evidence());
    let evidence = some(cited.iter().map(|id| json!(format!("evidence/{id}"))).collect());
    let said = if more == 0 { case.said() } else { format!("{} (and {more} records more)", case.said()) };
    let value = json!({"bom-ref": reference(case), "target": DEVICE,
        "predicate": clean(&case.title(), usize::MAX), "reasoning": said});
    with(value, if case.outcome == Outcome::Fail { "counterEvidence" } else { "evidence" }, evidence)
}

/// A record or run that a claim cites.
enum Cited<'a> {
    Run(&'a Run),
    Record(&'a Record),
}

impl Cited<'_> {
    fn value(&self) -> Value {
        let (id, what, at) = match self {
            Self::Run(r) => (&r.id, format!("probe run of {}", r.probe), r.started.as_str()),
            Self::Record(r) => (&r.id, clean(&format!("{}: {}", r.subject, words(&r.observation)), usize::MAX), &*r.at),
        };
        json!({"bom-ref": format!("evidence/{id}"), "propertyName": id, "description": what, "created": at})
    }
}

fn evidence<'a>(report: &Report<'a>, claims: &[Case<'_>]) -> Vec<Cited<'a>> {
    let cited: BTreeSet<&Shared> = claims.iter().flat_map(|c| first(c.evidence()).0).collect();
    let runs = report.recording.runs.iter().filter(|r| cited.contains(&r.id));
    let records = report.recording.records().filter(|r| cited.contains(&r.id));
    runs.map(Cited::Run).chain(records.map(Cited::Record)).collect()
}
