//! A wrong time makes the device believe nothing that is over, and does not keep it from updates for ever.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::never_absent,
    lab::{SERVERS, met, trial, visit},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Gap, Observation, Why,
    observation::lab::{ClockMove, ImageCase, ImageTrial, Met, ServerCase, Told, Visit},
};
use serde::Deserialize;

const RUN: &str = "lab-clock";

pub const CHECK: Check = Check {
    id: "upd-clock-manipulation",
    title: "A wrong time does not disable the security of updates",
    page: include_str!("upd_clock_manipulation.md"),
    expected: "a device that is told a wrong time believes no certificate that is over, and comes again when the time is right",
    remedy: "take no time that is before the software was built or far from what is known, and check the time again before it is trusted",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[RUN, SERVERS],
    bind: bind::<UpdClockManipulation>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdClockManipulation {}

#[derive(Clone, Copy)]
enum Fact<'a> {
    /// Shown a certificate that is over, before any wrong time was told.
    Before(&'a Visit),
    Moved(ClockMove),
    Offered(&'a ImageTrial),
}

impl Judge for UpdClockManipulation {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        // Other certificates may be left out.
        let before = evidence.known_of(SERVERS, Some("expired"), visit);
        let before = before.only(|v| v.case == ServerCase::Expired && met(v)).map(Fact::Before);
        let refuses = before.items().iter().all(|s| !matches!(s.what, Fact::Before(v) if v.request.is_some()));
        let refuses = refuses && !before.items().is_empty();
        let mut told = evidence.known(RUN, |r| match &r.observation {
            Observation::LabClock { moved } => Some(Fact::Moved(*moved)),
            _ => trial(r).filter(|t| t.case == ImageCase::ClockMoved).map(Fact::Offered),
        });
        if told.items().is_empty() {
            let decision = every(&told, "no wrong time was told", |_| Point::Unclear(String::new()));
            return never_absent(decision, RUN, "give the plan a table [ntp] with `wrong`");
        }
        for time in [Told::Past, Told::Future] {
            if !told.items().iter().any(|s| matches!(s.what, Fact::Moved(m) if m.told == time)) {
                let why = Why::NotUnderstood(format!("the device was not told {}", time.words()));
                told = told.lacking(Gap { wanted: format!("{RUN}:{}", time.topic()), subject: None, why });
            }
        }
        every(&told.and(before), "no wrong time was told", |seen| match seen.what {
            Fact::Before(visit) => usual(visit),
            Fact::Offered(trial) => offered(trial, refuses),
            Fact::Moved(m) if m.told == Told::Past => past(m, refuses),
            Fact::Moved(m) => back(m),
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(RUN)
    }
}

fn usual(visit: &Visit) -> Point {
    match visit.request {
        Some(_) => Point::Unclear("it believes a certificate that is over at the right time, too".to_owned()),
        None => Point::Good("at the right time it refused a certificate that is over".to_owned()),
    }
}

fn offered(trial: &ImageTrial, refuses: bool) -> Point {
    let believed = format!("told {}, it was offered {}", Told::Past.words(), trial.case.words());
    let runs = |v: &String| *v == trial.version && trial.before.as_ref() != Some(v);
    match trial.seen.iter().chain(&trial.after).any(runs) {
        true if refuses => Point::Bad(format!("{believed}: it installed {}", trial.version)),
        true => Point::Unclear(format!("{believed}: it installed {}, as it may at the right time", trial.version)),
        false => Point::Unclear(format!("{believed}: it was not seen to install it")),
    }
}

fn past(m: ClockMove, refuses: bool) -> Point {
    let told = format!("told {} {} times", m.told.words(), m.asked);
    match m.met {
        _ if m.asked == 0 => unmoved(m),
        Met::NoOne => Point::Unclear(format!("{told}: it did not come")),
        Met::Believed => Point::Unclear(format!("{told}: it believed a certificate that is over; would it install?")),
        Met::Refused if !refuses => {
            Point::Unclear(format!("{told}: it refused a certificate that is over, and was not seen to do so before"))
        }
        Met::Refused => back(m),
    }
}

/// Whether it came back. A wrong time that keeps it away meanwhile is no harm to its security.
fn back(m: ClockMove) -> Point {
    let told = format!("told {} {} times, and the right time {} times", m.told.words(), m.asked, m.asked_after);
    match m.met_after {
        _ if m.asked == 0 => unmoved(m),
        Met::Believed => Point::Good(format!("{told}: it came to the genuine server again")),
        Met::Refused if m.asked_after > 0 => {
            Point::Bad(format!("{told}: it refused the genuine server for as long as was waited"))
        }
        Met::Refused => {
            Point::Unclear(format!("{told}: it refused the genuine server, and may not know the right time"))
        }
        Met::NoOne => Point::Unclear(format!("{told}: it did not come any more")),
    }
}

fn unmoved(m: ClockMove) -> Point {
    Point::Unclear(format!("told {}: it did not ask for the time, so that its clock was not moved", m.told.words()))
}
