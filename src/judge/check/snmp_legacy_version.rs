//! SNMP before version 3 sends its only secret in clear.
use super::common::listed;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub const CHECK: Check = Check {
    id: "snmp-legacy-version",
    title: "SNMP v1 and v2c are not enabled",
    page: include_str!("snmp_legacy_version.md"),
    expected: "no agent answers in SNMP version 1 or 2c",
    remedy: "serve SNMP version 3 only",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["snmp-community"],
    bind: bind::<SnmpLegacyVersion>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SnmpLegacyVersion {}

impl Judge for SnmpLegacyVersion {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let facts = evidence.known("snmp-community", |r| match &r.observation {
            Observation::Snmp { version, answered: true, .. } => Some((&r.subject, version.as_str())),
            _ => None,
        });
        let mut spoken: BTreeMap<&Subject, BTreeSet<&str>> = BTreeMap::new();
        for (subject, version) in facts.items().iter().map(|s| s.what) {
            spoken.entry(subject).or_default().insert(version);
        }
        every(&facts, "no SNMP agent", |seen| {
            let at = seen.subject();
            let versions = spoken.get(at).cloned().unwrap_or_default();
            let old = listed(versions.iter().filter(|v| **v != "3"));
            match old.is_empty() {
                false => Point::Bad(format!("{at}: it answers in version {old}")),
                true => Point::Good(format!("{at}: it answers in version 3, and to no community that was tried")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}
