//! A camera tells nobody about itself, its users and its streams before a log-in.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, observation::ControlAnswer};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "onvif-unauth",
    title: "ONVIF operations need a log-in",
    page: include_str!("onvif_unauth.md"),
    expected: "every ONVIF operation but those of the class PRE_AUTH is refused without a credential",
    remedy: "enforce the access classes of the ONVIF core specification",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["onvif-services"],
    bind: bind::<OnvifUnauth>,
};

/// Open to everybody by the specification.
const OPEN: &str = "GetSystemDateAndTime";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OnvifUnauth {}

impl Judge for OnvifUnauth {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let asked = evidence.known("onvif-services", |r| match &r.observation {
            Observation::OnvifAnswer { operation, answer, proof, .. } if operation != OPEN => {
                Some((operation, *answer, proof))
            }
            _ => None,
        });
        every(&asked, "no ONVIF service", |seen| {
            let (operation, answer, proof) = seen.what;
            let what = format!("{}: {operation}", seen.subject());
            match answer {
                ControlAnswer::Answered => Point::Bad(format!("{what} is answered without a credential: {proof}")),
                ControlAnswer::Refused => Point::Good(format!("{what} is refused: {proof}")),
                ControlAnswer::Silent | ControlAnswer::Unclear => Point::Unclear(format!("{what}: {proof}")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}
