//! What one check says of a recording, judged alone.
use patuh::judge::{Decision, Evidence, Verdict, check};

/// The verdict's word, and why.
pub fn verdict_on(id: &str, evidence: &Evidence<'_>) -> (&'static str, String) {
    let check = check::find(id).unwrap_or_else(|| panic!("no check `{id}`"));
    let judge = (check.bind)(toml::Table::new()).unwrap();
    match judge.judge(evidence) {
        Decision::Absent { what, .. } => ("NOT_APPLICABLE", what),
        Decision::Judged(j) => {
            let word = match j.verdict() {
                Verdict::Pass => "PASS",
                Verdict::Inconclusive => "INCONCLUSIVE",
                Verdict::Fail => "FAIL",
            };
            let gaps: Vec<String> = j.gaps().map(ToString::to_string).collect();
            (word, format!("{} | {}", j.observed().join("; "), gaps.join("; ")))
        }
    }
}
