//! `$SYS` names software, clients and load to whoever may read it.
use super::mqtt::{connect, subscribe, topics};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Subject, observation::Presented};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "mqtt-sys-topics",
    title: "The broker keeps its own state to itself",
    page: include_str!("mqtt_sys_topics.md"),
    expected: "a subscription to $SYS/# is refused or delivers nothing",
    remedy: "deny $SYS to clients by access lists",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["mqtt-session"],
    bind: bind::<MqttSysTopics>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttSysTopics {}

impl Judge for MqttSysTopics {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let asked = evidence.known("mqtt-session", subscribe).only(|s| s.filter.starts_with("$SYS"));
        let sessions = evidence.known("mqtt-session", connect);
        let with: BTreeSet<(Subject, &Presented)> =
            asked.items().iter().map(|s| (s.what.at.clone(), s.what.presented)).collect();
        let open: BTreeSet<&Subject> =
            sessions.items().iter().filter(|s| s.what.answers_ping).map(|s| s.what.at).collect();
        let missed = open.iter().any(|at| !with.iter().any(|(a, _)| a == *at));
        every(&asked, "no MQTT session in which $SYS was asked for", |seen| {
            let s = seen.what;
            match (s.granted, s.delivered.is_empty()) {
                (_, false) => Point::Bad(format!("{}: `{}` delivers {}", s.at, s.filter, topics(s.delivered))),
                _ if missed => Point::Unclear("$SYS was not asked for in every session".to_owned()),
                (true, true) => Point::Good(format!("{}: `{}` is granted and delivers nothing", s.at, s.filter)),
                (false, true) => Point::Good(format!("{}: `{}` is refused", s.at, s.filter)),
            }
        })
    }
}
