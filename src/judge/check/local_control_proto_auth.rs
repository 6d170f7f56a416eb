//! Local control needs pairing.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    observation::{
        ControlAnswer,
        access::{Act, LocalControl},
    },
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "local-control-proto-auth",
    title: "Vendor protocols for local control need pairing",
    page: include_str!("local_control_proto_auth.md"),
    expected: "no local control protocol takes an order from somebody who never paired",
    remedy: "pair controllers, with a key for each, and refuse all others",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["local-control"],
    bind: bind::<LocalControlProtoAuth>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocalControlProtoAuth {}

impl Judge for LocalControlProtoAuth {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("local-control", |r| match &r.observation {
            Observation::LocalControl { control } => Some(control),
            _ => None,
        });
        let set: Vec<_> = all
            .items()
            .iter()
            .filter(|s| s.what.act == Act::SetAsItIs)
            .map(|s| (s.subject(), &s.what.protocol))
            .collect();
        // Where an order was tried, what it came to counts, and not the reading before it.
        let ordered = |s: &crate::judge::Seen<&LocalControl>| {
            s.what.act == Act::Read && set.contains(&(s.subject(), &s.what.protocol))
        };
        every(&all, "no local control protocol of the list", |seen| {
            let what = format!("{} on {}", seen.what.title, seen.subject());
            match (seen.what.act, seen.what.answer) {
                (Act::SetAsItIs, ControlAnswer::Answered) => {
                    Point::Bad(format!("{what}: it takes orders from anybody; {}", seen.what.proof))
                }
                (_, ControlAnswer::Refused | ControlAnswer::Silent) => {
                    Point::Good(format!("{what}: {} is refused", seen.what.act.words()))
                }
                (Act::SetAsItIs, ControlAnswer::Unclear) => {
                    Point::Unclear(format!("{what}: the answer to an order could not be read"))
                }
                (Act::Read, _) if ordered(seen) => Point::Good(format!("{what}: its state is read by anybody")),
                (Act::Read, _) => Point::Unclear(format!("{what}: its state is read by anybody; no order was tried")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}
