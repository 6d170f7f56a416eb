//! What changed between two assessments of a device, and why. Pure; both sides are judged by this version.
//!
//! A verdict that changed has a cause: the *question* (profile or declarations), when the old evidence under
//! the new question gives the new verdict already; *unstable* evidence, when one recording disagrees with itself;
//! the *instrument*, when a probe of it is of another version or did not look at the same; else the *device*.
use crate::judge::{
    Assessment, Inputs, Profile, assess,
    assess::{CheckRow, Outcome, Read},
    check,
};
use crate::model::{Ics, Ixit, Observation, Recording, observation::clean};
use crate::report::words::words;
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

pub const SCHEMA: &str = "diff/1";

/// One side: what was seen, what was declared, and under which profiles it was judged.
pub struct Side<'a> {
    pub recording: &'a Recording,
    pub ics: Option<&'a Read<Ics>>,
    pub ixit: Option<&'a Read<Ixit>>,
    pub profiles: &'a [Profile],
    pub assessments: &'a [Assessment],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    Device,
    Question,
    Instrument,
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
    pub facts: Facts,
    pub verdicts: Vec<Change>,
}

/// Facts of one side only. What changed its value is gone with the old and added with the new one.
#[derive(Debug, Default, Serialize)]
pub struct Facts {
    pub gone: Vec<String>,
    pub added: Vec<String>,
}

