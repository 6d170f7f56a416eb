//! MQTT in clear gives away messages and passwords.
use super::common::{looked, said_by_endpoint};
use super::mqtt::{Connack, Connect, connect};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::{Mechanism, Presented};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "mqtt-cleartext-listener",
    title: "MQTT is not offered without TLS",
    page: include_str!("mqtt_cleartext_listener.md"),
    expected: "no MQTT listener without TLS serves clients or takes their passwords",
    remedy: "serve MQTT over TLS only",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["mqtt-session", "service-identify"],
    bind: bind::<MqttCleartextListener>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttCleartextListener {}

impl Judge for MqttCleartextListener {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let said = said_by_endpoint(evidence);
        let connects = evidence.known("mqtt-session", connect).and(looked(evidence, "service-identify"));
        let declared = evidence.ixit.and_then(|i| i.auth.as_ref());
        let declared = declared.is_some_and(|all| all.iter().any(|a| a.mechanism == Mechanism::Mqtt.word()));
        every(&connects, "no MQTT broker", |seen| match said.get(seen.subject()).map(|s| s.tls) {
            None => Point::Unclear(format!("{}: whether TLS protects it is not known", seen.subject())),
            Some(true) => Point::Good(format!("{}: over TLS", seen.subject())),
            Some(false) if declared => in_clear(seen.what, Password::Taken),
            Some(false) => in_clear(seen.what, Password::of(seen.what.presented)),
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["1-AuthMech"]
    }
}

/// Does the listener take passwords? Yes when one was sent to it, or is declared to be.
#[derive(Clone, Copy)]
enum Password {
    Taken,
    NotSeen,
}

impl Password {
    fn of(presented: &Presented) -> Self {
        match presented {
            Presented::Wrong | Presented::Supplied | Presented::Listed(_) => Self::Taken,
            Presented::Nothing | Presented::Anonymous => Self::NotSeen,
        }
    }
}

fn in_clear(connect: Connect<'_>, password: Password) -> Point {
    let Connect { at, code, answer, .. } = connect;
    match (answer, password) {
        (Connack::Accepted, Password::Taken | Password::NotSeen) => {
            Point::Bad(format!("{at}: serves clients without TLS"))
        }
        (Connack::Refused, Password::Taken) => {
            Point::Bad(format!("{at}: takes passwords without TLS (answers {code})"))
        }
        (Connack::Refused, Password::NotSeen) => {
            Point::Unclear(format!("{at}: without TLS; whether it would take a password was not seen"))
        }
        (Connack::OtherLevel | Connack::Unclear, Password::Taken | Password::NotSeen) => {
            Point::Unclear(format!("{at}: without TLS, and answers {code}, which says nothing of credentials"))
        }
    }
}
