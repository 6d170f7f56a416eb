//! A password can be changed, and the old one dies.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-password-change",
    title: "A password can be changed, and the old one opens no more",
    page: include_str!("http_password_change.md"),
    expected: "the page asks for the right old password; afterwards the new one opens, the old one does not, and other sessions are ended",
    remedy: "ask for the old password, forget it at once, and end all other sessions",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["http-passwords"],
    bind: bind::<HttpPasswordChange>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpPasswordChange {}

impl Judge for HttpPasswordChange {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("http-passwords", |r| match &r.observation {
            Observation::PasswordChange { change } => Some(change),
            _ => None,
        });
        every(&all, "no log-in by form", |seen| {
            let (c, what) = (seen.what, format!("{} {}", seen.subject(), seen.what.path));
            let left = if c.restored { "" } else { "; the password from before was NOT proved to open again" };
            if !c.old_asked {
                return Point::Bad(format!("{what}: the old password is not asked for{left}"));
            }
            match (c.wrong_old_taken, c.new_works, c.old_works, c.ends_others) {
                (Some(true), ..) => Point::Bad(format!("{what}: a wrong old password was taken{left}")),
                (_, true, true, _) => Point::Bad(format!("{what}: the old password opens beside the new one{left}")),
                // Some devices change it at the next start.
                (_, false, ..) => {
                    Point::Unclear(format!("{what}: the new password does not open; try again after a restart{left}"))
                }
                (_, true, false, false) => {
                    Point::Unclear(format!("{what}: the old password is dead, but a session from before went on{left}"))
                }
                (None, true, false, true) => Point::Unclear(format!("{what}: no wrong old password was tried{left}")),
                (Some(false), true, false, true) if c.restored => {
                    Point::Good(format!("{what}: the new password opens, the old one and older sessions do not"))
                }
                (Some(false), true, false, true) => Point::Unclear(format!("{what}: it changed{left}")),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("http-passwords")
    }
}
