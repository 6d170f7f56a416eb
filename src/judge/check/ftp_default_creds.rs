//! FTP login: no listed default credential may open it.
use super::default_creds;
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{Decision, Evidence};
use crate::model::observation::Mechanism;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "ftp-default-creds",
    title: "No default credential is accepted over FTP",
    page: include_str!("ftp_default_creds.md"),
    expected: "every FTP login refuses all listed default credentials",
    remedy: "use unique credentials, and SFTP instead of FTP",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<FtpDefaultCreds>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FtpDefaultCreds {}

impl Judge for FtpDefaultCreds {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        default_creds::judge(evidence, Mechanism::Ftp, "no FTP login")
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        default_creds::entries(evidence, Mechanism::Ftp)
    }

    fn tables(&self) -> &'static [&'static str] {
        default_creds::TABLES
    }

    fn everywhere(&self) -> bool {
        true
    }
}
