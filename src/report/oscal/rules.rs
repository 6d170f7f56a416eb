//! Catalog and profile: the requirements, in the profile's own words, and which of them were chosen.
use super::{CATALOG, Ids, control, metadata, objective, one_line, prop};
use crate::judge::{Assessment, assess::RequirementRow};
use crate::report::{Report, json::with};
use serde_json::{Value, json};

pub fn catalog(report: &Report<'_>, ids: &Ids) -> Value {
    let groups: Vec<Value> = report.assessments.iter().map(group).collect();
    json!({
        "uuid": ids.id("catalog"),
        "metadata": metadata(report, ids, "Requirements of the profiles judged"),
        "groups": groups,
    })
}

fn group(a: &Assessment) -> Value {
    let p = &a.profile;
    let controls: Vec<Value> = a.requirements.iter().map(|r| requirement(a, r)).collect();
    json!({
        "id": super::token(&p.id),
        "title": one_line(&p.title),
        "props": [prop("edition", &p.edition), prop("level", &p.level), prop("legal-status", &p.legal_status),
            prop("sha256", &p.sha256)],
        "parts": [{"name": "overview", "prose": p.disclaimer}],
        "controls": controls,
    })
}

fn requirement(a: &Assessment, r: &RequirementRow) -> Value {
    let id = control(a, r);
    let mut props =
        vec![prop("label", &r.id), prop("binding", if r.level == "M" { "mandatory" } else { "recommended" })];
    props.extend(r.cites.iter().map(|c| prop("cites", c)));
    let objective = json!({"id": objective(a, r), "name": "assessment-objective",
        "prose": format!("Determine if: {}", r.text)});
    let method = json!([{"name": "assessment-method", "props": [prop("method", "EXAMINE")], "prose": r.attest}]);
    let objective = with(objective, "parts", (!r.attest.is_empty()).then_some(method));
    json!({
        "id": id,
        "title": one_line(&r.text),
        "props": props,
        "parts": [{"id": format!("{id}_smt"), "name": "statement", "prose": r.text}, objective],
    })
}

pub fn profile(report: &Report<'_>, ids: &Ids) -> Value {
    let chosen: Vec<String> =
        report.assessments.iter().flat_map(|a| a.requirements.iter().map(|r| control(a, r))).collect();
    json!({
        "uuid": ids.id("profile"),
        "metadata": metadata(report, ids, "Requirements chosen for this assessment"),
        "imports": [{"href": CATALOG, "include-controls": [{"with-ids": chosen}]}],
        "merge": {"as-is": true},
    })
}

/// Which requirements were reviewed; what was declared not applicable is named as left out.
pub fn reviewed(assessments: &[&Assessment]) -> Value {
    use crate::judge::assess::Outcome;
    let of = |out: bool| -> Vec<Value> {
        assessments
            .iter()
            .flat_map(|a| {
                let rows = a.requirements.iter().filter(move |r| (r.outcome == Outcome::NotApplicable) == out);
                rows.map(|r| json!({"control-id": control(a, r)}))
            })
            .collect()
    };
    let (include, exclude) = (of(false), of(true));
    let mut selection = serde_json::Map::new();
    if !include.is_empty() {
        selection.insert("include-controls".to_owned(), json!(include));
    }
    if !exclude.is_empty() {
        selection.insert("exclude-controls".to_owned(), json!(exclude));
        selection.insert("remarks".to_owned(), json!("Excluded: declared not applicable, with reasons in the ICS."));
    }
    json!({"control-selections": [selection]})
}
