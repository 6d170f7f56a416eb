//! Default communities must not write.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Subject,
    observation::{Presented, SnmpSet},
};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "snmp-default-community-write",
    title: "Default SNMP communities do not write",
    page: include_str!("snmp_default_community_write.md"),
    expected: "no default community writes, not even the value that is there",
    remedy: "remove communities that write, or use SNMPv3 with authentication and privacy",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["snmp-write", "snmp-community"],
    bind: bind::<SnmpDefaultCommunityWrite>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SnmpDefaultCommunityWrite {}

impl Judge for SnmpDefaultCommunityWrite {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let reads = evidence.known("snmp-community", |r| match &r.observation {
            Observation::Snmp { presented: p @ Presented::Listed(_), answered: true, .. } => Some((&r.subject, p)),
            _ => None,
        });
        let readers: BTreeSet<(&Subject, &Presented)> = reads.items().iter().map(|s| s.what).collect();
        // Where no default community reads, none is tried for writing, and there is nothing to judge.
        if reads.items().is_empty() {
            return every(&reads, "no SNMP agent that a default community reads", |_| Point::Unclear(String::new()));
        }
        let tried = evidence.known("snmp-write", |r| match &r.observation {
            Observation::SnmpWrite { presented, answer } => Some((presented, answer)),
            _ => None,
        });
        let controlled =
            |at: &Subject| tried.items().iter().any(|s| *s.what.0 == Presented::Wrong && s.subject() == at);
        every(&tried, "nothing was written", |seen| {
            let (presented, answer) = seen.what;
            let at = seen.subject();
            let what = format!("{at}: {}", name(presented));
            match answer {
                SnmpSet::Written { same_after } => {
                    let after =
                        if *same_after { "" } else { "; the value was not the same afterwards: look at the device" };
                    Point::Bad(format!("{what} writes{after}"))
                }
                SnmpSet::Refused { status } => Point::Good(format!("{what} does not write (error status {status})")),
                SnmpSet::Silent if readers.contains(&(at, presented)) => {
                    Point::Unclear(format!("{what} reads, and its write was not answered"))
                }
                SnmpSet::Silent if controlled(at) => Point::Good(format!("{what} is not answered")),
                SnmpSet::Silent => Point::Unclear(format!("{what} is not answered, and no random community was tried")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

fn name(presented: &Presented) -> String {
    match presented {
        Presented::Listed(id) => format!("community {id}"),
        Presented::Wrong => "a random community".to_owned(),
        Presented::Supplied => "the supplied community".to_owned(),
        Presented::Nothing | Presented::Anonymous => "no community".to_owned(),
    }
}