/// A check whose verdict is another one.
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
        let asked = assess(&Inputs { recording: old.recording, ics: new.ics, ixit: new.ixit }, profile);
        out.verdicts.extend(changes(old, new, (a, b), &asked));
    }
    let same = out.verdicts.is_empty()
        && out.question.is_empty()
        && out.facts.gone.is_empty()
        && out.facts.added.is_empty()
        && out.instrument.is_empty();
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
            if find(asked, id) == is { (Cause::Question, question(old, new)) } else { cause(old, new, id) };
        let word = |o: Option<Outcome>| o.map_or("not judged", Outcome::word);
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
fn cause(old: &Side<'_>, new: &Side<'_>, id: &str) -> (Cause, Vec<String>) {
    let needs: BTreeSet<&str> = check::find(id).map(|c| c.needs.iter().copied().collect()).unwrap_or_default();
    let shaky = unstable(old.recording, &needs).into_iter().chain(unstable(new.recording, &needs));
    let shaky: Vec<String> = shaky.collect();
    if !shaky.is_empty() {
        return (Cause::Unstable, shaky);
    }
    let (gone, added) = differing(&facts(old.recording, Some(&needs)), &facts(new.recording, Some(&needs)));
    let probes = versions(old, new, Some(&needs));
    if !probes.is_empty() {
        return (Cause::Instrument, probes);
    }
    let label = |sign: char| move |fact: String| format!("{sign} {fact}");
    let facts: Vec<String> = gone.into_iter().map(label('-')).chain(added.into_iter().map(label('+'))).collect();
    if facts.is_empty() { (Cause::Instrument, looked(old, new, &needs)) } else { (Cause::Device, facts) }
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

/// What was asked differently.
fn question(old: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let mut out = Vec::new();
    let texts = |s: &Side<'_>| -> BTreeMap<String, String> {
        s.assessments
            .iter()
            .map(|a| (a.profile.id.clone(), format!("{} level {}", a.profile.sha256, a.profile.level)))
            .collect()
    };
    let (a, b) = (texts(old), texts(new));
    for id in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
        match (a.get(id), b.get(id)) {
            (Some(x), Some(y)) if x != y => out.push(format!("profile `{id}` is another text or level")),
            (Some(_), None) => out.push(format!("profile `{id}` is judged no longer")),
            (None, Some(_)) => out.push(format!("profile `{id}` was not judged before")),
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
    if old.ics.map(|r| &r.digest) != new.ics.map(|r| &r.digest) {
        out.push("the ICS is another one".to_owned());
    }
    if old.ixit.map(|r| &r.digest) != new.ixit.map(|r| &r.digest) {
        out.push("the IXIT is another one".to_owned());
    }
    out
}

/// What was looked with.
fn instrument(old: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let tool = |s: &Side<'_>| format!("{} {}", s.recording.header.tool.name, s.recording.header.tool.version);
    let mut out = versions(old, new, None);
    if tool(old) != tool(new) {
        out.insert(0, format!("scanned by {} instead of {}", tool(new), tool(old)));
    }
    out
}

/// Probes whose version is another one.
fn versions(old: &Side<'_>, new: &Side<'_>, of: Option<&BTreeSet<&str>>) -> Vec<String> {
    let mut out = Vec::new();
    for probe in old.recording.header.plan.iter().filter(|p| of.is_none_or(|of| of.contains(p.as_str()))) {
        let version = |s: &Side<'_>| s.recording.run_of(probe).map(|r| r.version);
        if let (Some(a), Some(b)) = (version(old), version(new))
            && a != b
        {
            out.push(format!("probe `{probe}` is of version {b} instead of {a}"));
        }
    }
    out
}

/// Facts that two finished runs of one probe in one recording do not agree on.
fn unstable(recording: &Recording, needs: &BTreeSet<&str>) -> Vec<String> {
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut out = BTreeSet::new();
    for run in recording.runs.iter().filter(|r| r.finished.is_some() && needs.contains(r.probe.as_str())) {
        let facts: BTreeSet<String> = run.records.iter().filter_map(|r| fact(recording, r)).collect();
        if let Some(before) = seen.insert(&run.probe, facts.clone()) {
            let (gone, added) = differing(&before, &facts);
            out.extend(gone.into_iter().chain(added).map(|f| format!("not seen each time: {f}")));
        }
    }
    out.into_iter().collect()
}

/// Everything that the runs which stand for their probes saw, as text.
fn facts(recording: &Recording, of: Option<&BTreeSet<&str>>) -> BTreeSet<String> {
    let probes: BTreeSet<&str> = recording.runs.iter().map(|r| r.probe.as_str()).collect();
    let chosen = probes.into_iter().filter(|p| of.is_none_or(|of| of.contains(p)));
    let runs = chosen.filter_map(|p| recording.run_of(p));
    runs.flat_map(|r| &r.records).filter_map(|r| fact(recording, r)).collect()
}

/// An observation about a subject, without what differs each time that we look: that it answered then, and
/// which ports a control happened to ask.
fn fact(recording: &Recording, record: &crate::model::Record) -> Option<String> {
    let said = if let Observation::WildcardControl { asked, accepted } = &record.observation {
        format!("of {} ports that nothing should serve, {} accepted", asked.len(), accepted.len())
    } else if matches!(record.observation, Observation::Alive { .. }) {
        return None;
    } else {
        words(&record.observation)
    };
    Some(plain(recording, &format!("{}: {said}", record.subject)))
}

/// A host is named by its place in the scan: it may have another address on another day.
fn plain(recording: &Recording, text: &str) -> String {
    let mut text = clean(text, usize::MAX);
    for (n, host) in recording.header.hosts.iter().enumerate() {
        text = text.replace(&host.to_string(), &format!("host{}", n + 1));
    }
    text
}

fn differing(old: &BTreeSet<String>, new: &BTreeSet<String>) -> (Vec<String>, Vec<String>) {
    (old.difference(new).cloned().collect(), new.difference(old).cloned().collect())
}

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
    for (head, lines) in
        [("question", diff.question.clone()), ("instrument", diff.instrument.clone()), ("facts", facts.collect())]
    {
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
        let _ = writeln!(out, "  {} {}: {} -> {} (cause: {cause}{worse})", v.profile, v.check, v.old, v.new);
        for b in &v.because {
            let _ = writeln!(out, "      {b}");
        }
    }
    out
}
