//! MQTT login: no listed default credential may open it.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "mqtt-default-creds",
    title: "No default credential is accepted by the MQTT broker",
    page: include_str!("mqtt_default_creds.md"),
    expected: "every MQTT login refuses all listed default credentials",
    remedy: "use per-device credentials or client certificates",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<MqttDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MqttDefaultCreds {}

impl Judge for MqttDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::Mqtt, "no MQTT broker that asks for a credential")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::Mqtt)
    }

    fn tables(&self) -> &'static [&'static str] {
        default_creds::TABLES
    }

    fn everywhere(&self) -> bool {
        true
    }
}
