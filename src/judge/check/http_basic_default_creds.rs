//! HTTP Basic login: no listed default credential may open it.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-basic-default-creds",
    title: "No default credential is accepted over HTTP Basic",
    page: include_str!("http_basic_default_creds.md"),
    expected: "every HTTP Basic login refuses all listed default credentials",
    remedy: "ship unique per-device passwords, or have the user set one before first use",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<HttpBasicDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpBasicDefaultCreds {}

impl Judge for HttpBasicDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::HttpBasic, "no Basic challenge")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::HttpBasic)
    }

    fn tables(&self) -> &'static [&'static str] {
        default_creds::TABLES
    }

    fn everywhere(&self) -> bool {
        true
    }
}
