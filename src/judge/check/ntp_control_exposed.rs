//! A clock tells the time, not what it runs and whom it serves.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    observation::{Control, ControlAnswer},
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "ntp-control-exposed",
    title: "NTP control and private modes are not answered",
    page: include_str!("ntp_control_exposed.md"),
    expected: "no NTP service answers control or monlist questions",
    remedy: "set noquery and disable monitor, or run a client only",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["control-questions"],
    bind: bind::<NtpControlExposed>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NtpControlExposed {}

impl Judge for NtpControlExposed {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let asked = evidence.known_of("control-questions", Some("ntp"), |r| match &r.observation {
            Observation::Controlled { question: Control::DnsRecursion, .. } => None,
            Observation::Controlled { question, answer, proof } => Some((*question, *answer, proof)),
            _ => None,
        });
        every(&asked, "no NTP service", |seen| {
            let (question, answer, proof) = seen.what;
            let what = format!("{}: {}", seen.subject(), question.words());
            match answer {
                ControlAnswer::Answered => Point::Bad(format!("{what} is answered: {proof}")),
                ControlAnswer::Refused | ControlAnswer::Silent => {
                    Point::Good(format!("{what} is not answered: {proof}"))
                }
                ControlAnswer::Unclear => Point::Unclear(format!("{what} is answered with {proof}")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}
