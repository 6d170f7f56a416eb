//! ONVIF: no listed default credential may be accepted.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "onvif-default-creds",
    title: "No default credential is accepted by ONVIF",
    page: include_str!("onvif_default_creds.md"),
    expected: "every ONVIF service refuses all listed default credentials",
    remedy: "use unique credentials",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<OnvifDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnvifDefaultCreds {}

impl Judge for OnvifDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::Onvif, "no ONVIF service that asks for a log-in")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::Onvif)
    }

    fn everywhere(&self) -> bool {
        true
    }
}
