//! One check's row of an assessment.
use super::{
    assess::{CheckRow, Outcome},
    check::{Check, Judge},
    evidence::{Evidence, natural},
    judgement::{Decision, Verdict},
};
use crate::model::Shared;
use std::cmp::Ordering;

/// What a check says. One that asks the same from every side is asked of each recording by itself, and its worst counts.
pub(super) fn row(check: &'static Check, judge: &dyn Judge, evidence: &Evidence<'_>) -> CheckRow {
    let mut row = from_one(check, judge, evidence);
    if judge.everywhere() {
        for side in evidence.other_sides() {
            join(&mut row, from_one(check, judge, &side), &side);
        }
    }
    row
}

/// What was seen elsewhere counts as it is; that nothing was there to see excuses nothing here.
fn join(row: &mut CheckRow, other: CheckRow, side: &Evidence<'_>) {
    let there = |observed: &String| format!("{}: {observed}", side.side());
    let rank = |v: Outcome| match v {
        Outcome::NotApplicable => 0,
        Outcome::Pass => 1,
        Outcome::Inconclusive | Outcome::AwaitingAssessor => 2,
        Outcome::Fail => 3,
    };
    // Nobody granted the look there: it decided nothing.
    if other.left {
        return;
    }
    let reasons: Vec<String> = other.reasons.iter().map(there).collect();
    match rank(other.verdict).cmp(&rank(row.verdict)) {
        Ordering::Less => {}
        Ordering::Equal => {
            row.reasons.extend(reasons);
            row.subjects.extend(other.subjects);
            row.evidence.extend(other.evidence);
        }
        Ordering::Greater => {
            (row.verdict, row.left, row.reasons) = (other.verdict, false, reasons);
            (row.subjects, row.evidence) = (other.subjects, other.evidence);
        }
    }
    if rank(other.verdict) > 0 && !row.reasons.is_empty() {
        row.observed = row.reasons.join("; ");
    }
    row.gaps.extend(other.gaps);
}

fn from_one(check: &'static Check, judge: &dyn Judge, evidence: &Evidence<'_>) -> CheckRow {
    let mut row = CheckRow {
        check: check.id,
        title: check.title,
        verdict: Outcome::NotApplicable,
        requirements: Vec::new(),
        units: Vec::new(),
        subjects: Vec::new(),
        expected: check.expected,
        observed: String::new(),
        reasons: Vec::new(),
        evidence: Vec::new(),
        gaps: Vec::new(),
        entries: judge.entries(evidence),
        severity: check.severity,
        remedy: check.remedy,
        proves: check.pass,
        left: judge.left_to_assessor(evidence)
            || check.in_laboratory() && check.needs.iter().all(|n| evidence.never_tried(n)),
    };
    match judge.judge(evidence) {
        Decision::Absent { looked, what } => {
            row.observed = what;
            row.evidence = looked.into_iter().map(Shared::from).collect();
        }
        Decision::Judged(j) => {
            row.verdict = match j.verdict() {
                Verdict::Pass => Outcome::Pass,
                Verdict::Inconclusive => Outcome::Inconclusive,
                Verdict::Fail => Outcome::Fail,
            };
            row.observed = j.observed().join("; ");
            row.reasons = j.observed().to_vec();
            row.subjects = j.subjects().map(ToString::to_string).collect();
            row.evidence = j.cites().cloned().collect();
            row.gaps = j.gaps().map(ToString::to_string).collect();
        }
    }
    row.evidence.sort_by(|a, b| natural(a).cmp(&natural(b)));
    row
}
