//! OSCAL 1.2 for authorities: catalog, profile, assessment plan and assessment results, which refer to each other.
//!
//! Made from the assessment and the digests of its inputs alone: the same content gives the same bytes,
//! identifiers included (version 5 UUIDs).
mod plan;
mod results;
mod rules;

use super::html::Report;
use crate::judge::{
    Assessment,
    assess::{RequirementRow, tool},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

pub const CATALOG: &str = "catalog.json";
pub const PROFILE: &str = "profile.json";
pub const PLAN: &str = "assessment-plan.json";
pub const RESULTS: &str = "assessment-results.json";

const OSCAL_VERSION: &str = "1.2.1";
/// The namespace of our own properties.
const NS: &str = "urn:x-patuh:oscal";

/// The four files: name and text.
pub fn oscal(report: &Report<'_>) -> Vec<(&'static str, String)> {
    let ids = Ids::of(report);
    vec![
        file(CATALOG, "catalog", rules::catalog(report, &ids)),
        file(PROFILE, "profile", rules::profile(report, &ids)),
        file(PLAN, "assessment-plan", plan::plan(report, &ids)),
        file(RESULTS, "assessment-results", results::results(report, &ids)),
    ]
}

fn file(name: &'static str, root: &'static str, value: impl Serialize) -> (&'static str, String) {
    let value = BTreeMap::from([(root, value)]);
    // Plain data with text keys: writing it to memory cannot fail.
    (name, serde_json::to_string_pretty(&value).unwrap_or_default() + "\n")
}

/// Identifiers that depend on nothing but what was judged, and under what.
struct Ids(Uuid);

impl Ids {
    fn of(report: &Report<'_>) -> Self {
        let mut name = format!("{NS}\n{}\n", report.recording.digest);
        for a in report.assessments {
            let declared = [&a.inputs.ics, &a.inputs.ixit].map(|d| d.as_ref().map(ToString::to_string));
            name.push_str(&format!("{} {} {declared:?}\n", a.profile.sha256, a.profile.level));
        }
        Self(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
    }

    /// The identifier of one thing; `role` names it within its report.
    fn id(&self, role: &str) -> String {
        Uuid::new_v5(&self.0, role.as_bytes()).to_string()
    }

    fn local(&self, role: &str) -> String {
        format!("#{}", self.id(role))
    }
}

fn metadata(report: &Report<'_>, ids: &Ids, title: &str) -> Value {
    let tool = tool();
    json!({
        "title": title,
        "last-modified": report.recording.as_of(),
        "version": tool.version,
        "oscal-version": OSCAL_VERSION,
        "props": [prop("standing", super::case::standing(report.standing)), prop("tool", &tool.name)],
        "roles": [{"id": "assessor", "title": "Assessor"}],
        "parties": [{"uuid": ids.id("party"), "type": "organization", "name": "Test laboratory",
            "remarks": "Named by the seal of the evidence bundle, not here."}],
        "remarks": "A view of an evidence bundle, made again and compared when the bundle is verified.",
    })
}

fn prop(name: &str, value: &str) -> Value {
    json!({"name": name, "ns": NS, "value": one_line(value)})
}

/// A value that OSCAL takes: not empty, no space at either end.
fn one_line(text: &str) -> String {
    let text = crate::model::observation::clean(text, usize::MAX);
    let text = text.trim();
    if text.is_empty() { "none".to_owned() } else { text.to_owned() }
}

/// A control's id: unique over profiles, and a token (which cannot start with a digit).
fn control(a: &Assessment, r: &RequirementRow) -> String {
    token(&format!("{}_{}", a.profile.id, r.id))
}

fn objective(a: &Assessment, r: &RequirementRow) -> String {
    format!("{}_obj", control(a, r))
}

fn token(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') {
            out.push(c);
        } else {
            // Two names must not become one.
            out.push_str(&format!("_u{:x}_", u32::from(c)));
        }
    }
    if out.starts_with(|c: char| c.is_ascii_alphabetic()) { out } else { format!("p-{out}") }
}

/// The device as it was addressed.
fn device(report: &Report<'_>) -> String {
    one_line(&report.recording.header.targets.join(", "))
}
