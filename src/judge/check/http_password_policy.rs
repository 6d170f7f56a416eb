//! Weak passwords are refused.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-password-policy",
    title: "Weak user-chosen passwords are refused",
    page: include_str!("http_password_policy.md"),
    expected: "no password of one character, no commonest one and not the user's name is taken as a new password",
    remedy: "refuse short and common passwords in the device, and not in the page alone",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["http-passwords"],
    bind: bind::<HttpPasswordPolicy>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpPasswordPolicy {}

impl Judge for HttpPasswordPolicy {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("http-passwords", |r| match &r.observation {
            Observation::PasswordChange { change } => Some(change),
            _ => None,
        });
        every(&all, "no log-in by form", |seen| {
            let (c, what) = (seen.what, format!("{} {}", seen.subject(), seen.what.path));
            let left = if c.restored { "" } else { "; the password from before was NOT proved to open again" };
            match &c.weak_taken {
                Some(kind) => Point::Bad(format!("{what}: a new password was taken that is {kind}{left}")),
                None if c.weak_tried.is_empty() => {
                    Point::Unclear(format!("{what}: no weak password could be tried{left}"))
                }
                None if !c.restored => Point::Unclear(format!("{what}: refused: {}{left}", c.weak_tried.join(", "))),
                None => Point::Good(format!("{what}: refused: {}", c.weak_tried.join(", "))),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("http-passwords")
    }
}
