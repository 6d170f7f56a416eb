//! What a page is given never reaches a shell.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation,
    observation::web::{Injection, Timed},
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-injection-canary",
    title: "Parameters of pages do not reach a shell",
    page: include_str!("http_injection_canary.md"),
    expected: "no answer waits for as long as a command in a parameter says",
    remedy: "call programs without a shell, with each argument by itself, and accept only what a parameter may hold",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["http-injection"],
    bind: bind::<HttpInjectionCanary>,
};

/// Pairs of answers that have to differ.
const PAIRS: usize = 3;
/// By so much, and the quick one within that.
const LATER_MS: u64 = 4000;
const QUICK_MS: u64 = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpInjectionCanary {}

impl Judge for HttpInjectionCanary {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("http-injection", |r| match &r.observation {
            Observation::HttpInjection { injection } => Some(injection),
            _ => None,
        });
        every(&all, "no parameter on a page that anybody gets", |s| {
            point(&format!("{}{}", s.subject(), s.what.path), s.what)
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("http-injection")
    }
}

fn point(at: &str, i: &Injection) -> Point {
    let later = |t: &&Timed| t.slow_ms.saturating_sub(t.quick_ms) >= LATER_MS;
    let (waits, quick) = (i.times.iter().filter(later).count(), i.times.iter().all(|t| t.quick_ms < QUICK_MS));
    match (waits, quick) {
        (PAIRS.., true) if waits == i.times.len() => {
            Point::Bad(format!("{at}: it waits for as long as a command says, {waits} times of {waits} ({})", i.way))
        }
        (1.., _) => Point::Unclear(format!("{at}: it came later {waits} times of {} ({})", i.times.len(), i.way)),
        (0, false) => Point::Unclear(format!("{at}: answers take too long to tell")),
        (0, true) if i.times.is_empty() => Point::Unclear(format!("{at}: it was not asked")),
        (0, true) => Point::Good(format!("{at}: no command is waited for")),
    }
}
