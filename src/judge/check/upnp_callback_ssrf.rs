//! A device calls nobody on somebody's word.
use super::upnp::{DESCRIBED, RUN, offers};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject, observation::upnp::EventCallback};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "upnp-callback-ssrf",
    title: "UPnP events are sent to nobody but the one who asks for them",
    page: include_str!("upnp_callback_ssrf.md"),
    expected: "a subscription for an address in another network is not followed",
    remedy: "refuse callbacks that leave the network of the one who subscribes (UPnP Device Architecture 2.0 of 2020)",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[DESCRIBED, RUN],
    bind: bind::<UpnpCallbackSsrf>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpnpCallbackSsrf {}

impl Judge for UpnpCallbackSsrf {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let described = evidence.known(DESCRIBED, offers);
        if described.items().is_empty() {
            return every(&described, "no UPnP description", |_| Point::Unclear(String::new()));
        }
        let all = evidence.known_of(RUN, Some("callbacks"), |r| match &r.observation {
            Observation::EventCallback { callback } => Some(callback),
            _ => None,
        });
        let of = |pick: fn(&EventCallback) -> bool| -> BTreeSet<&Subject> {
            all.items().iter().filter(|s| pick(s.what)).map(|s| s.subject()).collect()
        };
        let (asked, calls) = (of(|c| c.elsewhere), of(|c| !c.elsewhere && c.called));
        every(&all, "no UPnP service with events", |s| {
            let (at, c) = (s.subject(), s.what);
            let what = format!("{at}{}", c.path);
            match (c.elsewhere, c.called) {
                (true, true) => Point::Bad(format!("{what}: it calls {} for us, who are another", c.to)),
                (true, false) if calls.contains(at) => {
                    Point::Good(format!("{what}: it calls us and not {} (status {})", c.to, c.status))
                }
                (true, false) => Point::Unclear(format!("{what}: it calls nobody, not even us")),
                (false, true) if asked.contains(at) => Point::Good(format!("{what}: it calls us")),
                (false, true) => {
                    Point::Unclear(format!("{what}: it calls us; no second address was given to be tried"))
                }
                (false, false) => Point::Unclear(format!("{what}: it does not call even us (status {})", c.status)),
            }
        })
    }

    /// Without a second address nobody sees whom else it calls.
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        let elsewhere = evidence.known_of(RUN, Some("callbacks"), |r| match &r.observation {
            Observation::EventCallback { callback } if callback.elsewhere => Some(()),
            _ => None,
        });
        evidence.never_tried(RUN) || elsewhere.items().is_empty()
    }
}
