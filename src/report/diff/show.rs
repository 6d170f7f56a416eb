//! A difference as JSON and as text.
use super::{Comparison, Diff};
use crate::report::case::ASSESSOR;
use std::fmt::Write;

pub fn json(diff: &Diff) -> String {
    // Plain data with text keys: writing it to memory cannot fail.
    serde_json::to_string_pretty(diff).unwrap_or_default() + "\n"
}

pub fn text(diff: &Diff) -> String {
    let mut out = String::new();
    let word = match diff.result {
        Comparison::Same => "the same",
        Comparison::Changed => "changed, nothing is worse",
        Comparison::Worse => "changed, something is worse",
        Comparison::NotComparable => "not comparable: no profile is judged in both",
    };
    let _ = writeln!(out, "{word}");
    let facts =
        diff.facts.gone.iter().map(|f| format!("- {f}")).chain(diff.facts.added.iter().map(|f| format!("+ {f}")));
    for (head, lines) in [
        ("question", diff.question.clone()),
        ("instrument", diff.instrument.clone()),
        ("assessor", diff.assessor.clone()),
        ("facts", facts.collect()),
    ] {
        if !lines.is_empty() {
            let _ = writeln!(out, "\n{head} ({})", lines.len());
            for l in &lines {
                let _ = writeln!(out, "  {l}");
            }
        }
    }
    if !diff.verdicts.is_empty() {
        let _ = writeln!(out, "\nverdicts ({})", diff.verdicts.len());
    }
    for v in &diff.verdicts {
        let cause = format!("{:?}", v.cause).to_lowercase();
        let worse = if v.worse { ", worse" } else { "" };
        let what = if v.check == ASSESSOR { v.requirements.join(", ") } else { v.check.clone() };
        let _ = writeln!(out, "  {} {what}: {} -> {} (cause: {cause}{worse})", v.profile, v.old, v.new);
        for b in &v.because {
            let _ = writeln!(out, "      {b}");
        }
    }
    out
}
