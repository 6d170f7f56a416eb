//! Login form: no listed default credential may open it.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-form-default-creds",
    title: "No default credential is accepted by a login form",
    page: include_str!("http_form_default_creds.md"),
    expected: "every login form refuses all listed default credentials",
    remedy: "ship unique per-device passwords, or have the user set one before first use",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<HttpFormDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpFormDefaultCreds {}

impl Judge for HttpFormDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::HttpForm, "no login form")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::HttpForm)
    }

    fn tables(&self) -> &'static [&'static str] {
        default_creds::TABLES
    }

    fn everywhere(&self) -> bool {
        true
    }
}
