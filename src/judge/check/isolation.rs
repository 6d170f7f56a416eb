//! A device that can no longer be updated: can it be isolated, does it work then, and does it come back?
use super::{
    Check, Judge, Proves, Severity, bind,
    common::{never_absent, not_declared},
};
use crate::judge::{
    Decision, Evidence, Known, Seen,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    declarations::Entry,
    observation::lab::{IsolationPhase, Phase},
};
use serde::Deserialize;

const RUN: &str = "lab-isolation";
const TABLE: &str = "9-ReplSup";

pub const EFFECTIVE: Check = Check {
    id: "isolation-effective",
    title: "A device that can no longer be updated can be isolated",
    page: include_str!("isolation_effective.md"),
    expected: "nothing comes from the device while it is isolated as declared",
    remedy: "give the device a way to be taken off the network that leaves nothing connected",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<Effective>,
};

pub const FUNCTION: Check = Check {
    id: "isolation-function",
    title: "An isolated device does what needs no network",
    page: include_str!("isolation_function.md"),
    expected: "the device works at the end of its isolation",
    remedy: "let the device do without the network what it can do without it",
    bind: bind::<Function>,
    ..EFFECTIVE
};

pub const RETURN: Check = Check {
    id: "isolation-return",
    title: "After its replacement the device is connected and works again",
    page: include_str!("isolation_return.md"),
    expected: "the device is heard again and works after it was brought back as declared",
    remedy: "make the way back to the network a part of the declared replacement, and try it",
    bind: bind::<Return>,
    ..EFFECTIVE
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Effective {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Function {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Return {}

impl Judge for Effective {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        phase(evidence, Phase::Isolated, "isolation", |i| match i.heard {
            0 => Point::Good(said(i)),
            _ => Point::Bad(said(i)),
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

impl Judge for Function {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        phase(evidence, Phase::Isolated, "isolation", |i| match (i.works, i.heard) {
            (true, 0) => Point::Good(said(i)),
            (true, _) => Point::Unclear(format!("{}; it was not isolated", said(i))),
            (false, _) => Point::Bad(said(i)),
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

impl Judge for Return {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        phase(evidence, Phase::Rejoined, "hardware_replacement", |i| match (i.works, i.heard) {
            (true, 1..) => Point::Good(said(i)),
            (true, 0) | (false, _) => Point::Bad(said(i)),
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

fn said(i: &IsolationPhase) -> String {
    let works = if i.works { "it worked" } else { "it did not work" };
    format!("{}, in {} s: heard {} times, {works}", i.phase.words(), i.watched_ms / 1000, i.heard)
}

/// One phase, where the maker declares in `field` what is to be done, and the device was heard and worked before.
fn phase(evidence: &Evidence<'_>, of: Phase, field: &str, point: impl Fn(&IsolationPhase) -> Point) -> Decision {
    let all: Known<&IsolationPhase> = evidence.known(RUN, |r| match &r.observation {
        Observation::LabIsolation { isolation } => Some(isolation),
        _ => None,
    });
    let declares = |s: &Seen<&Entry>| !s.what.text(field).trim().is_empty();
    if !evidence.declared(TABLE).is_some_and(|k| k.items().iter().any(declares)) {
        let seen: Vec<String> = all.items().iter().map(|s| said(s.what)).collect();
        return not_declared(&format!("{TABLE} ({field})"), seen.join("; "));
    }
    let before = all.items().iter().any(|s| s.what.phase == Phase::Before && s.what.works && s.what.heard > 0);
    let decision = every(&all.only(|i| i.phase == of), "it was not isolated", |seen| match before {
        true => point(seen.what),
        false => Point::Unclear(format!("{}; before that it was not heard, or did not work", said(seen.what))),
    });
    never_absent(decision, RUN, "the laboratory did not isolate the device; give the plan a table [isolation]")
}
