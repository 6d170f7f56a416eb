//! The judging algebra: verdicts, and the only three ways to come to one.
use super::evidence::{Extent, Known, Seen};
use crate::model::{Gap, Shared, Subject};
use std::collections::BTreeSet;

/// As many lines tell what was seen; the rest is counted. What each line rests on is cited, however many there are.
pub const MOST_TOLD: usize = 100;

/// Ordered so that `max` means "all must hold".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Pass,
    Inconclusive,
    Fail,
}

/// A verdict with its grounds. No constructor without a citation or a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    verdict: Verdict,
    observed: Vec<String>,
    cites: BTreeSet<Shared>,
    subjects: BTreeSet<Subject>,
    gaps: BTreeSet<Gap>,
}

/// What a check comes to. `Absent` says that we looked everywhere and there is nothing to judge:
/// it is evidence about the device, never a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Judged(Judgement),
    Absent { looked: BTreeSet<String>, what: String },
}

/// What a check says of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    Good(String),
    Bad(String),
    Unclear(String),
}

impl Point {
    fn split(self) -> (Verdict, String) {
        match self {
            Self::Good(s) => (Verdict::Pass, s),
            Self::Bad(s) => (Verdict::Fail, s),
            Self::Unclear(s) => (Verdict::Inconclusive, s),
        }
    }
}

impl Judgement {
    fn new(verdict: Verdict) -> Self {
        let (observed, cites, subjects, gaps) = Default::default();
        Self { verdict, observed, cites, subjects, gaps }
    }

    /// Undecided for want of something that we did not do or were not given.
    pub fn missing(gap: Gap, observed: String) -> Self {
        let mut j = Self::new(Verdict::Inconclusive);
        j.gaps.insert(gap);
        j.observed.push(observed);
        j
    }

    pub fn verdict(&self) -> Verdict {
        self.verdict
    }
    pub fn observed(&self) -> &[String] {
        &self.observed
    }
    pub fn cites(&self) -> impl Iterator<Item = &Shared> {
        self.cites.iter()
    }
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.subjects.iter()
    }
    pub fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.iter()
    }

    /// A PASS needs the whole to have been looked at; gaps withhold it.
    fn withheld_by(mut self, extent: &Extent) -> Self {
        match extent {
            Extent::Complete(looked) => self.cites.extend(looked.iter().map(|id| Shared::from(id.as_str()))),
            Extent::Partial(gaps) => {
                self.gaps.extend(gaps.iter().cloned());
                self.verdict = self.verdict.max(Verdict::Inconclusive);
            }
        }
        self
    }
}

/// What one verdict rests on, gathered item by item. Sets are made of the whole at once: one by one takes long where a
/// device left a hundred thousand.
struct Grounds<'k> {
    verdict: Verdict,
    observed: Vec<String>,
    /// All that was said, so that the same words are said once.
    told: BTreeSet<String>,
    cites: Vec<&'k Shared>,
    subjects: Vec<&'k Subject>,
}

impl<'k> Grounds<'k> {
    fn new(verdict: Verdict) -> Self {
        let (observed, told, cites, subjects) = Default::default();
        Self { verdict, observed, told, cites, subjects }
    }

    /// The grounds of the verdict that `beats` all others among the items.
    fn of<T>(
        known: &'k Known<T>,
        judge: impl Fn(&Seen<T>) -> Point,
        beats: fn(&Verdict, &Verdict) -> bool,
    ) -> Option<Self> {
        let mut found: Option<Self> = None;
        for seen in known.items() {
            let (verdict, words) = judge(seen).split();
            if found.as_ref().is_none_or(|f| beats(&verdict, &f.verdict)) {
                found = Some(Self::new(verdict));
            }
            if let Some(grounds) = found.as_mut().filter(|f| f.verdict == verdict) {
                grounds.take(seen, words);
            }
        }
        found
    }

    fn take<T>(&mut self, seen: &'k Seen<T>, words: String) {
        self.cites.push(seen.cite());
        if self.subjects.last() != Some(&seen.subject()) {
            self.subjects.push(seen.subject());
        }
        if self.told.contains(&words) {
            return;
        }
        if self.observed.len() < MOST_TOLD {
            self.observed.push(words.clone());
        }
        self.told.insert(words);
    }

    fn judgement(mut self) -> Judgement {
        let more = self.told.len().saturating_sub(MOST_TOLD);
        self.observed.extend((more > 0).then(|| format!("and {more} more")));
        Judgement {
            verdict: self.verdict,
            observed: self.observed,
            cites: self.cites.into_iter().cloned().collect(),
            subjects: self.subjects.into_iter().cloned().collect(),
            gaps: BTreeSet::new(),
        }
    }
}

/// PASS: all pass, and all was seen. FAIL: any fails. Nothing to judge is never a pass.
pub fn every<T>(known: &Known<T>, what: &str, judge: impl Fn(&Seen<T>) -> Point) -> Decision {
    let Some(worst) = Grounds::of(known, judge, Verdict::gt) else { return nothing(known, what) };
    Decision::Judged(worst.judgement().withheld_by(known.extent()))
}

/// PASS: any passes. FAIL: none passes, and all was seen.
pub fn some<T>(known: &Known<T>, what: &str, judge: impl Fn(&Seen<T>) -> Point) -> Decision {
    let Some(best) = Grounds::of(known, judge, Verdict::lt) else { return nothing(known, what) };
    let mut out = best.judgement();
    if out.verdict == Verdict::Pass {
        return Decision::Judged(out);
    }
    if let Extent::Partial(gaps) = known.extent() {
        out.gaps.extend(gaps.iter().cloned());
        out.verdict = Verdict::Inconclusive;
    }
    Decision::Judged(out)
}

/// PASS: all was seen and nothing matches (cites the look itself). FAIL: any matches.
pub fn none<T>(known: &Known<T>, absent: &str, bad: impl Fn(&Seen<T>) -> Option<String>) -> Decision {
    let mut grounds = Grounds::new(Verdict::Fail);
    for seen in known.items() {
        if let Some(words) = bad(seen) {
            grounds.take(seen, words);
        }
    }
    let mut out = grounds.judgement();
    if out.cites.is_empty() {
        out.verdict = Verdict::Pass;
        out.observed.push(absent.to_owned());
    }
    Decision::Judged(out.withheld_by(known.extent()))
}

fn nothing<T>(known: &Known<T>, what: &str) -> Decision {
    match known.extent() {
        Extent::Complete(looked) => Decision::Absent { looked: looked.clone(), what: what.to_owned() },
        Extent::Partial(gaps) => {
            let mut j = Judgement::new(Verdict::Inconclusive);
            j.gaps.extend(gaps.iter().cloned());
            j.observed.push(format!("{what} so far, but not everything was looked at"));
            Decision::Judged(j)
        }
    }
}
