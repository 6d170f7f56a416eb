//! A login that takes anything is none.
use super::mqtt::{Connack, Connect, connect};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Subject, observation::Presented};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "mqtt-any-credential",
    title: "The MQTT broker does not accept arbitrary credentials",
    page: include_str!("mqtt_any_credential.md"),
    expected: "every broker that asks for a credential refuses random wrong ones",
    remedy: "verify credentials in the broker",
    severity: Severity::Critical,
    pass: Proves::Full,
    needs: &["mqtt-session"],
    bind: bind::<MqttAnyCredential>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttAnyCredential {}

impl Judge for MqttAnyCredential {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let connects = evidence.known("mqtt-session", connect);
        let mut brokers: BTreeMap<&Subject, Broker> = BTreeMap::new();
        for c in connects.items().iter().map(|s| s.what) {
            brokers.entry(c.at).or_default().add(c);
        }
        // Where nobody is asked, a wrong credential proves nothing.
        let asking = connects.only(|c| brokers.get(c.at).is_none_or(|b| !b.without.contains(&Connack::Accepted)));
        every(&asking, "no MQTT broker that asks for a credential", |seen| match brokers.get(seen.subject()) {
            Some(broker) => broker.point(seen.subject()),
            None => Point::Unclear("nothing was tried".to_owned()),
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

/// The answers of one broker.
#[derive(Default)]
struct Broker {
    without: Vec<Connack>,
    wrong: Vec<Connack>,
}

impl Broker {
    fn add(&mut self, connect: Connect<'_>) {
        match connect.presented {
            Presented::Nothing | Presented::Anonymous => self.without.push(connect.answer),
            Presented::Wrong => self.wrong.push(connect.answer),
            Presented::Supplied | Presented::Listed(_) => {}
        }
    }

    fn point(&self, at: &Subject) -> Point {
        let (accepted, refused) = (self.wrong.contains(&Connack::Accepted), self.wrong.contains(&Connack::Refused));
        let asks = self.without.contains(&Connack::Refused);
        match (accepted, refused) {
            (true, true) => Point::Unclear(format!("{at}: one wrong credential is accepted, another refused")),
            (false, false) => Point::Unclear(format!("{at}: no wrong credential was answered clearly")),
            (true | false, _) if !asks => {
                Point::Unclear(format!("{at}: that it refuses clients without credentials was not seen"))
            }
            (true, false) => Point::Bad(format!("{at}: any credential works, none at all is refused")),
            (false, true) if self.wrong.contains(&Connack::Unclear) => {
                Point::Unclear(format!("{at}: a wrong credential was not answered clearly"))
            }
            (false, true) => Point::Good(format!("{at}: wrong credentials are refused")),
        }
    }
}
