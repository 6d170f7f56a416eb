//! Who may publish on the topics of others speaks for them.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::looked,
    mqtt::{connect, subscribe},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject, observation::Presented};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "mqtt-unauthorised-publish",
    title: "Strangers do not publish on topics of others",
    page: include_str!("mqtt_unauthorised_publish.md"),
    expected: "nothing that a client without a credential publishes below topics of others is delivered",
    remedy: "let clients publish below their own topics alone (an access list), and let nobody in without a credential",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["mqtt-publish", "mqtt-session"],
    bind: bind::<MqttUnauthorisedPublish>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttUnauthorisedPublish {}

#[derive(Clone, Copy)]
struct Published<'a> {
    topic: &'a str,
    foreign: bool,
    code: Option<u8>,
    subscribed: bool,
    delivered: bool,
}

impl Judge for MqttUnauthorisedPublish {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let sessions = evidence.known("mqtt-session", connect);
        let sessions = sessions.only(|c| *c.presented == Presented::Nothing && c.answers_ping);
        if sessions.items().is_empty() {
            return every(&sessions, "no MQTT broker lets a stranger in", |_| Point::Unclear(String::new()));
        }
        // Whoever receives what others wrote would receive this, too.
        let receives: BTreeSet<&Subject> = evidence
            .known("mqtt-session", subscribe)
            .only(|s| !s.delivered.is_empty())
            .items()
            .iter()
            .map(|s| s.what.at)
            .collect();
        let all = evidence.known("mqtt-publish", |r| match &r.observation {
            Observation::MqttPublish { topic, foreign, code, subscribed, delivered } => Some(Published {
                topic,
                foreign: *foreign,
                code: *code,
                subscribed: *subscribed,
                delivered: *delivered,
            }),
            _ => None,
        });
        let all = all.and(looked(evidence, "mqtt-session"));
        every(&all, "nothing was published", |seen| point(seen.subject(), seen.what, receives.contains(seen.subject())))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("mqtt-publish")
    }
}

fn point(at: &Subject, p: Published<'_>, receives: bool) -> Point {
    let what = format!("{at} {}", p.topic);
    match (p.delivered, p.code) {
        (true, _) if p.foreign => {
            Point::Bad(format!("{what}: published by a stranger, below a topic of others, and delivered"))
        }
        (true, _) => Point::Unclear(format!("{what}: delivered, on a topic that nobody uses")),
        (false, Some(code @ 0x80..)) => Point::Good(format!("{what}: refused with 0x{code:02x}")),
        (false, _) if p.subscribed && receives => {
            Point::Good(format!("{what}: not delivered to a client that receives what others publish"))
        }
        (false, _) => Point::Unclear(format!("{what}: not delivered, and no client of ours receives anything there")),
    }
}
