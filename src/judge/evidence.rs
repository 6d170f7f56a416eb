//! A recording and declarations, asked questions. Completeness is transitive: "all TLS endpoints" is
//! complete only if the TLS probe and every probe that found its subjects finished.
use super::beside::{Beside, Side};
use crate::model::{Gap, Ics, Ixit, Record, Recording, Shared, State, Subject, Vantage, Why, declarations::Entry};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// One thing seen, with the record that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen<T> {
    pub what: T,
    subject: Subject,
    cite: Shared,
}

impl<T> Seen<T> {
    pub fn subject(&self) -> &Subject {
        &self.subject
    }
    pub fn cite(&self) -> &Shared {
        &self.cite
    }
}

/// How much of what there is to see was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The runs that looked.
    Complete(BTreeSet<String>),
    Partial(BTreeSet<Gap>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<T> {
    items: Vec<Seen<T>>,
    extent: Extent,
}

impl<T> Known<T> {
    pub fn items(&self) -> &[Seen<T>] {
        &self.items
    }
    pub fn extent(&self) -> &Extent {
        &self.extent
    }

    /// Both together; complete only if both are.
    pub fn and(mut self, other: Self) -> Self {
        if self.items.is_empty() {
            self.items = other.items;
        } else {
            self.items.extend(other.items);
        }
        self.extent = match (self.extent, other.extent) {
            (Extent::Complete(mut a), Extent::Complete(b)) => {
                a.extend(b);
                Extent::Complete(a)
            }
            (Extent::Partial(mut a), Extent::Partial(b)) => {
                a.extend(b);
                Extent::Partial(a)
            }
            (Extent::Partial(a), Extent::Complete(_)) | (Extent::Complete(_), Extent::Partial(a)) => Extent::Partial(a),
        };
        self
    }

    /// The items that `keep` keeps, seen to the same extent.
    pub fn only(mut self, keep: impl Fn(&T) -> bool) -> Self {
        self.items.retain(|s| keep(&s.what));
        self
    }

    /// The same without something that nobody recorded.
    pub fn lacking(mut self, gap: Gap) -> Self {
        self.extent = match self.extent {
            Extent::Complete(_) => Extent::Partial(BTreeSet::from([gap])),
            Extent::Partial(mut gaps) => {
                gaps.insert(gap);
                Extent::Partial(gaps)
            }
        };
        self
    }

    /// Other words for the same things, seen to the same extent.
    pub fn map<U>(self, of: impl Fn(T) -> U) -> Known<U> {
        let items = self.items.into_iter().map(|s| Seen { what: of(s.what), subject: s.subject, cite: s.cite });
        Known { items: items.collect(), extent: self.extent }
    }

    #[cfg(test)]
    pub fn for_test(items: Vec<T>, gaps: Vec<Gap>) -> Self {
        let seen = |(n, what)| Seen { what, subject: Subject::Device, cite: format!("r{n}").into() };
        let extent = match gaps.is_empty() {
            true => Extent::Complete(BTreeSet::from(["p1".to_owned()])),
            false => Extent::Partial(gaps.into_iter().collect()),
        };
        Self { items: items.into_iter().enumerate().map(seen).collect(), extent }
    }
}

/// What a check may ask.
pub struct Evidence<'a> {
    seen: Arc<Index<'a>>,
    /// Recordings of further samples of the same model.
    others: Vec<Arc<Index<'a>>>,
    /// The same device as it came from the factory.
    factory: Option<Arc<Index<'a>>>,
    /// The same device from other sides.
    sides: Vec<Arc<Index<'a>>>,
    /// Set where this is not the recording that was named first: what its records are cited by.
    side: Option<Side>,
    pub ics: Option<&'a Ics>,
    pub ixit: Option<&'a Ixit>,
}

impl<'a> Evidence<'a> {
    pub fn new(recording: &'a Recording, ics: Option<&'a Ics>, ixit: Option<&'a Ixit>) -> Self {
        Self::of(Index::of(recording), ics, ixit)
    }

    fn of(seen: Arc<Index<'a>>, ics: Option<&'a Ics>, ixit: Option<&'a Ixit>) -> Self {
        Self { seen, others: Vec::new(), factory: None, sides: Vec::new(), side: None, ics, ixit }
    }

    /// With further samples of the same model, for the checks that compare them. All other checks judge the first alone.
    pub fn with_samples(self, others: &'a [Recording]) -> Self {
        Self { others: others.iter().map(Index::of).collect(), ..self }
    }

