//! Only a whole sweep can say that nothing else is open.
use super::common::never_absent;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, Subject, Transport};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::ops::RangeInclusive;

pub const CHECK: Check = Check {
    id: "tcp-full-sweep-v4",
    title: "All 65535 TCP ports were looked at over IPv4",
    page: include_str!("tcp_full_sweep_v4.md"),
    expected: "every TCP port from 1 to 65535 was asked on every IPv4 address of the device",
    remedy: "scan without --ports, on a network that carries the sweep; close what is open and not needed",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &["tcp-ports"],
    bind: bind::<TcpFullSweepV4>,
};

pub const V6: Check = Check {
    id: "tcp-full-sweep-v6",
    title: "All 65535 TCP ports were looked at over IPv6",
    page: include_str!("tcp_full_sweep_v6.md"),
    expected: "every TCP port from 1 to 65535 was asked on every IPv6 address of the device",
    remedy: "scan the device's IPv6 addresses, too; filter there what is filtered over IPv4",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &["tcp-ports"],
    bind: bind::<TcpFullSweepV6>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TcpFullSweepV4 {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TcpFullSweepV6 {}

impl Judge for TcpFullSweepV4 {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("tcp-ports", of);
        let any_v6 = all.items().iter().any(|s| s.what.host.is_ipv6());
        let sweeps = all.only(|s| s.host.is_ipv4());
        let decision = whole(&sweeps, "no IPv4 address was swept", |_| String::new());
        match any_v6 {
            true => decision,
            false => never_absent(decision, "tcp-ports", "no host was swept"),
        }
    }
}

impl Judge for TcpFullSweepV6 {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("tcp-ports", of);
        let over_v4: BTreeSet<u16> =
            all.items().iter().filter(|s| s.what.host.is_ipv4()).flat_map(|s| ports(s.what.open)).collect();
        let sweeps = all.only(|s| s.host.is_ipv6());
        let decision = whole(&sweeps, "no IPv6 address was swept", |sweep| {
            let more: Vec<String> = ports(sweep.open).filter(|p| !over_v4.contains(p)).map(|p| p.to_string()).collect();
            if more.is_empty() { String::new() } else { format!("; over IPv6 alone: {}", more.join(", ")) }
        });
        never_absent(decision, "tcp-ports", "no IPv6 address was scanned; name those of the device as targets, too")
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        !evidence.known("tcp-ports", of).items().iter().any(|s| s.what.host.is_ipv6())
    }
}

/// Whether all ports of each host were asked, in however many parts.
fn whole(sweeps: &Known<Sweep<'_>>, absent: &str, more: impl Fn(&Sweep<'_>) -> String) -> Decision {
    let mut asked: BTreeMap<IpAddr, BTreeSet<u16>> = BTreeMap::new();
    for sweep in sweeps.items() {
        asked.entry(sweep.what.host).or_default().extend(ports(sweep.what.asked));
    }
    every(sweeps, absent, |seen| {
        let Sweep { host, open, .. } = &seen.what;
        let count = asked.get(host).map_or(0, BTreeSet::len);
        match count == usize::from(u16::MAX) {
            true => Point::Good(format!("{host}: all ports asked, open: {}{}", or_none(open), more(&seen.what))),
            false => Point::Unclear(format!("{host}: {count} of 65535 ports asked")),
        }
    })
}

struct Sweep<'a> {
    host: IpAddr,
    asked: &'a str,
    open: &'a str,
}

fn of(record: &Record) -> Option<Sweep<'_>> {
    match (&record.observation, &record.subject) {
        (Observation::Swept { transport: Transport::Tcp, asked, open, .. }, Subject::Host(host)) => {
            Some(Sweep { host: *host, asked, open })
        }
        _ => None,
    }
}

/// The ports of `1-79,81`; what cannot be read names none, so that it can only withhold a PASS.
pub(super) fn ports(set: &str) -> impl Iterator<Item = u16> + '_ {
    set.split(',').filter_map(range).flatten().filter(|p| *p > 0)
}

fn range(part: &str) -> Option<RangeInclusive<u16>> {
    let (from, to) = part.split_once('-').unwrap_or((part, part));
    Some(from.trim().parse().ok()?..=to.trim().parse().ok()?)
}

fn or_none(open: &str) -> &str {
    if open.is_empty() { "none" } else { open }
}
