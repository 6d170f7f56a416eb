//! CycloneDX 1.6 declarations: requirements as standards, and each case as a claim about the device with its evidence.
//!
//! What is undecided is no claim: its requirement has a rationale and no score.
use super::{
    case::{Case, cases, standing},
    html::Report,
    json::{some, with},
    words::words,
};
use crate::judge::{
    Assessment,
    assess::{Outcome, RequirementRow, tool},
};
use crate::model::observation::clean;
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
    let claims: Vec<Value> = all.iter().filter(|c| decided(c)).map(claim).collect();
    let declarations = json!({
        "assessors": [{"bom-ref": ASSESSOR, "organization": {"name": format!("{} {}", tool.name, tool.version)}}],
        "attestations": report.assessments.iter().map(|a| attestation(a, &all)).collect::<Vec<_>>(),
        "targets": {"components": [{"bom-ref": DEVICE, "type": "device", "name": targets}]},
    });
    let declarations = with(declarations, "claims", some(claims));
    let declarations = with(declarations, "evidence", some(evidence(report, &all)));
    let judged = super::json(report.assessments);
    let name = format!("{NS}\n{}\n{}", recording.digest, crate::model::Sha256Digest::of(judged.as_bytes()));
    let bom = json!({
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes())),
        "version": 1,
        "metadata": {
            "timestamp": recording.as_of(),
            "tools": {"components": [{"type": "application", "name": tool.name, "version": tool.version}]},
            "properties": [
                {"name": "patuh:standing", "value": standing(report.standing)},
                {"name": "patuh:recording", "value": recording.digest.to_string()},
            ],
        },
        "definitions": {"standards": report.assessments.iter().map(standard).collect::<Vec<_>>()},
        "declarations": declarations,
    });
    // Plain data with text keys: writing it to memory cannot fail.
    serde_json::to_string_pretty(&bom).unwrap_or_default() + "\n"
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
    let evidence = some(case.evidence().iter().map(|id| json!(format!("evidence/{id}"))).collect());
    let value = json!({"bom-ref": reference(case), "target": DEVICE,
        "predicate": clean(&case.title(), usize::MAX), "reasoning": case.said()});
    with(value, if case.outcome == Outcome::Fail { "counterEvidence" } else { "evidence" }, evidence)
}

/// Every record and run that a claim cites.
fn evidence(report: &Report<'_>, all: &[Case<'_>]) -> Vec<Value> {
    let cited: BTreeSet<&String> = all.iter().filter(|c| decided(c)).flat_map(|c| c.evidence()).collect();
    let row = |id: &String, what: String, at: &str| json!({"bom-ref": format!("evidence/{id}"), "propertyName": id, "description": what, "created": at});
    let runs = report.recording.runs.iter().filter(|r| cited.contains(&r.id));
    let records = report.recording.records().filter(|r| cited.contains(&r.id));
    let runs = runs.map(|r| row(&r.id, format!("probe run of {}", r.probe), &r.started));
    let seen = |r: &crate::model::Record| clean(&format!("{}: {}", r.subject, words(&r.observation)), usize::MAX);
    runs.chain(records.map(|r| row(&r.id, seen(r), &r.at))).collect()
}
