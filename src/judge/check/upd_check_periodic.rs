//! The device looks for updates as often as it is declared to.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{never_absent, not_declared},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-check-periodic",
    title: "The device looks for updates by itself, as often as declared",
    page: include_str!("upd_check_periodic.md"),
    expected: "at least two intervals between looks for updates are about as long as declared",
    remedy: "look for updates after start and then periodically, with some random delay, and declare how often",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["lab-update-polls"],
    bind: bind::<UpdCheckPeriodic>,
};

/// How far an interval may be from the declared one: a fifth longer, or half as long.
const LONGER: (u64, u64) = (6, 5);
const SHORTER: (u64, u64) = (1, 2);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdCheckPeriodic {}

impl Judge for UpdCheckPeriodic {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let watched = evidence.known("lab-update-polls", |r| match &r.observation {
            Observation::LabWatched { watched_ms, polls_ms, .. } => Some((*watched_ms, polls_ms.as_slice())),
            _ => None,
        });
        let entries = evidence.ixit.and_then(|i| i.declared("7-UpdMech")).unwrap_or_default();
        let declared = entries.iter().filter_map(|e| u64::try_from(e.number("x-check-seconds")?).ok()).min();
        let Some(declared) = declared.filter(|d| *d > 0) else {
            let seen = watched.items().iter().map(|s| format!("{} looks in {} s", s.what.1.len(), s.what.0 / 1000));
            return not_declared("7-UpdMech (x-check-seconds)", seen.collect::<Vec<_>>().join("; "));
        };
        let decision = every(&watched, "it was not watched", |s| point(s.what.0, s.what.1, declared * 1000));
        never_absent(decision, "lab-update-polls", "the device was not watched; give the plan watch_seconds")
    }

    fn tables(&self) -> &'static [&'static str] {
        &["7-UpdMech"]
    }
}

/// All times in milliseconds.
fn point(watched: u64, polls: &[u64], declared: u64) -> Point {
    let intervals: Vec<u64> = polls.windows(2).filter_map(|w| Some(w.last()?.saturating_sub(*w.first()?))).collect();
    let longest = declared.saturating_mul(LONGER.0) / LONGER.1;
    let said = format!("{} looks in {} s, declared every {} s", polls.len(), watched / 1000, declared / 1000);
    if let Some(short) = intervals.iter().find(|i| **i < declared.saturating_mul(SHORTER.0) / SHORTER.1) {
        return Point::Bad(format!(
            "{said}: it came again after {:.1} s",
            std::time::Duration::from_millis(*short).as_secs_f64()
        ));
    }
    if let Some(long) = intervals.iter().find(|i| **i > longest) {
        return Point::Bad(format!("{said}: it stayed away for {} s", long / 1000));
    }
    match (polls.last(), intervals.len()) {
        (None, _) if watched > longest => Point::Bad(format!("{said}: it did not look at all")),
        (Some(last), _) if watched.saturating_sub(*last) > longest => {
            Point::Bad(format!("{said}: it looked no more for {} s", watched.saturating_sub(*last) / 1000))
        }
        (_, 2..) => Point::Good(said),
        _ => Point::Unclear(format!("{said}: two intervals are needed; watch for longer")),
    }
}
