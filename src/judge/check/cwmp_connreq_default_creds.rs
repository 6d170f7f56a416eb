//! TR-069 connection requests: no listed default credential may be accepted.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "cwmp-connreq-default-creds",
    title: "No default credential is accepted for TR-069 connection requests",
    page: include_str!("cwmp_connreq_default_creds.md"),
    expected: "every connection-request port refuses all listed default credentials",
    remedy: "let the management server set credentials of its own on each device",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<CwmpConnreqDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CwmpConnreqDefaultCreds {}

impl Judge for CwmpConnreqDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::Cwmp, "no TR-069 service that asks for Digest")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::Cwmp)
    }

    fn everywhere(&self) -> bool {
        true
    }
}
