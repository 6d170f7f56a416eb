//! A broker must not serve whoever connects.
use super::mqtt::{Connack, Connect, connect, subscribe};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Subject, observation::Presented};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "mqtt-anonymous-connect",
    title: "The MQTT broker refuses clients without credentials",
    page: include_str!("mqtt_anonymous_connect.md"),
    expected: "every broker refuses a CONNECT that carries no credential",
    remedy: "set `allow_anonymous false` and use per-device credentials",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["mqtt-session"],
    bind: bind::<MqttAnonymousConnect>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttAnonymousConnect {}

impl Judge for MqttAnonymousConnect {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let connects = evidence.known("mqtt-session", connect).only(|c| without(c.presented));
        let sessions = evidence.known("mqtt-session", subscribe);
        let served: BTreeSet<&Subject> = sessions
            .items()
            .iter()
            .map(|s| s.what)
            .filter(|s| s.granted && without(s.presented))
            .map(|s| s.at)
            .collect();
        let other: BTreeSet<&Subject> =
            connects.items().iter().map(|s| s.what).filter(|c| c.answer != Connack::OtherLevel).map(|c| c.at).collect();
        let public = evidence.ixit.and_then(|i| i.public.as_ref());
        let public = public.is_some_and(|all| all.iter().any(|p| p.starts_with("mqtt:")));
        every(&connects, "no MQTT broker", |seen| {
            let Connect { at, protocol, code, answer, answers_ping, .. } = seen.what;
            match answer {
                Connack::Accepted if !answers_ping && !served.contains(at) => {
                    Point::Unclear(format!("{at}: a client without credentials may connect, but was granted nothing"))
                }
                Connack::Accepted if public => {
                    Point::Unclear(format!("{at}: serves clients without credentials, and is declared public"))
                }
                Connack::Accepted => Point::Bad(format!("{at}: serves clients without credentials")),
                Connack::Refused => Point::Good(format!("{at}: MQTT {protocol} refuses them with {code}")),
                Connack::OtherLevel if other.contains(at) => {
                    Point::Good(format!("{at}: MQTT {protocol} is not spoken"))
                }
                Connack::OtherLevel | Connack::Unclear => {
                    Point::Unclear(format!("{at}: MQTT {protocol} answers {code}, which says nothing of credentials"))
                }
            }
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-public"]
    }

    fn everywhere(&self) -> bool {
        true
    }
}

fn without(presented: &Presented) -> bool {
    match presented {
        Presented::Nothing | Presented::Anonymous => true,
        Presented::Wrong | Presented::Supplied | Presented::Listed(_) => false,
    }
}
