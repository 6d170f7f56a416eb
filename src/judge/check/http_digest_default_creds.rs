//! HTTP Digest login: no listed default credential may open it.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-digest-default-creds",
    title: "No default credential is accepted over HTTP Digest",
    page: include_str!("http_digest_default_creds.md"),
    expected: "every HTTP Digest login refuses all listed default credentials",
    remedy: "ship unique per-device passwords, or have the user set one before first use",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<HttpDigestDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpDigestDefaultCreds {}

impl Judge for HttpDigestDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::HttpDigest, "no Digest challenge")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::HttpDigest)
    }

    fn tables(&self) -> &'static [&'static str] {
        default_creds::TABLES
    }

    fn everywhere(&self) -> bool {
        true
    }
}
