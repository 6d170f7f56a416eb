//! SNMPv3 is only as good as its weakest user.
use super::common::listed;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, Subject, observation::Presented};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "snmpv3-weak",
    title: "SNMPv3 answers nobody without authentication",
    page: include_str!("snmpv3_weak.md"),
    expected: "no user of SNMPv3 reads without authentication",
    remedy: "require authPriv for every user, and remove example users",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["snmp-community"],
    bind: bind::<Snmpv3Weak>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Snmpv3Weak {}

impl Judge for Snmpv3Weak {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let facts = evidence.known("snmp-community", of);
        let mut agents: BTreeMap<&Subject, Vec<User<'_>>> = BTreeMap::new();
        for (subject, user) in facts.items().iter().map(|s| s.what) {
            let all = agents.entry(subject).or_default();
            all.extend(user);
        }
        every(&facts, "no SNMPv3 agent", |seen| match agents.get(seen.subject()) {
            Some(users) => point(seen.subject(), users),
            None => Point::Unclear("no user was asked".to_owned()),
        })
    }
}

#[derive(Clone, Copy)]
struct User<'a> {
    name: &'a str,
    control: bool,
    reads: bool,
    report: Option<&'a str>,
}

/// An agent that speaks version 3, or what it said to a user.
fn of(record: &Record) -> Option<(&Subject, Option<User<'_>>)> {
    match &record.observation {
        Observation::Snmp { version, answered: true, .. } if version == "3" => Some((&record.subject, None)),
        Observation::SnmpUser { user, presented, report, sysdescr } => {
            let (control, reads) = (*presented == Presented::Wrong, sysdescr.is_some());
            Some((&record.subject, Some(User { name: user, control, reads, report: report.as_deref() })))
        }
        _ => None,
    }
}

fn point(at: &Subject, users: &[User<'_>]) -> Point {
    if users.iter().any(|u| u.reads && u.control) {
        return Point::Bad(format!("{at}: any user name reads without authentication"));
    }
    let reading = listed(users.iter().filter(|u| u.reads).map(|u| format!("`{}`", u.name)));
    if !reading.is_empty() {
        return Point::Bad(format!("{at}: user {reading} reads without authentication"));
    }
    if users.is_empty() || users.iter().any(|u| u.report.is_none()) {
        return Point::Unclear(format!("{at}: not every user name was answered, so that nothing can be told"));
    }
    // The agent tells names that it knows from others: not this check's failure, but worth saying.
    let known = listed(users.iter().filter(|u| u.report == Some(KNOWN)).map(|u| format!("`{}`", u.name)));
    let tells = if known.is_empty() { String::new() } else { format!("; it tells that {known} exists") };
    Point::Good(format!("{at}: {} user names were refused without authentication{tells}", users.len()))
}

/// The report on a user who exists and must authenticate (RFC 3414, 3.2).
const KNOWN: &str = "usmStatsUnsupportedSecLevels";
