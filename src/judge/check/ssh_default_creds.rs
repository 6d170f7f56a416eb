//! SSH login: no listed default credential may open it.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "ssh-default-creds",
    title: "No default credential is accepted over SSH",
    page: include_str!("ssh_default_creds.md"),
    expected: "every SSH login refuses all listed default credentials",
    remedy: "switch password login off, or use a unique password per device",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<SshDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SshDefaultCreds {}

impl Judge for SshDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::Ssh, "no SSH service with password login")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::Ssh)
    }

    fn tables(&self) -> &'static [&'static str] {
        default_creds::TABLES
    }

    fn everywhere(&self) -> bool {
        true
    }
}
