//! RTSP login: no listed default credential may open it.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "rtsp-default-creds",
    title: "No default credential opens a camera stream",
    page: include_str!("rtsp_default_creds.md"),
    expected: "every camera stream refuses all listed default credentials",
    remedy: "use unique credentials, and RTSP inside TLS",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<RtspDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RtspDefaultCreds {}

impl Judge for RtspDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::Rtsp, "no camera stream that asks for a credential")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::Rtsp)
    }

    fn everywhere(&self) -> bool {
        true
    }
}
