//! One client must not read all others.
use super::mqtt::{Subscribe, subscribe, topics};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Subject, observation::Presented};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "mqtt-wildcard-read",
    title: "Clients cannot read everything with `#`",
    page: include_str!("mqtt_wildcard_read.md"),
    expected: "a subscription to `#` is refused, or delivers no foreign message",
    remedy: "give each client an access list of its own topics",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["mqtt-session"],
    bind: bind::<MqttWildcardRead>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttWildcardRead {}

impl Judge for MqttWildcardRead {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let sessions = evidence.known("mqtt-session", subscribe);
        let tried: BTreeSet<&Subject> =
            sessions.items().iter().filter(|s| s.what.is_wildcard()).map(|s| s.what.at).collect();
        let works: Narrow<'_> = sessions
            .items()
            .iter()
            .map(|s| s.what)
            .filter(|s| s.canary && !s.is_wildcard())
            .map(|s| (s.at, s.presented))
            .collect();
        every(&sessions, "no MQTT session", |seen| match seen.what {
            s if s.is_wildcard() => wildcard(s, &works),
            s if tried.contains(s.at) => Point::Good(format!("{}: a narrower filter, {}", s.at, s.filter)),
            s => Point::Unclear(format!("{}: `#` was not tried", s.at)),
        })
    }
}

/// Sessions to which our own message came through a narrower subscription.
type Narrow<'a> = BTreeSet<(&'a Subject, &'a Presented)>;

fn wildcard(session: Subscribe<'_>, narrow: &Narrow<'_>) -> Point {
    let Subscribe { at, filter, granted, delivered, canary, presented } = session;
    match (granted, delivered.is_empty()) {
        (_, false) => Point::Bad(format!("{at}: `{filter}` delivers {}", topics(delivered))),
        (false, true) => Point::Good(format!("{at}: `{filter}` is refused")),
        (true, true) if canary => {
            Point::Unclear(format!("{at}: `{filter}` delivered our own message, and nobody else spoke"))
        }
        (true, true) if narrow.contains(&(at, presented)) => {
            Point::Good(format!("{at}: `{filter}` is granted but filtered: even our own message did not come"))
        }
        (true, true) => Point::Unclear(format!("{at}: `{filter}` is granted, and nothing was delivered")),
    }
}
