//! JSON log-in: no listed default credential may open it.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-json-login-default-creds",
    title: "No default credential is accepted by a JSON log-in",
    page: include_str!("http_json_login_default_creds.md"),
    expected: "every JSON log-in refuses all listed default credentials",
    remedy: "use a unique password per device, or one that the user sets before first use",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<HttpJsonLoginDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpJsonLoginDefaultCreds {}

impl Judge for HttpJsonLoginDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::HttpJson, "no log-in in JSON")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::HttpJson)
    }

    fn everywhere(&self) -> bool {
        true
    }
}
