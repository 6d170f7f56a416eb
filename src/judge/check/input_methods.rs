//! Whether wrong input reached every method by which the device takes any.
use super::common::{looked, not_declared, port_of};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{
    Endpoint, Observation,
    declarations::Entry,
    observation::malformed::{Event, Malformed},
};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "input-methods-exercised",
    title: "Wrong input was sent to every declared way in",
    page: include_str!("input_methods_exercised.md"),
    expected: "each entry of tables 27-UserIntf and 28-ExtAPI names its ports, and wrong input was sent to them",
    remedy: "have an assessor send wrong input to the methods named",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &["malformed-input"],
    bind: bind::<InputMethods>,
};

const TABLES: [&str; 2] = ["27-UserIntf", "28-ExtAPI"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InputMethods {}

impl Judge for InputMethods {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let entries: Option<Vec<Known<&Entry>>> = TABLES.iter().map(|t| evidence.declared(t)).collect();
        let Some(entries) = entries.and_then(|all| all.into_iter().reduce(Known::and)) else {
            return not_declared("27-UserIntf and 28-ExtAPI", "nothing says by which ways input comes".to_owned());
        };
        let reached: BTreeSet<Endpoint> = evidence
            .known("malformed-input", |r| match &r.observation {
                Observation::Malformed { malformed: Malformed { event: Event::After { .. }, .. } } => {
                    r.subject.endpoint()
                }
                _ => None,
            })
            .items()
            .iter()
            .map(|s| s.what)
            .collect();
        every(&entries.and(looked(evidence, "malformed-input")), "no way in is declared", |seen| {
            point(evidence, seen.what, &reached)
        })
    }

    fn left_to_assessor(&self, _: &Evidence<'_>) -> bool {
        true
    }

    fn tables(&self) -> &'static [&'static str] {
        &["27-UserIntf", "28-ExtAPI", "x-endpoints"]
    }
}

fn point(evidence: &Evidence<'_>, entry: &Entry, reached: &BTreeSet<Endpoint>) -> Point {
    let (name, ports) = (entry.name(), entry.list("x-ports"));
    if ports.is_empty() {
        return Point::Unclear(format!("{name} has no x-ports to send anything to"));
    }
    let endpoints = evidence.ixit.and_then(|i| i.endpoints.as_deref()).unwrap_or_default();
    for port in ports {
        let Some((transport, number)) = port_of(port) else {
            return Point::Unclear(format!("{name}: `{port}` is no port; write tcp/443"));
        };
        if !reached.iter().any(|e| e.transport == transport && e.port == number) {
            return Point::Unclear(format!("{name}: no wrong input was sent to {port}"));
        }
        if endpoints.iter().any(|e| e.covers(transport, number) && !e.auth_ref.is_empty()) {
            return Point::Unclear(format!("{name}: what is behind the log-in on {port} got no wrong input"));
        }
    }
    Point::Good(format!("{name}: wrong input was sent to {}", ports.join(", ")))
}
