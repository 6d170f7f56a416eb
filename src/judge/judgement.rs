//! The judging algebra: verdicts, and the only three ways to come to one.
use super::evidence::{Extent, Known, Seen};
use crate::model::{Gap, Subject};
use std::collections::BTreeSet;

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
    cites: BTreeSet<String>,
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
    pub fn cites(&self) -> impl Iterator<Item = &String> {
        self.cites.iter()
    }
    pub fn subjects(&self) -> impl Iterator<Item = &Subject> {
        self.subjects.iter()
    }
    pub fn gaps(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.iter()
    }

    fn add<T>(&mut self, seen: &Seen<T>, observed: String) {
        self.cites.insert(seen.cite().to_owned());
        self.subjects.insert(seen.subject().clone());
        self.observed.push(observed);
    }

    /// The same words are said once.
    fn told_once(mut self) -> Self {
        let mut told = BTreeSet::new();
        self.observed.retain(|words| told.insert(words.clone()));
        self
    }

    /// A PASS needs the whole to have been looked at; gaps withhold it.
    fn withheld_by(mut self, extent: &Extent) -> Self {
        match extent {
            Extent::Complete(looked) => self.cites.extend(looked.iter().cloned()),
            Extent::Partial(gaps) => {
                self.gaps.extend(gaps.iter().cloned());
                self.verdict = self.verdict.max(Verdict::Inconclusive);
            }
        }
        self
    }
}

/// PASS: all pass, and all was seen. FAIL: any fails. Nothing to judge is never a pass.
pub fn every<T>(known: &Known<T>, what: &str, judge: impl Fn(&Seen<T>) -> Point) -> Decision {
    let mut out = Judgement::new(Verdict::Pass);
    let points: Vec<_> = known.items().iter().map(|s| (s, judge(s).split())).collect();
    let worst = points.iter().map(|(_, (v, _))| *v).max();
    let Some(worst) = worst else { return nothing(known, what) };
    out.verdict = worst;
    for (seen, (verdict, observed)) in points {
        if verdict == worst {
            out.add(seen, observed);
        }
    }
    Decision::Judged(out.told_once().withheld_by(known.extent()))
}

/// PASS: any passes. FAIL: none passes, and all was seen.
pub fn some<T>(known: &Known<T>, what: &str, judge: impl Fn(&Seen<T>) -> Point) -> Decision {
    let points: Vec<_> = known.items().iter().map(|s| (s, judge(s).split())).collect();
    let Some(best) = points.iter().map(|(_, (v, _))| *v).min() else { return nothing(known, what) };
    let mut out = Judgement::new(best);
    for (seen, (verdict, observed)) in points {
        if verdict == best {
            out.add(seen, observed);
        }
    }
    let mut out = out.told_once();
    if best == Verdict::Pass {
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
    let mut out = Judgement::new(Verdict::Pass);
    for seen in known.items() {
        if let Some(observed) = bad(seen) {
            out.verdict = Verdict::Fail;
            out.add(seen, observed);
        }
    }
    if out.verdict == Verdict::Pass {
        out.observed.push(absent.to_owned());
    }
    Decision::Judged(out.told_once().withheld_by(known.extent()))
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
