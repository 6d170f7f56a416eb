//! The assessment results: an observation for each case, a finding for each requirement that applies.
use super::{Ids, PLAN, control, metadata, objective, one_line, prop, rules};
use crate::judge::{
    Assessment,
    assess::{Outcome, RequirementRow},
};
use crate::model::Shared;
use crate::report::{
    Report,
    case::{Case, Step, cases, first},
    json::each,
};
use serde::Serialize;
use serde_json::{Value, json};

/// Written as it is made: its lists name every record, which are more than there is memory for such values.
pub fn results<'a>(report: &'a Report<'a>, ids: &'a Ids) -> impl Serialize + 'a {
    Results {
        back_matter: json!({"resources": [{
            "uuid": ids.id("recording"),
            "title": "Recording",
            "description": "What the device did and what was not looked at; observations name its records.",
            "rlinks": [{"href": "../../recording/recording.jsonl", "media-type": "application/jsonl",
                "hashes": [{"algorithm": "SHA-256", "value": report.recording.digest.hex()}]}],
        }]}),
        import: json!({"href": PLAN}),
        metadata: metadata(report, ids, "Assessment results"),
        results: each(report.assessments.iter().collect(), move |a: &&'a Assessment| result(report, ids, a)),
        uuid: ids.id("results"),
    }
}

/// The fields stand in the order of their names, as those of values do.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Results<R> {
    back_matter: Value,
    #[serde(rename = "import-ap")]
    import: Value,
    metadata: Value,
    results: R,
    uuid: String,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ResultRow<O> {
    description: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observations: Option<O>,
    props: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    remarks: Option<String>,
    reviewed_controls: Value,
    start: String,
    title: String,
    uuid: String,
}

fn result<'a>(report: &'a Report<'a>, ids: &'a Ids, a: &'a Assessment) -> impl Serialize + 'a {
    let all = cases(a);
    let applicable = a.requirements.iter().filter(|r| r.outcome != Outcome::NotApplicable);
    let findings: Vec<Value> = applicable.map(|r| finding(ids, a, r, &all)).collect();
    ResultRow {
        description: format!(
            "{} at level {}: {}. {}",
            a.profile.id,
            a.profile.level,
            a.verdict.word(),
            a.profile.disclaimer
        ),
        end: report.recording.finished.clone(),
        findings,
        observations: (!all.is_empty()).then(|| each(all, move |c: &Case<'a>| observation(ids, *c))),
        props: json!([
            prop("verdict", a.verdict.word()),
            prop("profile", &a.profile.id),
            prop("profile-sha256", &a.profile.sha256)
        ]),
        remarks: missing(&a.gaps),
        reviewed_controls: rules::reviewed(&[a]),
        start: report.recording.header.started.clone(),
        title: one_line(&a.profile.title),
        uuid: ids.id(&format!("result {}", a.profile.id)),
    }
}

/// What was not looked at, as a remark.
fn missing(gaps: &[String]) -> Option<String> {
    (!gaps.is_empty()).then(|| format!("Not looked at: {}", gaps.join("; ")))
}

fn observed(ids: &Ids, c: &Case<'_>) -> String {
    ids.id(&format!("observation {} {}", control(c.assessment, c.requirement), c.name()))
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct ObservationRow<'a, P, E> {
    collected: &'a str,
    description: String,
    methods: [&'static str; 1],
    origins: Value,
    props: P,
    #[serde(skip_serializing_if = "Option::is_none")]
    relevant_evidence: Option<E>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remarks: Option<String>,
    subjects: Value,
    title: String,
    uuid: String,
}

fn observation<'a>(ids: &'a Ids, c: Case<'a>) -> impl Serialize + 'a {
    let (method, actor) = match c.step {
        Step::Check(_) => ("TEST", json!({"type": "tool", "actor-uuid": ids.id("tool")})),
        Step::Person => ("EXAMINE", json!({"type": "party", "actor-uuid": ids.id("party")})),
    };
    let mut props = vec![("check", c.name().to_owned()), ("outcome", c.outcome.word().to_owned())];
    let ((subjects, more_subjects), (records, more_records)) = (first(c.subjects()), first(c.evidence()));
    props.extend(subjects.iter().map(|s| ("endpoint", s.clone())));
    let recording = ids.local("recording");
    let cited = move |record: &&Shared| json!({"href": recording, "description": format!("record or run `{record}`")});
    let records: Vec<&Shared> = records.iter().collect();
    let unnamed = [(more_subjects, "endpoints"), (more_records, "records")];
    let unnamed = unnamed.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("And {n} {what} more."));
    let remarks: Vec<String> = missing(c.gaps()).into_iter().chain(unnamed).collect();
    ObservationRow {
        collected: &c.assessment.as_of,
        description: one_line(&c.said()),
        methods: [method],
        origins: json!([{"actors": [actor]}]),
        props: each(props, |(name, value)| prop(name, value)),
        relevant_evidence: (!records.is_empty()).then(|| each(records, cited)),
        remarks: (!remarks.is_empty()).then(|| remarks.join(" ")),
        subjects: json!([{"subject-uuid": ids.id("device"), "type": "inventory-item"}]),
        title: one_line(&c.title()),
        uuid: observed(ids, &c),
    }
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
