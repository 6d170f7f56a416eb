//! The assessment results: an observation for each case, a finding for each requirement that applies.
use super::{Ids, PLAN, control, metadata, objective, one_line, prop, rules};
use crate::judge::{
    Assessment,
    assess::{Outcome, RequirementRow},
};
use crate::report::{
    Report,
    case::{Case, Step, cases},
    json::{some, with},
};
use serde_json::{Value, json};

pub fn results(report: &Report<'_>, ids: &Ids) -> Value {
    let results: Vec<Value> = report.assessments.iter().map(|a| result(report, ids, a)).collect();
    json!({
        "uuid": ids.id("results"),
        "metadata": metadata(report, ids, "Assessment results"),
        "import-ap": {"href": PLAN},
        "results": results,
        "back-matter": {"resources": [{
            "uuid": ids.id("recording"),
            "title": "Recording",
            "description": "What the device did and what was not looked at; observations name its records.",
            "rlinks": [{"href": "../../recording/recording.jsonl", "media-type": "application/jsonl",
                "hashes": [{"algorithm": "SHA-256", "value": report.recording.digest.hex()}]}],
        }]},
    })
}

fn result(report: &Report<'_>, ids: &Ids, a: &Assessment) -> Value {
    let cases = cases(a);
    let observations: Vec<Value> = cases.iter().map(|c| observation(ids, c)).collect();
    let applicable = a.requirements.iter().filter(|r| r.outcome != Outcome::NotApplicable);
    let findings: Vec<Value> = applicable.map(|r| finding(ids, a, r, &cases)).collect();
    let result = json!({
        "uuid": ids.id(&format!("result {}", a.profile.id)),
        "title": one_line(&a.profile.title),
        "description": format!("{} at level {}: {}. {}", a.profile.id, a.profile.level, a.verdict.word(), a.profile.disclaimer),
        "start": report.recording.header.started,
        "props": [prop("verdict", a.verdict.word()), prop("profile", &a.profile.id), prop("profile-sha256", &a.profile.sha256)],
        "reviewed-controls": rules::reviewed(&[a]),
    });
    let result = with(result, "end", report.recording.finished.as_ref().map(|end| json!(end)));
    let result = with(result, "observations", some(observations));
    with(with(result, "findings", some(findings)), "remarks", missing(&a.gaps))
}

/// What was not looked at, as a remark.
fn missing(gaps: &[String]) -> Option<Value> {
    (!gaps.is_empty()).then(|| json!(format!("Not looked at: {}", gaps.join("; "))))
}

fn observed(ids: &Ids, c: &Case<'_>) -> String {
    ids.id(&format!("observation {} {}", control(c.assessment, c.requirement), c.name()))
}

fn observation(ids: &Ids, c: &Case<'_>) -> Value {
    let (method, actor) = match c.step {
        Step::Check(_) => ("TEST", json!({"type": "tool", "actor-uuid": ids.id("tool")})),
        Step::Person => ("EXAMINE", json!({"type": "party", "actor-uuid": ids.id("party")})),
    };
    let mut props = vec![prop("check", c.name()), prop("outcome", c.outcome.word())];
    props.extend(c.subjects().iter().map(|s| prop("endpoint", s)));
    let observation = json!({
        "uuid": observed(ids, c),
        "title": one_line(&c.title()),
        "description": one_line(&c.said()),
        "props": props,
        "methods": [method],
        "origins": [{"actors": [actor]}],
        "subjects": [{"subject-uuid": ids.id("device"), "type": "inventory-item"}],
        "collected": c.assessment.as_of,
    });
    let evidence: Vec<Value> = c
        .evidence()
        .iter()
        .map(|record| json!({"href": ids.local("recording"), "description": format!("record or run `{record}`")}))
        .collect();
    with(with(observation, "relevant-evidence", some(evidence)), "remarks", missing(c.gaps()))
}

fn finding(ids: &Ids, a: &Assessment, r: &RequirementRow, cases: &[Case<'_>]) -> Value {
    let (state, reason) = match r.outcome {
        Outcome::Pass => ("satisfied", "pass"),
        Outcome::Fail => ("not-satisfied", "fail"),
        Outcome::Inconclusive | Outcome::AwaitingAssessor | Outcome::NotApplicable => ("not-satisfied", "other"),
    };
    let related: Vec<Value> = cases
        .iter()
        .filter(|c| c.requirement.id == r.id)
        .map(|c| json!({"observation-uuid": observed(ids, c)}))
        .collect();
    let why = if r.reasons.is_empty() { r.text.clone() } else { r.reasons.join("; ") };
    json!({
        "uuid": ids.id(&format!("finding {}", control(a, r))),
        "title": one_line(&format!("{} {}", r.id, r.text)),
        "description": one_line(&why),
        "props": [prop("outcome", r.outcome.word()), prop("binding", if r.level == "M" { "mandatory" } else { "recommended" })],
        "target": {"type": "objective-id", "target-id": objective(a, r), "status": {"state": state, "reason": reason}},
        "related-observations": related,
    })
}
