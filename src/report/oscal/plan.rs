//! The assessment plan: what was asked of which device, by which tool. A device has no system security
//! plan, so that its declarations stand in for one.
use super::{Ids, PROFILE, control, device, metadata, one_line, prop, rules};
use crate::judge::{Assessment, assess::tool};
use crate::report::{
    Report,
    case::{ASSESSOR, cases},
    json::{some, with},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub fn plan(report: &Report<'_>, ids: &Ids) -> Value {
    let all: Vec<&Assessment> = report.assessments.iter().collect();
    json!({
        "uuid": ids.id("plan"),
        "metadata": metadata(report, ids, "Assessment plan"),
        "import-ssp": {"href": ids.local("declarations"),
            "remarks": "A device has no system security plan: this names its declarations (ICS and IXIT)."},
        "local-definitions": {"inventory-items": [inventory(report, ids)], "activities": activities(report, ids)},
        "reviewed-controls": rules::reviewed(&all),
        "assessment-subjects": [{"type": "inventory-item",
            "include-subjects": [{"subject-uuid": ids.id("device"), "type": "inventory-item"}]}],
        "assessment-assets": assets(ids),
        "back-matter": {"resources": [declarations(report, ids), chosen(ids)]},
    })
}

/// One activity for each check, and one for what people look at, with the controls that each is for.
fn activities(report: &Report<'_>, ids: &Ids) -> Vec<Value> {
    let mut found: BTreeMap<String, (String, Vec<Value>)> = BTreeMap::new();
    for case in report.assessments.iter().flat_map(cases) {
        let title = if case.name() == ASSESSOR { "An assessor's judgement".to_owned() } else { case.title() };
        let (_, controls) = found.entry(case.name().to_owned()).or_insert((title, Vec::new()));
        let id = json!({"control-id": control(case.assessment, case.requirement)});
        if !controls.contains(&id) {
            controls.push(id);
        }
    }
    let activity = |(name, (title, controls)): (String, (String, Vec<Value>))| {
        let method = if name == ASSESSOR { "EXAMINE" } else { "TEST" };
        json!({
            "uuid": ids.id(&format!("activity {name}")),
            "title": one_line(&title),
            "description": format!("`{name}`: {title}"),
            "props": [json!({"name": "method", "value": method}), prop("check", &name)],
            "related-controls": {"control-selections": [{"include-controls": controls}]},
        })
    };
    found.into_iter().map(activity).collect()
}

/// The tool and the machine it ran on.
fn assets(ids: &Ids) -> Value {
    let tool = tool();
    json!({
        "components": [{
            "uuid": ids.id("tool"),
            "type": "software",
            "title": tool.name,
            "description": "Conformance tester; it judges recorded evidence by itself and repeatably.",
            "props": [json!({"name": "version", "value": tool.version})],
            "status": {"state": "operational"},
        }],
        "assessment-platforms": [{
            "uuid": ids.id("platform"),
            "title": "Test host",
            "uses-components": [{"component-uuid": ids.id("tool")}],
        }],
    })
}

fn inventory(report: &Report<'_>, ids: &Ids) -> Value {
    let hosts = report.recording.header.hosts.iter().map(|h| prop("host", &h.to_string()));
    json!({
        "uuid": ids.id("device"),
        "description": format!("Device under test, addressed as {}", device(report)),
        "props": hosts.collect::<Vec<_>>(),
    })
}

fn declarations(report: &Report<'_>, ids: &Ids) -> Value {
    let inputs = report.assessments.first().map(|a| &a.inputs);
    let mut links = Vec::new();
    let files = [("ics", inputs.and_then(|i| i.ics.as_ref())), ("ixit", inputs.and_then(|i| i.ixit.as_ref()))];
    for (name, digest) in files {
        let Some(digest) = digest else { continue };
        links.push(json!({"href": format!("../../declarations/{name}.toml"), "media-type": "application/toml",
            "hashes": [{"algorithm": "SHA-256", "value": digest.hex()}]}));
    }
    let links = some(links);
    let said = if links.is_some() { "What the maker declares and describes." } else { "None was supplied." };
    let resource = json!({"uuid": ids.id("declarations"), "title": "Declarations of the device (ICS, IXIT)",
        "description": said});
    with(resource, "rlinks", links)
}

fn chosen(ids: &Ids) -> Value {
    json!({"uuid": ids.id("chosen"), "title": "Requirements chosen",
        "rlinks": [{"href": PROFILE, "media-type": "application/json"}]})
}