    /// With a recording of the same device in its factory state, for the checks that compare the two.
    pub fn with_factory(self, factory: Option<&'a Recording>) -> Self {
        Self { factory: factory.map(Index::of), ..self }
    }

    /// With recordings of the same device from other sides. All checks but those that ask for sides judge the first alone.
    pub fn with_sides(self, sides: &'a [Recording]) -> Self {
        Self { sides: sides.iter().map(Index::of).collect(), ..self }
    }

    /// With everything that is judged beside the first recording.
    pub fn beside(self, beside: &'a Beside) -> Self {
        self.with_samples(&beside.samples).with_factory(beside.factory.as_ref()).with_sides(&beside.sides)
    }

    /// Every recording of this device after its set-up or in its factory state from other sides than this one, each by
    /// itself. Evidence and gaps are named after it: `wan:r17`.
    pub fn other_sides(&self) -> impl Iterator<Item = Evidence<'a>> {
        let (ics, ixit) = (self.ics, self.ixit);
        let one = move |r: Arc<Index<'a>>| Evidence { side: Some(Side::of(r.recording)), ..Evidence::of(r, ics, ixit) };
        self.sides.clone().into_iter().map(one)
    }

    /// Every recording from `vantage`, this one included, each by itself.
    pub fn from_side(&self, vantage: Vantage) -> Vec<Evidence<'a>> {
        let this = Evidence { side: self.side, ..Evidence::of(self.seen.clone(), self.ics, self.ixit) };
        std::iter::once(this).chain(self.other_sides()).filter(|e| e.vantage() == vantage).collect()
    }

    /// From where this recording was made, and in which state the device was.
    pub fn side(&self) -> Side {
        Side::of(self.seen.recording)
    }

    pub fn is_factory_state(&self) -> bool {
        self.side().state == State::Factory
    }

    pub fn has_factory_state(&self) -> bool {
        self.factory.is_some()
    }

    /// What `probe` saw in the factory state, if that was recorded. Evidence and gaps are named after it: `factory:r17`.
    pub fn in_factory_state<T>(&self, probe: &str, pick: impl Fn(&'a Record) -> Option<T>) -> Option<Known<T>> {
        let known = self.factory.as_ref()?.known(probe, None, &pick);
        Some(named(known, "factory", "factory state"))
    }

    /// How many samples there are.
    pub fn samples(&self) -> usize {
        1 + self.others.len()
    }

    /// From which side the device was looked at.
    pub fn vantage(&self) -> Vantage {
        self.seen.recording.header.scope.vantage
    }

    /// What `probe` saw of every sample, each with the sample's number from 1. Evidence and gaps of further samples are
    /// named after them: `s2:r17`.
    pub fn sampled<T>(&self, probe: &str, pick: impl Fn(&'a Record) -> Option<T>) -> Known<(usize, T)> {
        let mut all = self.seen.known(probe, None, &pick).map(|what| (1, what));
        for (sample, other) in (2..).zip(&self.others) {
            let known = other.known(probe, None, &pick).map(|what| (sample, what));
            all = all.and(named(known, &format!("s{sample}"), &format!("sample {sample}")));
        }
        all
    }

    /// The entries of a table of the IXIT, each cited as `ixit:TABLE:ENTRY`. None: the table was not supplied.
    pub fn declared(&self, table: &str) -> Option<Known<&'a Entry>> {
        let one = |e: &'a Entry| Seen {
            what: e,
            subject: Subject::Device,
            cite: format!("ixit:{table}:{}", e.name()).into(),
        };
        let items = self.ixit?.declared(table)?.into_iter().map(one).collect();
        Some(Known { items, extent: Extent::Complete(BTreeSet::from([format!("ixit:{table}")])) })
    }

    /// Whether `probe` never looked, because it was not in the plan, more than the scope grants, or in want of something
    /// that nobody supplied.
    pub fn never_tried(&self, probe: &str) -> bool {
        let looked = self.seen.of_probe.contains_key(probe);
        let gaps = self.seen.recording.gaps_of(probe);
        !looked
            && !gaps.is_empty()
            && gaps.iter().all(|g| matches!(g.why, Why::TooIntrusive | Why::NotRun | Why::NotSupplied))
    }

    /// The time of the recording: what "now" means to a check.
    pub fn as_of(&self) -> &'a str {
        self.seen.recording.as_of()
    }

    /// What `probe` saw, as far as `pick` picks it.
    pub fn known<T>(&self, probe: &str, pick: impl Fn(&'a Record) -> Option<T>) -> Known<T> {
        self.known_of(probe, None, pick)
    }

    /// Nothing of what `probe` saw, only how far it looked.
    pub fn looked<T>(&self, probe: &str) -> Known<T> {
        let known = Known { items: Vec::new(), extent: self.seen.extent(probe, None) };
        match self.side {
            Some(side) => named(known, &side.short(), &side.to_string()),
            None => known,
        }
    }

    /// As [`Self::known`], but gaps that the probe marked with another topic (`probe:topic`) do not count.
    pub fn known_of<T>(&self, probe: &str, topic: Option<&str>, pick: impl Fn(&'a Record) -> Option<T>) -> Known<T> {
        let known = self.seen.known(probe, topic, &pick);
        match self.side {
            Some(side) => named(known, &side.short(), &side.to_string()),
            None => known,
        }
    }
}

/// What another recording shows, so that nobody takes it for this one's.
fn named<T>(mut known: Known<T>, short: &str, long: &str) -> Known<T> {
    for item in &mut known.items {
        item.cite = format!("{short}:{}", item.cite).into();
    }
    known.extent = match known.extent {
        Extent::Complete(runs) => Extent::Complete(runs.iter().map(|r| format!("{short}:{r}")).collect()),
        Extent::Partial(gaps) => {
            let named = |g: Gap| Gap { wanted: format!("{long}: {}", g.wanted), ..g };
            Extent::Partial(gaps.into_iter().map(named).collect())
        }
    };
    known
}

/// A recording with its records in the order in which checks see them, so that no question walks or sorts all of them.
struct Index<'a> {
    recording: &'a Recording,
    /// By subject, then as they were made; probes that recorded something.
    of_probe: BTreeMap<&'a str, Vec<&'a Record>>,
}

