//! SNMP must not open for a well-known community.
use super::common::listed;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::Presented;
use crate::model::{Observation, Record, Subject};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "snmp-default-community-read",
    title: "Default SNMP communities do not read",
    page: include_str!("snmp_default_community_read.md"),
    expected: "an SNMP agent stays silent to all listed communities and to a random one",
    remedy: "switch SNMP v1 and v2c off, or set a unique community; use v3 with authPriv",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["snmp-community"],
    bind: bind::<SnmpDefaultCommunityRead>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SnmpDefaultCommunityRead {}

impl Judge for SnmpDefaultCommunityRead {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let asked = evidence.known("snmp-community", of);
        let mut agents: BTreeMap<&Subject, Vec<Asked<'_>>> = BTreeMap::new();
        for (subject, asked) in asked.items().iter().map(|s| s.what) {
            agents.entry(subject).or_default().push(asked);
        }
        agents.retain(|_, all| all.iter().any(|a| a.answered));
        let asked = asked.only(|(subject, _)| agents.contains_key(subject));
        every(&asked, "no SNMP agent", |seen| match agents.get(seen.subject()) {
            Some(all) => point(seen.subject(), all),
            None => Point::Unclear("nothing was asked".to_owned()),
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

#[derive(Clone, Copy)]
struct Asked<'a> {
    presented: &'a Presented,
    answered: bool,
    described: bool,
}

fn of(record: &Record) -> Option<(&Subject, Asked<'_>)> {
    match &record.observation {
        Observation::Snmp { presented, answered, sysdescr, .. } => {
            Some((&record.subject, Asked { presented, answered: *answered, described: sysdescr.is_some() }))
        }
        _ => None,
    }
}

fn point(at: &Subject, all: &[Asked<'_>]) -> Point {
    let wrong = |a: &&Asked<'_>| *a.presented == Presented::Wrong;
    if all.iter().filter(wrong).any(|a| a.answered) {
        return Point::Bad(format!("{at}: a random community is answered, so that none is needed"));
    }
    let controlled = all.iter().any(|a| wrong(&a));
    let read = all.iter().filter_map(|a| listed_id(a).filter(|_| a.answered).map(|id| (id, a.described)));
    let read: BTreeMap<&str, bool> = read.fold(BTreeMap::new(), |mut m, (id, d)| {
        *m.entry(id).or_default() |= d;
        m
    });
    let ids = listed(read.keys());
    match (controlled, read.is_empty()) {
        (false, _) => Point::Unclear(format!("{at}: no random community was tried")),
        (true, false) if read.values().any(|d| *d) => {
            Point::Bad(format!("{at}: {ids} reads the system description, a random community does not"))
        }
        (true, false) => Point::Unclear(format!("{at}: {ids} is answered, but not with a system description")),
        (true, true) if all.iter().any(|a| listed_id(a).is_some()) => {
            Point::Good(format!("{at}: silent to every listed community"))
        }
        (true, true) => Point::Unclear(format!("{at}: no listed community was tried")),
    }
}

fn listed_id<'a>(asked: &Asked<'a>) -> Option<&'a str> {
    match asked.presented {
        Presented::Listed(id) => Some(id),
        Presented::Nothing | Presented::Wrong | Presented::Anonymous | Presented::Supplied => None,
    }
}
