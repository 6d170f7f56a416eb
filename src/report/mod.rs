//! Floor 2: how it is shown. Pure: an assessment in, text out, every result exactly once.
pub mod inventory;

use crate::judge::{Assessment, assess::Outcome};
use std::fmt::Write;

/// `assessment/1`: one object for one profile, an array for several.
pub fn json(all: &[Assessment]) -> String {
    let text = match all {
        [one] => serde_json::to_string_pretty(one),
        many => serde_json::to_string_pretty(many),
    };
    text.unwrap_or_default() + "\n"
}

/// For a terminal: the verdict, what failed and what is open with their reasons, then the rest.
pub fn text(a: &Assessment) -> String {
    let mut out = String::new();
    let c = &a.counts;
    let _ = writeln!(out, "{} (level {}): {}", a.profile.title, a.profile.level, a.verdict.word());
    let _ = writeln!(
        out,
        "  requirements: {} pass, {} fail, {} inconclusive, {} not applicable, {} awaiting an assessor",
        c.pass, c.fail, c.inconclusive, c.not_applicable, c.awaiting_assessor
    );
    for wanted in
        [Outcome::Fail, Outcome::Inconclusive, Outcome::Pass, Outcome::NotApplicable, Outcome::AwaitingAssessor]
    {
        for r in a.results.iter().filter(|r| r.verdict == wanted) {
            let _ = writeln!(out, "  {:<14} {} [{}]", r.verdict.word(), r.check, r.requirements.join(", "));
            if matches!(wanted, Outcome::Fail | Outcome::Inconclusive) {
                let _ = writeln!(out, "                 expected: {}", r.expected);
                let _ = writeln!(out, "                 observed: {}", r.observed);
                for g in r.gaps.iter().take(3) {
                    let _ = writeln!(out, "                 missing:  {g}");
                }
            }
            if wanted == Outcome::Fail {
                let _ = writeln!(out, "                 evidence: {}; remedy: {}", r.evidence.join(" "), r.remedy);
            }
        }
    }
    let waiting: Vec<&str> =
        a.requirements.iter().filter(|r| r.outcome == Outcome::AwaitingAssessor).map(|r| r.id.as_str()).collect();
    if !waiting.is_empty() {
        let _ = writeln!(out, "  awaiting an assessor: {}", waiting.join(", "));
    }
    let _ = writeln!(out, "  {}", a.profile.disclaimer);
    out
}