impl<'a> Index<'a> {
    fn of(recording: &'a Recording) -> Arc<Self> {
        let mut of_probe: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for run in recording.runs.iter().filter(|r| !r.records.is_empty()) {
            of_probe.entry(&run.probe).or_default().extend(&run.records);
        }
        for records in of_probe.values_mut() {
            // Ids rise as they are made, mostly: this finds them in order, and the other keeps them so.
            records.sort_by(|a, b| natural(&a.id).cmp(&natural(&b.id)));
            records.sort_by_cached_key(|r| r.subject.clone());
        }
        Arc::new(Self { recording, of_probe })
    }

    fn known<T>(&self, probe: &str, topic: Option<&str>, pick: &impl Fn(&'a Record) -> Option<T>) -> Known<T> {
        let records = self.of_probe.get(probe).into_iter().flatten();
        let items = records
            .filter_map(|r| Some(Seen { what: pick(r)?, subject: r.subject.clone(), cite: r.id.clone() }))
            .collect();
        Known { items, extent: self.extent(probe, topic) }
    }

    fn extent(&self, probe: &str, topic: Option<&str>) -> Extent {
        let (gaps, looked, seen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let mut up = Upstream { recording: self.recording, topic, gaps, looked, seen };
        up.follow(probe);
        if up.gaps.is_empty() { Extent::Complete(up.looked) } else { Extent::Partial(up.gaps) }
    }
}

/// A probe and all that found its subjects.
struct Upstream<'a> {
    recording: &'a Recording,
    topic: Option<&'a str>,
    gaps: BTreeSet<Gap>,
    looked: BTreeSet<String>,
    seen: BTreeSet<String>,
}

impl Upstream<'_> {
    fn follow(&mut self, probe: &str) {
        if !self.seen.insert(probe.to_owned()) {
            return;
        }
        let counts = |g: &Gap| match (self.topic, g.wanted.split_once(':')) {
            (Some(want), Some((_, of))) => of == want,
            (Some(_) | None, _) => true,
        };
        self.gaps.extend(self.recording.gaps_of(probe).into_iter().filter(counts));
        if let Some(run) = self.recording.run_of(probe) {
            self.looked.insert(run.id.to_string());
            for from in &run.subjects_from {
                self.follow(from);
            }
        }
    }
}

/// `r9` before `r10`.
pub fn natural(id: &str) -> (usize, &str) {
    (id.len(), id)
}
