//! A community that everybody knows should show what everybody may know.
use super::{Check, Judge, Proves, Severity, bind, common::listed};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub const CHECK: Check = Check {
    id: "snmp-info-leak",
    title: "Default SNMP communities show no users, keys or neighbours",
    page: include_str!("snmp_info_leak.md"),
    expected: "a default community shows the system group alone",
    remedy: "limit the community to a view (VACM), or remove it",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["snmp-view"],
    bind: bind::<SnmpInfoLeak>,
};

/// Groups that tell of people, secrets and other devices.
const PRIVATE: [&str; 5] = ["neighbours", "neighbours-v6", "users", "communities", "accounts"];
/// Groups that tell how the device works.
const INNER: [&str; 2] = ["connections", "processes"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SnmpInfoLeak {}

impl Judge for SnmpInfoLeak {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("snmp-view", |r| match &r.observation {
            Observation::SnmpView { group, shown, .. } => Some((&r.subject, group.as_str(), *shown)),
            _ => None,
        });
        let mut shown: BTreeMap<&Subject, BTreeSet<&str>> = BTreeMap::new();
        for (at, group, is_shown) in all.items().iter().map(|s| s.what) {
            let of = shown.entry(at).or_default();
            of.extend(is_shown.then_some(group));
        }
        every(&all, "no SNMP agent tells anything to a default community", |seen| {
            let at = seen.subject();
            let groups = shown.get(at).cloned().unwrap_or_default();
            let of = |wanted: &[&str]| listed(groups.iter().filter(|g| wanted.contains(*g)));
            let (private, inner) = (of(&PRIVATE), of(&INNER));
            if !private.is_empty() {
                Point::Bad(format!("{at} shows {private} to a default community"))
            } else if !groups.contains("system") {
                Point::Unclear(format!("{at} shows not even the system group"))
            } else if !inner.is_empty() {
                Point::Unclear(format!("{at} shows {inner}: judge what they tell"))
            } else {
                Point::Good(format!("{at} shows {} alone", listed(&groups)))
            }
        })
    }
}
