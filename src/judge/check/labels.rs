//! The passwords on the labels of several devices: not made from what the label tells, of no regularity, and as declared.
use super::{
    Check, EntryRow, Judge, Proves, Severity, bind,
    common::{looked, not_declared},
};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record,
    declarations::Entry,
    observation::labels::{Characters, Found, Labels},
};
use serde::Deserialize;
use std::collections::BTreeSet;

const PROBE: &str = "label-passwords";
const TABLE: &str = "1-AuthMech";
const NO_PRESET: &str = "no mechanism has a password of the maker's";
const LENGTH: &str = "x-password-length";
const CHARACTERS: &str = "x-password-characters";

pub const DERIVABLE: Check = Check {
    id: "dev-password-derivable",
    title: "Factory passwords are not made from what the label tells",
    page: include_str!("dev_password_derivable.md"),
    expected: "no way to make a password from the rest of its label",
    remedy: "draw each password at random in production, from nothing else",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &[PROBE],
    bind: bind::<Derivable>,
};

pub const PATTERN: Check = Check {
    id: "dev-password-pattern",
    title: "Factory passwords show no regularity and leave room enough",
    page: include_str!("dev_password_pattern.md"),
    expected: "no counter, date, word or part in common, and as many bits as the scheme asks for",
    remedy: "draw longer passwords at random, each character by itself",
    severity: Severity::High,
    bind: bind::<Pattern>,
    ..DERIVABLE
};

pub const DECLARED: Check = Check {
    id: "dev-password-as-declared",
    title: "Factory passwords are those of the declared generator",
    page: include_str!("dev_password_as_declared.md"),
    expected: "each label's password has the declared length and kinds of characters, and all of these occur",
    remedy: "correct the generator, or table 1-AuthMech",
    severity: Severity::Medium,
    pass: Proves::Full,
    bind: bind::<AsDeclared>,
    ..DERIVABLE
};

fn ten() -> u32 {
    10
}

fn forty() -> u32 {
    40
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Derivable {
    /// Labels that a PASS needs.
    #[serde(default = "ten")]
    pub samples: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    /// Labels that a PASS needs.
    #[serde(default = "ten")]
    pub samples: u32,
    /// What the generator must have at least.
    #[serde(default = "forty")]
    pub bits: u32,
}

impl Derivable {
    pub fn point(&self, labels: &Labels) -> Point {
        if labels.public.is_empty() {
            let why = "no column tells what anybody may read (mac, serial, ssid); nothing was compared";
            return Point::Unclear(why.to_owned());
        }
        let good = format!("none of {} ways to make one from the label gives a password", labels.ways);
        settle(labels, &labels.derived, None, good, self.samples)
    }
}

impl Pattern {
    pub fn point(&self, labels: &Labels) -> Point {
        let few = (labels.bits_at_most < self.bits)
            .then(|| format!("{} bits at most, where {} are needed", labels.bits_at_most, self.bits));
        settle(labels, &labels.regular, few, "no regularity".to_owned(), self.samples)
    }
}

/// What is found is bad; nothing found is good only over enough labels.
fn settle(labels: &Labels, found: &Found, more: Option<String>, good: String, needed: u32) -> Point {
    let bad: Vec<String> = found.certain.iter().cloned().chain(more).collect();
    let needed = needed.max(2);
    match (bad.is_empty(), found.doubtful.is_empty()) {
        (false, _) => Point::Bad(bad.join("; ")),
        (true, false) => Point::Unclear(found.doubtful.join("; ")),
        (true, true) if labels.samples < needed => {
            Point::Unclear(format!("{good} in {} of the {needed} samples that are needed", labels.samples))
        }
        (true, true) => Point::Good(format!("{good} in {} samples", labels.samples)),
    }
}

fn compared(record: &Record) -> Option<&Labels> {
    match &record.observation {
        Observation::LabelPasswords { labels } => Some(labels),
        _ => None,
    }
}

fn labels<'a>(evidence: &Evidence<'a>) -> Known<&'a Labels> {
    evidence.known(PROBE, compared)
}

/// All labels by one question. Where the maker declares that it sets no password there is nothing to compare.
fn judged(evidence: &Evidence<'_>, point: impl Fn(&Labels) -> Point) -> Decision {
    match preset(evidence).filter(|entries| entries.items().is_empty()) {
        Some(nothing) => every(&nothing, NO_PRESET, |_| Point::Unclear(String::new())),
        None => every(&labels(evidence), "no labels were compared", |seen| point(seen.what)),
    }
}

