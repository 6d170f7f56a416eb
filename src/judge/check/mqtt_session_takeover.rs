//! A client id belongs to whoever it was given to.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "mqtt-session-takeover",
    title: "A client cannot evict another by reusing its client id",
    page: include_str!("mqtt_session_takeover.md"),
    expected: "whoever connects under another's client id is refused, or leaves the other's session alone",
    remedy: "bind client ids to the user or certificate of the client",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["mqtt-takeover"],
    bind: bind::<MqttSessionTakeover>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttSessionTakeover {}

impl Judge for MqttSessionTakeover {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("mqtt-takeover", |r| match &r.observation {
            Observation::MqttTakeover { takeover } => Some(takeover),
            _ => None,
        });
        every(&all, "no MQTT broker", |seen| {
            let (at, t) = (seen.subject(), seen.what);
            if !t.apart {
                return Point::Unclear(format!("{at}: clients under ids of their own disturb each other, too"));
            }
            match (t.second_works, t.first_stays) {
                (true, false) => Point::Bad(format!("{at}: {} ended the session of {}", t.second, t.first)),
                (_, true) => Point::Good(format!("{at}: the session of {} went on (code {})", t.first, t.code)),
                (false, false) => Point::Bad(format!(
                    "{at}: {} was not let in (code {}), and still ended the session of {}",
                    t.second, t.code, t.first
                )),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("mqtt-takeover")
    }
}
