//! While its servers are away the device tries to connect ever more rarely, or at long intervals that differ.
use super::{
    Check, Judge, Proves, Severity, bind,
    outage::{RUN, of, withheld},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    declarations::Entry,
    observation::outage::{Cut, Outage},
};
use serde::Deserialize;
use std::collections::BTreeMap;

const TABLE: &str = "11-ComMech";

pub const CHECK: Check = Check {
    id: "reconnect-backoff",
    title: "Attempts to connect back off while a server is away",
    page: include_str!("reconnect_backoff.md"),
    expected: "at most one attempt in ten seconds after the first ones, at growing or varying intervals, as declared",
    remedy: "double the wait after each attempt in vain, up to minutes, and add some of it by chance",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<ReconnectBackoff>,
};

/// So many attempts, each in a second or less from the one before, are a storm.
const STORM: (usize, u64) = (60, 60_000);
/// Attempts in ten minutes.
const MANY: (usize, u64) = (60, 600_000);
/// The first attempts may come fast.
const FIRST: usize = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReconnectBackoff {
    #[serde(default = "least")]
    least_seconds: u64,
}

fn least() -> u64 {
    10
}

impl Judge for ReconnectBackoff {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let seen = of(evidence, Cut::Servers);
        let entries = evidence.declared(TABLE);
        let entries: Vec<&Entry> = entries.iter().flat_map(|k| k.items()).map(|s| s.what).collect();
        let (mut declared, mut lacks) = (BTreeMap::new(), Vec::new());
        if entries.is_empty() {
            lacks.push(format!("table {TABLE} was not supplied"));
        }
        for entry in &entries {
            let names: Vec<String> = entry.list("x-names").iter().map(|n| n.to_lowercase()).collect();
            let seconds = entry.number("x-reconnect-seconds").and_then(|n| u64::try_from(n).ok());
            match (names.as_slice(), seconds) {
                ([], _) => lacks.push(format!("{} has no x-names", entry.name())),
                ([none], _) if none == "none" => {}
                (_, None) => lacks.push(format!("{} has no x-reconnect-seconds", entry.name())),
                (names, Some(seconds)) => {
                    for name in names {
                        // Of two mechanisms that go to one server, the less patient one is seen.
                        declared.entry(name.clone()).and_modify(|s: &mut u64| *s = seconds.min(*s)).or_insert(seconds);
                    }
                }
            }
        }
        let tried = |name: &&String| seen.items().iter().any(|s| s.what.attempts.iter().any(|a| a.to == **name));
        lacks.extend(declared.keys().filter(|n| !tried(n)).map(|n| format!("no attempt to reach {n} was seen")));
        let decision = every(&seen, "no server was away", |s| self.outage(s.what, &declared));
        withheld(decision, &lacks)
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

impl ReconnectBackoff {
    /// The worst of what is said of each server.
    fn outage(&self, o: &Outage, declared: &BTreeMap<String, u64>) -> Point {
        let mut servers: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for attempt in &o.attempts {
            servers.entry(&attempt.to).or_default().push(attempt.at_ms);
        }
        let mut points: Vec<Point> = Vec::new();
        for (to, at) in &servers {
            points.push(self.server(to, at, declared.get(*to).copied()));
        }
        let worst = |p: &Point| match p {
            Point::Good(_) => 0,
            Point::Unclear(_) => 1,
            Point::Bad(_) => 2,
        };
        let none = || Point::Unclear(format!("no attempt to connect in {} s", o.away_ms / 1000));
        let point = points.into_iter().max_by_key(worst).unwrap_or_else(none);
        match (point, o.idle()) {
            (Point::Good(said), Some(why)) => Point::Unclear(format!("{said}; {why}")),
            (point, _) => point,
        }
    }

    fn server(&self, to: &str, at: &[u64], declared: Option<u64>) -> Point {
        let said = format!("{to}: {} attempts", at.len());
        let intervals: Vec<u64> = at.iter().zip(at.iter().skip(1)).map(|(a, b)| b.saturating_sub(*a)).collect();
        if most_within(at, STORM.1) > STORM.0 {
            return Point::Bad(format!("{said}, more than {} of them within a minute", STORM.0));
        }
        let mut settled: Vec<u64> = intervals.iter().skip(FIRST).copied().collect();
        settled.sort_unstable();
        let (Some(first), Some(low), Some(high), Some(median), 2..) =
            (intervals.first(), settled.first(), settled.last(), settled.get(settled.len() / 2), settled.len())
        else {
            return Point::Unclear(format!("{said}, too few to see how they go on; take servers away for longer"));
        };
        let said = format!(
            "{said}, after the fifth one every {:.1} s",
            std::time::Duration::from_millis(*median).as_secs_f64()
        );
        // A fifth is left to timers and chance.
        if let Some(seconds) = declared.filter(|d| *median < d.saturating_mul(800)) {
            return Point::Bad(format!("{said}, declared {seconds} s"));
        }
        if *median < self.least_seconds.saturating_mul(1000) || most_within(at, MANY.1) > MANY.0 {
            return Point::Unclear(format!("{said}: often; does that suit the number of devices?"));
        }
        let grows = *median >= first.saturating_mul(3) / 2;
        let varies = high.saturating_sub(*low) >= (median / 50).max(100);
        match grows || varies {
            true => Point::Good(said),
            false => Point::Unclear(format!("{said}, always the same: many devices would come at once")),
        }
    }
}

/// The most attempts in any such time.
fn most_within(at: &[u64], ms: u64) -> usize {
    let from = |(n, start): (usize, &u64)| at.iter().skip(n).take_while(|t| t.saturating_sub(*start) <= ms).count();
    at.iter().enumerate().map(from).max().unwrap_or(0)
}