/// The entries whose password the maker sets.
fn preset<'a>(evidence: &Evidence<'a>) -> Option<Known<&'a Entry>> {
    Some(evidence.declared(TABLE)?.only(|e| generated(e)))
}

fn left(evidence: &Evidence<'_>) -> bool {
    evidence.never_tried(PROBE) && preset(evidence).is_none_or(|entries| !entries.items().is_empty())
}

impl Judge for Derivable {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        judged(evidence, |labels| self.point(labels))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        left(evidence)
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

impl Judge for Pattern {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        judged(evidence, |labels| self.point(labels))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        left(evidence)
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AsDeclared {}

impl Judge for AsDeclared {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = preset(evidence) else {
            return not_declared(TABLE, "nothing says how passwords are made".to_owned());
        };
        let all = labels(evidence);
        let all: Vec<&Labels> = all.items().iter().map(|s| s.what).collect();
        let entries = if entries.items().is_empty() { entries } else { entries.and(looked(evidence, PROBE)) };
        every(&entries, NO_PRESET, |seen| as_declared(seen.what, &all))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        left(evidence) || evidence.declared(TABLE).is_none()
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        let (Some(entries), false) = (preset(evidence), evidence.never_tried(PROBE)) else {
            return Vec::new();
        };
        let all = evidence.known(PROBE, |r| Some((&r.id, compared(r)?)));
        let cited = |name: &str| all.items().iter().filter(|s| of(name, s.what.1)).map(|s| s.what.0.clone()).collect();
        let rows: Vec<&Labels> = all.items().iter().map(|s| s.what.1).collect();
        let row = |entry: &Entry| EntryRow::of(TABLE, entry.name(), as_declared(entry, &rows), cited(&entry.name()));
        entries.items().iter().map(|seen| row(seen.what)).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE]
    }
}

/// Whether the maker sets its password.
fn generated(entry: &Entry) -> bool {
    !entry.text("password_generation").is_empty()
        || entry.number(LENGTH).is_some()
        || !entry.list(CHARACTERS).is_empty()
}

fn of(entry: &str, labels: &Labels) -> bool {
    labels.auth.as_deref() == Some(entry)
}

fn as_declared(entry: &Entry, all: &[&Labels]) -> Point {
    let name = entry.name();
    let Some(labels) = all.iter().find(|l| of(&name, l)) else {
        return Point::Unclear(format!("{name}: no labels were compared (`[[labels]]` with `auth = \"{name}\"`)"));
    };
    let length = entry.number(LENGTH).and_then(|n| u32::try_from(n).ok());
    let kinds: BTreeSet<&str> = entry.list(CHARACTERS).iter().map(String::as_str).collect();
    let (Some(length), false) = (length, kinds.is_empty()) else {
        return Point::Unclear(format!("{name}: {LENGTH} and {CHARACTERS} do not say what the generator makes"));
    };
    if (labels.shortest, labels.longest) != (length, length) {
        let (from, to) = (labels.shortest, labels.longest);
        return Point::Bad(format!("{name}: {from} to {to} characters, where {length} are declared"));
    }
    let seen: BTreeSet<&str> = labels.characters.iter().map(|c| c.word()).collect();
    let told = |some: &BTreeSet<&str>| some.iter().copied().collect::<Vec<_>>().join(", ");
    let extra: BTreeSet<&str> = seen.difference(&kinds).copied().collect();
    let missing: Vec<Characters> =
        Characters::ALL.into_iter().filter(|c| kinds.contains(c.word()) && !seen.contains(c.word())).collect();
    if !extra.is_empty() {
        return Point::Bad(format!("{name}: {}, which are not declared", told(&extra)));
    }
    // A kind that is declared and never seen: by chance in a few characters, not in many.
    let characters = labels.samples.saturating_mul(length);
    let alphabet: u32 = Characters::ALL.iter().filter(|c| kinds.contains(c.word())).map(|c| c.count()).sum();
    let chance = |c: &Characters| (1.0 - f64::from(c.count()) / f64::from(alphabet)).powf(f64::from(characters));
    match missing.iter().find(|c| chance(c) < 1e-6) {
        Some(c) => Point::Bad(format!("{name}: none of {characters} characters is of {}, as declared", c.word())),
        None if labels.samples < 2 => Point::Unclear(format!("{name}: one label proves little")),
        None => Point::Good(format!("{name}: {length} characters of {} in {} samples", told(&kinds), labels.samples)),
    }
}
