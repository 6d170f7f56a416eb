//! TFTP asks nobody who he is: it must serve nothing.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Seen,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject, observation::TftpAnswer};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "tftp-open-read",
    title: "TFTP does not serve files",
    page: include_str!("tftp_open_read.md"),
    expected: "every TFTP read request is refused or ignored",
    remedy: "remove TFTP, or let it run in the recovery mode alone",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["tftp-files"],
    bind: bind::<TftpOpenRead>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TftpOpenRead {}

impl Judge for TftpOpenRead {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let reads = evidence.known("tftp-files", |r| match &r.observation {
            Observation::TftpRead { file, control, answer } => Some((file, *control, answer)),
            _ => None,
        });
        // A server that sends an empty block for a name that cannot exist tells nothing by an empty block.
        let empty = |s: &Seen<(&String, bool, &TftpAnswer)>| matches!(s.what.2, TftpAnswer::Data { bytes: 0, .. });
        let hollow = |at: &Subject| reads.items().iter().any(|s| s.what.1 && s.subject() == at && empty(s));
        every(&reads, "no TFTP service", |seen| {
            let (file, control, answer) = seen.what;
            let what = format!("{}: {file}", seen.subject());
            match answer {
                TftpAnswer::Data { bytes: 0, .. } if control || hollow(seen.subject()) => {
                    Point::Unclear(format!("{what}: an empty block comes for a name that cannot exist, too"))
                }
                TftpAnswer::Data { bytes, .. } if control => {
                    Point::Bad(format!("{what}: {bytes} bytes came for a name that cannot exist"))
                }
                TftpAnswer::Data { bytes, .. } => {
                    Point::Bad(format!("{what} is served: a first block of {bytes} bytes"))
                }
                TftpAnswer::Error { code } => Point::Good(format!("{what}: refused with error {code}")),
                TftpAnswer::Silent => Point::Good(format!("{what}: not answered")),
                TftpAnswer::Unclear => Point::Unclear(format!("{what}: the answer is no TFTP")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}
