//! A token that is the same everywhere is a password that is the same everywhere.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-static-bearer-token",
    title: "No universal token opens an interface",
    page: include_str!("http_static_bearer_token.md"),
    expected: "every page that asks for a token refuses all listed ones",
    remedy: "give each device random tokens, and check signature and audience of signed ones",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<HttpStaticBearerToken>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpStaticBearerToken {}

impl Judge for HttpStaticBearerToken {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::HttpToken, "no page that asks for a token")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::HttpToken)
    }

    fn everywhere(&self) -> bool {
        true
    }
}
