//! A run is worth something only if one and the same device answered all of it.
use super::common::{looked, never_absent};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, Subject};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub const CHECK: Check = Check {
    id: "disc-target-binding",
    title: "The run is bound to one device from beginning to end",
    page: include_str!("disc_target_binding.md"),
    expected: "every trait by which the device can be told from another is the same before and after the run",
    remedy: "none for the device; give it a fixed address on a quiet network and scan again",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &["device-binding", "device-binding-end"],
    bind: bind::<DiscTargetBinding>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DiscTargetBinding {}

impl Judge for DiscTargetBinding {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let (first, last) = (evidence.known("device-binding", of), evidence.known("device-binding-end", of));
        let (before, after) = (values(&first), values(&last));
        let traits = first.and(looked(evidence, "device-binding-end"));
        let decision = every(&traits, "no trait by which the device could be told", |seen| {
            let (subject, name, _) = seen.what;
            compare(name, before.get(&(subject, name)), after.get(&(subject, name)))
        });
        never_absent(decision, "device-binding", "the device shows nothing by which it can be told from another")
    }
}

type Values<'a> = BTreeMap<(&'a Subject, &'a str), BTreeSet<&'a str>>;

fn of(record: &Record) -> Option<(&Subject, &str, &str)> {
    match &record.observation {
        Observation::Trait { name, value } => Some((&record.subject, name, value)),
        _ => None,
    }
}

fn values<'a>(traits: &Known<(&'a Subject, &'a str, &'a str)>) -> Values<'a> {
    let mut out = Values::new();
    for (subject, name, value) in traits.items().iter().map(|s| s.what) {
        out.entry((subject, name)).or_default().insert(value);
    }
    out
}

fn compare(name: &str, before: Option<&BTreeSet<&str>>, after: Option<&BTreeSet<&str>>) -> Point {
    match (before, after) {
        (Some(b), _) if name == "mac" && b.len() > 1 => Point::Unclear(format!("{} MAC addresses answer", b.len())),
        (Some(b), Some(a)) if a == b => Point::Good(format!("{name} is the same at the end")),
        (Some(_), Some(_)) => Point::Unclear(format!("{name} changed during the run")),
        (_, None) | (None, _) => Point::Unclear(format!("{name} was not seen at the end")),
    }
}
