//! Telnet login: no listed default credential may open it.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "telnet-default-creds",
    title: "No default credential is accepted over Telnet",
    page: include_str!("telnet_default_creds.md"),
    expected: "every Telnet login refuses all listed default credentials",
    remedy: "remove Telnet; where it must stay, use a unique password per device",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<TelnetDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TelnetDefaultCreds {}

impl Judge for TelnetDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::Telnet, "no Telnet login prompt")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::Telnet)
    }

    fn tables(&self) -> &'static [&'static str] {
        default_creds::TABLES
    }

    fn everywhere(&self) -> bool {
        true
    }
}
