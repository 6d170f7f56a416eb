//! What changed between two assessments of a device, and why. Pure; both sides are judged by this version.
//!
//! A verdict that changed has a cause: the *question* (profile or declarations), when the old evidence under
//! the new question gives the new verdict already; *unstable* evidence, when one recording disagrees with itself;
//! the *instrument*, when a probe of it is of another version or did not look at the same; the *assessor*, when
//! what people attested makes the difference; else the *device*.
use crate::judge::{
    Assessment, Inputs, Profile,
    assess::{CheckRow, Outcome, Read},
    assess_attested, check,
};
use crate::model::{Attestations, Ics, Ixit, Recording};
use crate::report::case::ASSESSOR;
use asked::{assessor, instrument, question, versions};
use facts::{differing, facts, plain, unstable};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

mod asked;
mod facts;
mod show;
pub use show::{json, text};

pub const SCHEMA: &str = "diff/1";

/// One side: what was seen, what was declared, and under which profiles it was judged.
pub struct Side<'a> {
    pub recording: &'a Recording,
    pub ics: Option<&'a Read<Ics>>,
    pub ixit: Option<&'a Read<Ixit>>,
    pub attested: Option<&'a Read<Attestations>>,
    pub profiles: &'a [Profile],
    pub assessments: &'a [Assessment],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    Device,
    Question,
    Instrument,
    Assessor,
    Unstable,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    Same,
    Changed,
    Worse,
    NotComparable,
}

#[derive(Debug, Serialize)]
pub struct Diff {
    pub schema: &'static str,
    pub result: Comparison,
    /// What was asked, looked with, or not in common; one line each.
    pub question: Vec<String>,
    pub instrument: Vec<String>,
    /// What one side attests or waives and the other does not.
    pub assessor: Vec<String>,
    pub facts: Facts,
    pub verdicts: Vec<Change>,
}

/// Facts of one side only. What changed its value is gone with the old and added with the new one.
#[derive(Debug, Default, Serialize)]
pub struct Facts {
    pub gone: Vec<String>,
    pub added: Vec<String>,
}

/// A check whose verdict is another one, or a requirement whose outcome a person changed.
#[derive(Debug, Serialize)]
pub struct Change {
    pub profile: String,
    pub check: String,
    pub requirements: Vec<String>,
    pub old: &'static str,
    pub new: &'static str,
    pub worse: bool,
    pub cause: Cause,
    /// The facts, or the part of the question or instrument, that it changed with.
    pub because: Vec<String>,
}

pub fn diff(old: &Side<'_>, new: &Side<'_>) -> Diff {
    let (gone, added) = differing(&facts(old.recording, None), &facts(new.recording, None));
    let mut out = Diff {
        schema: SCHEMA,
        result: Comparison::Same,
        question: question(old, new),
        instrument: instrument(old, new),
        assessor: assessor(old, new),
        facts: Facts { gone, added },
        verdicts: Vec::new(),
    };
    let mut compared = false;
    for a in old.assessments {
        let of = |s: &Assessment| s.profile.id == a.profile.id;
        let (Some(b), Some(profile)) =
            (new.assessments.iter().find(|b| of(b)), new.profiles.iter().find(|p| p.id == a.profile.id))
        else {
            continue;
        };
        compared = true;
        let inputs = Inputs { recording: old.recording, ics: new.ics, ixit: new.ixit };
        let asked = assess_attested(&inputs, old.attested, profile);
        out.verdicts.extend(changes(old, new, (a, b), &asked));
        let attested = assess_attested(&inputs, new.attested, profile);
        out.verdicts.extend(people(old, new, (a, b), [&asked, &attested]));
    }
    let same = out.verdicts.is_empty()
        && out.question.is_empty()
        && out.facts.gone.is_empty()
        && out.facts.added.is_empty()
        && out.instrument.is_empty()
        && out.assessor.is_empty();
    out.result = match (compared, out.verdicts.iter().any(|v| v.worse), same) {
        (false, _, _) => Comparison::NotComparable,
        (true, true, _) => Comparison::Worse,
        (true, false, true) => Comparison::Same,
        (true, false, false) => Comparison::Changed,
    };
    out
}

