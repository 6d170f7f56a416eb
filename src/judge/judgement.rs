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

    /// What was seen, each in words of its own. Sets are made of the whole at once: one by one takes long where a device
    /// left a hundred thousand.
    fn grounded<'k, T: 'k>(verdict: Verdict, points: impl Iterator<Item = (&'k Seen<T>, String)>) -> Self {
        let (seen, observed): (Vec<_>, Vec<_>) = points.unzip();
        let cites = seen.iter().map(|s| s.cite().clone()).collect();
        let subjects = seen.iter().map(|s| s.subject().clone()).collect();
        let all = Self { verdict, observed, cites, subjects, gaps: BTreeSet::new() };
        all.told_once()
    }

    /// The same words are said once, and no more than anybody reads.
    fn told_once(mut self) -> Self {
        let mut told = BTreeSet::new();
        let all: Vec<&String> = self.observed.iter().filter(|words| told.insert(words.as_str())).collect();
        let mut lines: Vec<String> = all.iter().take(MOST_TOLD).map(ToString::to_string).collect();
        let more = all.len().saturating_sub(MOST_TOLD);
        lines.extend((more > 0).then(|| format!("and {more} more")));
        self.observed = lines;
        self
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

/// PASS: all pass, and all was seen. FAIL: any fails. Nothing to judge is never a pass.
pub fn every<T>(known: &Known<T>, what: &str, judge: impl Fn(&Seen<T>) -> Point) -> Decision {
    let points: Vec<_> = known.items().iter().map(|s| (s, judge(s).split())).collect();
    let worst = points.iter().map(|(_, (v, _))| *v).max();
    let Some(worst) = worst else { return nothing(known, what) };
    let points =
        points.into_iter().filter(|(_, (verdict, _))| *verdict == worst).map(|(seen, (_, words))| (seen, words));
    Decision::Judged(Judgement::grounded(worst, points).withheld_by(known.extent()))
}

/// PASS: any passes. FAIL: none passes, and all was seen.
pub fn some<T>(known: &Known<T>, what: &str, judge: impl Fn(&Seen<T>) -> Point) -> Decision {
    let points: Vec<_> = known.items().iter().map(|s| (s, judge(s).split())).collect();
    let Some(best) = points.iter().map(|(_, (v, _))| *v).min() else { return nothing(known, what) };
    let points =
        points.into_iter().filter(|(_, (verdict, _))| *verdict == best).map(|(seen, (_, words))| (seen, words));
    let mut out = Judgement::grounded(best, points);
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
    let bad = known.items().iter().filter_map(|seen| Some((seen, bad(seen)?)));
    let mut out = Judgement::grounded(Verdict::Fail, bad);
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
