//! What a stranger may write, a stranger rules.
use super::{Check, Judge, Proves, Severity, bind, coap::read, common::looked};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "coap-write-unauth",
    title: "CoAP resources are not written without authentication",
    page: include_str!("coap_write_unauth.md"),
    expected: "no resource takes a value from a stranger, not even the one that is there",
    remedy: "let writing require DTLS or OSCORE",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["coap-write", "coap-resources"],
    bind: bind::<CoapWriteUnauth>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoapWriteUnauth {}

#[derive(Clone, Copy)]
struct Put<'a> {
    path: &'a str,
    control: bool,
    code: &'a str,
    same_after: Option<bool>,
}

impl Put<'_> {
    fn taken(self) -> bool {
        self.code.starts_with('2')
    }
}

impl Judge for CoapWriteUnauth {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        // Only what strangers read is put again; where that is nothing, nothing is tried.
        let shown = evidence.known("coap-resources", read).only(super::coap::Read::is_disclosure);
        if shown.items().is_empty() {
            return every(
                &shown,
                "no CoAP resource that a stranger reads, so none whose value could be put again",
                |_| Point::Unclear(String::new()),
            );
        }
        let all = evidence.known("coap-write", |r| match &r.observation {
            Observation::CoapWrite { path, control, code, same_after } => {
                Some(Put { path, control: *control, code, same_after: *same_after })
            }
            _ => None,
        });
        let controls: BTreeMap<&Subject, Put<'_>> =
            all.items().iter().filter(|s| s.what.control).map(|s| (s.subject(), s.what)).collect();
        let puts = all.clone().and(looked(evidence, "coap-resources"));
        every(&puts, "nothing was put", |seen| point(seen.subject(), seen.what, controls.get(seen.subject()).copied()))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("coap-write")
    }

    fn everywhere(&self) -> bool {
        true
    }
}

fn point(at: &Subject, put: Put<'_>, control: Option<Put<'_>>) -> Point {
    let what = format!("{at}{}", put.path);
    if put.control {
        return match (put.taken(), put.same_after) {
            (true, Some(true)) => Point::Bad(format!("{what}: a stranger made it, and it was there ({})", put.code)),
            (true, _) => {
                Point::Unclear(format!("{at} says {} to a path that cannot exist, and does nothing", put.code))
            }
            (false, _) => Point::Good(format!("{at} refuses a path that cannot exist ({})", put.code)),
        };
    }
    let Some(control) = control else { return Point::Unclear(format!("{what}: no path that cannot exist was tried")) };
    let nods = control.taken() && control.same_after != Some(true);
    match (put.taken(), put.same_after) {
        (false, _) => Point::Good(format!("{what} is not written ({})", put.code)),
        (true, _) if nods => Point::Unclear(format!("{what}: {}, as for a path that cannot exist", put.code)),
        (true, Some(false)) => Point::Bad(format!(
            "{what} is written ({}); the value was not the same afterwards: look at the device",
            put.code
        )),
        (true, Some(true) | None) => Point::Bad(format!("{what} is written without a credential ({})", put.code)),
    }
}