fn changes(old: &Side<'_>, new: &Side<'_>, (a, b): (&Assessment, &Assessment), asked: &Assessment) -> Vec<Change> {
    let find = |of: &Assessment, check: &str| of.results.iter().find(|r| r.check == check).map(|r| r.verdict);
    let rows: BTreeMap<&str, &CheckRow> = a.results.iter().chain(&b.results).map(|r| (r.check, r)).collect();
    let mut out = Vec::new();
    for (id, row) in rows {
        let (was, is) = (find(a, id), find(b, id));
        if was == is {
            continue;
        }
        let (cause, because) =
            if find(asked, id) == is { (Cause::Question, question(old, new)) } else { cause(old, new, &needs(id)) };
        out.push(Change {
            profile: a.profile.id.clone(),
            check: id.to_owned(),
            requirements: row.requirements.clone(),
            old: word(was),
            new: word(is),
            worse: rank(is) > rank(was),
            cause,
            because,
        });
    }
    out
}

fn needs(check: &str) -> BTreeSet<&'static str> {
    check::find(check).map(|c| c.needs.iter().copied().collect()).unwrap_or_default()
}

fn word(outcome: Option<Outcome>) -> &'static str {
    outcome.map_or("not judged", Outcome::word)
}

/// Requirements whose outcome is another one though none of their checks' is, or because of what was attested.
fn people(
    old: &Side<'_>,
    new: &Side<'_>,
    (a, b): (&Assessment, &Assessment),
    [asked, attested]: [&Assessment; 2],
) -> Vec<Change> {
    let find = |of: &Assessment, id: &str| of.requirements.iter().find(|r| r.id == id).map(|r| r.outcome);
    let verdict = |of: &Assessment, check: &str| of.results.iter().find(|r| r.check == check).map(|r| r.verdict);
    let mut out = Vec::new();
    for row in &b.requirements {
        let (was, is) = (find(a, &row.id), Some(row.outcome));
        let by_people = find(asked, &row.id) != find(attested, &row.id) && find(attested, &row.id) == is;
        let by_checks = row.results.iter().any(|c| verdict(a, c) != verdict(b, c));
        if was == is || was.is_none() || (by_checks && !by_people) {
            continue;
        }
        let (cause, because) = if by_people {
            (Cause::Assessor, assessor(old, new))
        } else if find(asked, &row.id) == is {
            (Cause::Question, question(old, new))
        } else {
            cause(old, new, &row.results.iter().flat_map(|c| needs(c)).collect())
        };
        out.push(Change {
            profile: b.profile.id.clone(),
            check: ASSESSOR.to_owned(),
            requirements: vec![row.id.clone()],
            old: word(was),
            new: word(is),
            worse: rank(is) > rank(was),
            cause,
            because,
        });
    }
    out
}

/// How bad it is. What is judged no longer is as open as what could not be decided.
fn rank(outcome: Option<Outcome>) -> u8 {
    match outcome {
        Some(Outcome::Pass | Outcome::NotApplicable) => 0,
        Some(Outcome::AwaitingAssessor) => 1,
        Some(Outcome::Inconclusive) | None => 2,
        Some(Outcome::Fail) => 3,
    }
}

/// Why the evidence of one check gives another verdict under the same question.
fn cause(old: &Side<'_>, new: &Side<'_>, needs: &BTreeSet<&str>) -> (Cause, Vec<String>) {
    let shaky = unstable(old.recording, needs).into_iter().chain(unstable(new.recording, needs));
    let shaky: Vec<String> = shaky.collect();
    if !shaky.is_empty() {
        return (Cause::Unstable, shaky);
    }
    let (gone, added) = differing(&facts(old.recording, Some(needs)), &facts(new.recording, Some(needs)));
    let probes = versions(old, new, Some(needs));
    if !probes.is_empty() {
        return (Cause::Instrument, probes);
    }
    let label = |sign: char| move |fact: String| format!("{sign} {fact}");
    let facts: Vec<String> = gone.into_iter().map(label('-')).chain(added.into_iter().map(label('+'))).collect();
    if facts.is_empty() { (Cause::Instrument, looked(old, new, needs)) } else { (Cause::Device, facts) }
}

/// What one side looked at and the other did not.
fn looked(old: &Side<'_>, new: &Side<'_>, needs: &BTreeSet<&str>) -> Vec<String> {
    let gaps = |s: &Side<'_>| -> BTreeSet<String> {
        let all = needs.iter().flat_map(|n| s.recording.gaps_of(n));
        all.map(|g| plain(s.recording, &g.to_string())).collect()
    };
    let (gone, added) = differing(&gaps(old), &gaps(new));
    let told = |when: &'static str| move |gap: String| format!("not looked at {when}: {gap}");
    gone.into_iter().map(told("before")).chain(added.into_iter().map(told("now"))).collect()
}
