//! Refusals do not tell who exists.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-user-enumeration",
    title: "Refused log-ins do not reveal which accounts exist",
    page: include_str!("http_user_enumeration.md"),
    expected: "a wrong password for an account that exists is answered like one for a name that does not",
    remedy: "answer every refused log-in with the same words, status and place",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["http-names"],
    bind: bind::<HttpUserEnumeration>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpUserEnumeration {}

impl Judge for HttpUserEnumeration {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("http-names", |r| match &r.observation {
            Observation::UserNames { names } => Some(names),
            _ => None,
        });
        every(&all, "no web log-in", |seen| {
            let (n, what) =
                (seen.what, format!("{} on {} {}", seen.what.mechanism.word(), seen.subject(), seen.what.path));
            if n.real < 2 || n.made_up < 2 {
                return Point::Unclear(format!("{what}: too few wrong log-ins to compare"));
            }
            if !n.real_alike || !n.made_up_alike {
                return Point::Unclear(format!("{what}: answers of one kind differ among themselves"));
            }
            match n.differ.is_empty() {
                true => Point::Good(format!("{what}: both kinds of names are answered alike")),
                false => Point::Bad(format!("{what}: an account that exists is told by {}", n.differ.join(", "))),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("http-names")
    }
}
