//! SARIF 2.1.0 for code scanning: failures only, since those who show it take every result for an alert.
use super::{
    case::{cases, first},
    html::Report,
    json::{some, with},
};
use crate::judge::{
    Assessment,
    assess::{CheckRow, Outcome, tool},
    check::Severity,
};
use crate::model::{Sha256Digest, observation::clean};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// One run per profile. `anchor` is a file of the reader's repository that results are shown at; code
/// scanning sites show nothing that has no file.
pub fn sarif(report: &Report<'_>, anchor: Option<&str>) -> String {
    let runs: Vec<Value> = report.assessments.iter().map(|a| run(report, a, anchor)).collect();
    let log = json!({"$schema": SCHEMA, "version": "2.1.0", "runs": runs});
    // Plain data with text keys: writing it to memory cannot fail.
    serde_json::to_string_pretty(&log).unwrap_or_default() + "\n"
}

fn run(report: &Report<'_>, a: &Assessment, anchor: Option<&str>) -> Value {
    let failed: Vec<&CheckRow> = a.results.iter().filter(|r| r.verdict == Outcome::Fail).collect();
    let rules: Vec<Value> = failed.iter().map(|r| rule(r)).collect();
    let results: Vec<Value> = failed.iter().enumerate().map(|(n, r)| result(report, a, (n, r), anchor)).collect();
    let tool = tool();
    let p = &a.profile;
    json!({
        "tool": {"driver": {
            "name": tool.name,
            "version": tool.version,
            "semanticVersion": tool.version,
            "rules": rules,
        }},
        "automationDetails": {"id": format!("{}/{}/", tool.name, p.id)},
        "columnKind": "unicodeCodePoints",
        "properties": {
            "profile": p.id,
            "level": p.level,
            "edition": p.edition,
            "verdict": a.verdict.word(),
            "standing": super::case::standing(report.standing),
            "recording": a.inputs.recording,
            "counts": a.counts,
            "note": p.disclaimer,
        },
        "results": results,
    })
}

fn rule(r: &CheckRow) -> Value {
    json!({
        "id": r.check,
        "name": r.check,
        "shortDescription": {"text": r.title},
        "fullDescription": {"text": r.expected},
        "help": {"text": r.remedy},
        "defaultConfiguration": {"level": level(r.severity)},
        "properties": {"security-severity": score(r.severity), "tags": ["security"]},
    })
}

fn result(report: &Report<'_>, a: &Assessment, (n, r): (usize, &CheckRow), anchor: Option<&str>) -> Value {
    let requirements: Vec<&str> =
        cases(a).iter().filter(|c| c.name() == r.check).map(|c| c.requirement.id.as_str()).collect();
    let ((subjects, more_subjects), (evidence, more_evidence)) = (first(&r.subjects), first(&r.evidence));
    let logical: Vec<Value> =
        subjects.iter().map(|s| json!({"fullyQualifiedName": clean(s, usize::MAX), "kind": "resource"})).collect();
    let physical = anchor.map(|file| json!({"artifactLocation": {"uri": file}, "region": {"startLine": 1}}));
    let location = with(with(json!({}), "logicalLocations", some(logical)), "physicalLocation", physical);
    let locations = location.as_object().is_some_and(|l| !l.is_empty()).then(|| json!([location]));
    let said = format!("{} Observed: {} Remedy: {}", r.expected, clean(&r.observed, usize::MAX), r.remedy);
    let result = json!({
        "ruleId": r.check,
        "ruleIndex": n,
        "kind": "fail",
        "level": level(r.severity),
        "message": {"text": said},
        "partialFingerprints": {"patuhFinding/v1": fingerprint(report, a, r)},
        "properties": {"requirements": requirements, "evidence": evidence, "moreEvidence": more_evidence,
            "moreSubjects": more_subjects, "severity": r.severity},
    });
    with(result, "locations", locations)
}

/// The same for the same flaw of the same profile, whatever address the device has that day.
fn fingerprint(report: &Report<'_>, a: &Assessment, r: &CheckRow) -> String {
    let hosts: BTreeMap<String, String> =
        report.recording.header.hosts.iter().enumerate().map(|(n, h)| (h.to_string(), format!("host{n}"))).collect();
    let mut subjects: Vec<String> = r.subjects.clone();
    for subject in &mut subjects {
        for (address, name) in &hosts {
            *subject = subject.replace(address, name);
        }
    }
    Sha256Digest::of(format!("{}\n{}\n{}", a.profile.id, r.check, subjects.join("\n")).as_bytes()).hex()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// The middle of the band that code scanning shows under this name.
fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}
