//! Network or power were away: did the device go on locally where declared, and is everything as before?
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{listed, never_absent, not_declared},
};
use crate::judge::{
    Decision, Evidence, Judgement, Known, Verdict,
    judgement::{Point, every},
};
use crate::model::{
    Gap, Observation, Why,
    declarations::Entry,
    observation::outage::{Cut, Outage},
};
use serde::Deserialize;
use std::{collections::BTreeSet, time::Duration};

pub(super) const RUN: &str = "lab-outage";
const TABLE: &str = "23-ResMech";
const SECONDS: &str = "x-recovery-seconds";

pub const NETWORK: Check = Check {
    id: "outage-network-local-function",
    title: "Without the network the device does what is declared, and recovers by itself",
    page: include_str!("outage_network_local_function.md"),
    expected: "declared local functions work while the network is away, and everything is as before within the declared time",
    remedy: "design for a network that fails: do locally what can be done locally, and connect again without help",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Network>,
};

pub const POWER: Check = Check {
    id: "outage-power-recovery",
    title: "After a loss of power everything is as before",
    page: include_str!("outage_power_recovery.md"),
    expected: "after each of three power cuts ports, log-ins and functions are as before within the declared time",
    remedy: "write settings so that a loss of power leaves the old or the new, and start with what was set",
    severity: Severity::High,
    bind: bind::<Power>,
    ..NETWORK
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Network {
    /// A recovery that takes longer is for a person to judge, even where it is declared.
    #[serde(default = "longest")]
    most_recovery_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Power {
    #[serde(default = "longest")]
    most_recovery_seconds: u64,
    #[serde(default = "rounds")]
    least_rounds: usize,
}

fn longest() -> u64 {
    600
}

fn rounds() -> usize {
    3
}

impl Judge for Network {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let seen = of(evidence, Cut::Servers).and(of(evidence, Cut::Upstream)).and(of(evidence, Cut::Link));
        let mut declared = match Declared::of(evidence, "network", &seen) {
            Ok(declared) => declared,
            Err(undecided) => return undecided,
        };
        let shown: Vec<&Outage> = seen.items().iter().map(|s| s.what).filter(|o| o.idle().is_none()).collect();
        for cut in [Cut::Upstream, Cut::Link] {
            if !shown.iter().any(|o| o.cut == cut) {
                declared.lacks.push(format!("the device was not shown to be {}", cut.words()));
            }
        }
        let away = || shown.iter().filter(|o| o.cut != Cut::Servers).flat_map(|o| &o.asked);
        for function in &declared.local {
            if !away().any(|a| a.function == *function) {
                declared.lacks.push(format!("{function} was not asked while the network was away"));
            }
        }
        declared.decide(&seen, self.most_recovery_seconds)
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

impl Judge for Power {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let seen = of(evidence, Cut::Power);
        let mut declared = match Declared::of(evidence, "power", &seen) {
            Ok(declared) => declared,
            Err(undecided) => return undecided,
        };
        let shown = seen.items().iter().filter(|s| s.what.idle().is_none());
        if shown.clone().count() < self.least_rounds {
            declared.lacks.push(format!("power was cut fewer than {} times", self.least_rounds));
        }
        if shown.clone().any(|s| s.what.before.kept.is_empty()) {
            declared.lacks.push("the plan names no setting or log-in that must be as before".to_owned());
        }
        declared.decide(&seen, self.most_recovery_seconds)
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

pub(super) fn of<'a>(evidence: &Evidence<'a>, cut: Cut) -> Known<&'a Outage> {
    evidence.known_of(RUN, Some(cut.topic()), |r| match &r.observation {
        Observation::LabOutage { outage } if outage.cut == cut => Some(&**outage),
        _ => None,
    })
}

/// `decision`, but no PASS where something of what was to be seen is missing.
pub(super) fn withheld(decision: Decision, lacks: &[String]) -> Decision {
    match decision {
        Decision::Judged(j) if j.verdict() == Verdict::Pass && !lacks.is_empty() => {
            let why = Why::NotUnderstood(lacks.join("; "));
            Decision::Judged(Judgement::missing(
                Gap { wanted: RUN.to_owned(), subject: None, why },
                j.observed().join("; "),
            ))
        }
        other => never_absent(other, RUN, "the laboratory took nothing away; give the plan a table [outage]"),
    }
}

/// What the maker promises for one kind of outage.
struct Declared {
    /// Functions that work while the network is away.
    local: BTreeSet<String>,
    /// The shortest of the declared times.
    recovery: Option<u64>,
    /// What withholds a PASS.
    lacks: Vec<String>,
}

impl Declared {
    /// Of all entries for outages of `kind`; an error is what the check comes to without them.
    fn of(evidence: &Evidence<'_>, kind: &str, seen: &Known<&Outage>) -> Result<Self, Decision> {
        let entries = evidence.declared(TABLE);
        let all: Vec<&Entry> = entries.iter().flat_map(|k| k.items()).map(|s| s.what).collect();
        let is = |e: &&&Entry, word: &str| e.text("type").to_lowercase().contains(word);
        let mine: Vec<&&Entry> = all.iter().filter(|e| is(e, kind) || is(e, "both")).collect();
        if mine.is_empty() {
            let observed: Vec<String> = seen.items().iter().map(|s| times(s.what)).collect();
            return Err(not_declared(&format!("{TABLE} ({kind} outage)"), observed.join("; ")));
        }
        let mut lacks: Vec<String> = Vec::new();
        let untyped = all.iter().filter(|e| !["network", "power", "both"].iter().any(|w| is(e, w)));
        lacks.extend(untyped.map(|e| format!("{} says not against which outage it is", e.name())));
        let seconds = |e: &Entry| e.number(SECONDS).and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0);
        lacks.extend(mine.iter().filter(|e| seconds(e).is_none()).map(|e| format!("{} has no {SECONDS}", e.name())));
        let mut local = BTreeSet::new();
        for entry in mine.iter().filter(|_| kind == "network") {
            if entry.list("x-local").is_empty() {
                lacks.push(format!("{} has no x-local", entry.name()));
            }
            local.extend(entry.list("x-local").iter().filter(|l| *l != "none").cloned());
        }
        Ok(Self { local, recovery: mine.iter().filter_map(|e| seconds(e)).min(), lacks })
    }

    fn decide(&self, seen: &Known<&Outage>, most: u64) -> Decision {
        let decision = every(seen, "nothing was taken away", |s| self.point(s.what, most));
        withheld(decision, &self.lacks)
    }

    fn point(&self, o: &Outage, most: u64) -> Point {
        let said = times(o);
        if let Some(why) = o.idle() {
            return Point::Unclear(format!("{said}: {why}"));
        }
        let mut failed_once = Vec::new();
        for function in &self.local {
            let asked: Vec<bool> = o.asked.iter().filter(|a| a.function == *function).map(|a| a.works).collect();
            match (asked.iter().filter(|w| !**w).count(), asked.len()) {
                (0, _) => {}
                (1, 2..) => failed_once.push(function),
                (n, of) => return Point::Bad(format!("{said}: {function} did not work {n} of {of} times")),
            }
        }
        let longest = self.recovery.map(|r| r.saturating_mul(1000));
        match (o.back_ms, longest) {
            (Some(ms), Some(longest)) if ms > longest => {
                Point::Bad(format!("{said}, declared within {} s", longest / 1000))
            }
            (None, Some(longest)) if o.waited_ms >= longest => Point::Bad(format!("{said}: {}", changes(o))),
            (None, Some(_) | None) => Point::Unclear(format!("{said}: {}", changes(o))),
            (Some(ms), _) if ms > most.saturating_mul(1000) => Point::Unclear(format!("{said}; is that bearable?")),
            (Some(_), _) if !failed_once.is_empty() => {
                Point::Unclear(format!("{said}: {} failed once, and worked before or after", listed(failed_once)))
            }
            (Some(_), _) => Point::Good(said),
        }
    }
}

fn changes(o: &Outage) -> String {
    let mut all = o.before.changes(&o.after);
    if o.after.heard == 0 {
        all.push("it did not connect again".to_owned());
    }
    all.join(", ")
}

pub(super) fn times(o: &Outage) -> String {
    let back = match o.back_ms {
        Some(ms) => format!("as before after {:.1} s", Duration::from_millis(ms).as_secs_f64()),
        None => format!("not as before in {} s", o.waited_ms / 1000),
    };
    format!("{} for {} s (round {}): {back}", o.cut.words(), o.away_ms / 1000, o.round)
}
