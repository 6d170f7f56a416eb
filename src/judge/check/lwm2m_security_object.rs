//! The security object holds the keys of the device; nobody reads it, and no server does.
use super::{Check, Judge, Proves, Severity, bind, common::listed};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "lwm2m-security-object",
    title: "LwM2M objects with keys are not readable",
    page: include_str!("lwm2m_security_object.md"),
    expected: "neither the security object (0) nor the OSCORE object (21) is shown to anybody",
    remedy: "refuse reads of objects 0 and 21, whoever asks",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["lwm2m-objects"],
    bind: bind::<Lwm2mSecurityObject>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lwm2mSecurityObject {}

impl Judge for Lwm2mSecurityObject {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("lwm2m-objects", |r| match &r.observation {
            Observation::Lwm2mObject { path, code, bytes } => Some((&r.subject, path.as_str(), code.as_str(), *bytes)),
            _ => None,
        });
        let mut by_server: BTreeMap<&Subject, Vec<(&str, &str, u64)>> = BTreeMap::new();
        for (at, path, code, bytes) in all.items().iter().map(|s| s.what) {
            by_server.entry(at).or_default().push((path, code, bytes));
        }
        every(&all, "no CoAP server shows LwM2M objects", |seen| {
            point(seen.subject(), by_server.get(seen.what.0).map(Vec::as_slice).unwrap_or_default())
        })
    }
}

fn point(at: &Subject, answers: &[(&str, &str, u64)]) -> Point {
    let secret = |path: &str| path == "/0" || path.starts_with("/0/") || path == "/21" || path.starts_with("/21/");
    let shown: Vec<&str> =
        answers.iter().filter(|(p, c, n)| secret(p) && *c == "2.05" && *n > 0).map(|a| a.0).collect();
    let codes = listed(answers.iter().map(|(p, c, _)| format!("{p} {c}")));
    if !shown.is_empty() {
        Point::Bad(format!("{at} shows {} to a stranger", shown.join(", ")))
    } else if answers.iter().all(|(_, code, _)| *code == "4.04") {
        Point::Unclear(format!("{at} knows no object by its number, not even the device object: {codes}"))
    } else {
        Point::Good(format!("{at} shows neither: {codes}"))
    }
}
