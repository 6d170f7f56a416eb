//! A broker keeps retained messages for whoever comes next.
use super::common::listed;
use super::mqtt::{Subscribe, subscribe, topics};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Subject, observation::Delivered};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "mqtt-retained-sensitive",
    title: "Retained messages hold no secrets or personal data",
    page: include_str!("mqtt_retained_sensitive.md"),
    expected: "no message that our session could read holds a password, token, key, place or the like",
    remedy: "do not retain secrets; restrict topics by access lists",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["mqtt-session"],
    bind: bind::<MqttRetainedSensitive>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttRetainedSensitive {}

impl Judge for MqttRetainedSensitive {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let sessions = evidence.known("mqtt-session", subscribe);
        let reads: BTreeSet<&Subject> = sessions
            .items()
            .iter()
            .map(|s| s.what)
            .filter(|s| s.canary || !s.delivered.is_empty())
            .map(|s| s.at)
            .collect();
        let granted = sessions.only(|s| s.granted && s.filter.contains(['#', '+']));
        every(&granted, "no MQTT session that may read", |seen| {
            let Subscribe { at, delivered, .. } = seen.what;
            let bad: Vec<_> = delivered.iter().filter(|d| !d.sensitive.is_empty()).collect();
            match (bad.is_empty(), reads.contains(at)) {
                (false, _) => Point::Bad(format!("{at}: {} in {}", classes(&bad), topics(bad.iter().copied()))),
                (true, true) => Point::Good(format!("{at}: {} messages read, none sensitive", delivered.len())),
                (true, false) => Point::Unclear(format!("{at}: granted, but nothing was delivered")),
            }
        })
    }
}

fn classes(bad: &[&Delivered]) -> String {
    listed(bad.iter().flat_map(|d| &d.sensitive))
}
