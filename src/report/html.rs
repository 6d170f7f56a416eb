//! The report for people: one page that needs no network, no script and no other file.
use super::{
    page::{CITED, Judged, Result as Checked, Tables, told},
    words::words,
};
use crate::judge::{
    Assessment,
    assess::{Outcome, RequirementRow, tool},
};
use crate::model::{
    Observation, Record, Recording,
    declarations::Laboratory,
    observation::{PortState, clean},
};
use minijinja::{Environment, Error, Output, State, UndefinedBehavior, Value, context, escape_formatter};
use serde::{Serialize, Serializer};
use thiserror::Error as ThisError;

/// Whether what is shown stands in a sealed bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Unsealed,
    Interim,
    Sealed,
}

#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    pub recording: &'a Recording,
    pub assessments: &'a [Assessment],
    pub standing: Standing,
    /// The bundle that this one replaces, and why.
    pub replaces: Option<(&'a str, &'a str)>,
    pub laboratory: Option<&'a Laboratory>,
}

#[derive(Debug, ThisError)]
#[error("the report could not be made: {0}; please report this")]
pub struct ReportError(pub(super) String);

impl From<Error> for ReportError {
    fn from(e: Error) -> Self {
        Self(e.to_string())
    }
}

/// The page. The same report gives the same bytes.
pub fn html(report: &Report<'_>) -> Result<String, ReportError> {
    let env = environment("report.html", include_str!("report.html.j2"))?;
    let recording = report.recording;
    let sections: Vec<Section<'_>> = report.assessments.iter().enumerate().map(|(n, a)| section(n + 1, a)).collect();
    let tables = Tables::of(recording, &sections);
    let gaps: Vec<String> = recording.gaps().iter().map(ToString::to_string).collect();
    Ok(env.get_template("report.html")?.render(context! {
        header => recording.header,
        scope => scope(recording),
        ended => recording.finished,
        as_of => recording.as_of(),
        recording_digest => recording.digest.to_string(),
        tool => tool(),
        standing => report.standing,
        replaces => report.replaces,
        laboratory => report.laboratory.map(Laboratory::rows).unwrap_or_default(),
        sections => sections,
        gaps => gaps,
        awaiting => sections.iter().map(|s| s.awaiting.len()).sum::<usize>(),
        inconclusive => sections.iter().map(|s| s.inconclusive.len()).sum::<usize>(),
        tables => tables,
        caption => tables.caption(),
        runs => runs(recording),
    })?)
}

/// One template of ours; a name that ends in `.html` switches escaping on.
pub(super) fn environment(name: &'static str, template: &'static str) -> Result<Environment<'static>, Error> {
    let mut env = Environment::new();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_trim_blocks(true);
    env.set_lstrip_blocks(true);
    env.set_keep_trailing_newline(true);
    env.set_formatter(cleaned);
    env.add_template(name, template)?;
    Ok(env)
}

/// Every value that is written passes here: hidden characters are shown as `.`, then it is escaped.
fn cleaned(out: &mut Output<'_>, state: &State<'_, '_>, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => escape_formatter(out, state, &Value::from(clean(text, usize::MAX))),
        _ => escape_formatter(out, state, value),
    }
}

#[derive(Serialize)]
pub(super) struct Section<'a> {
    number: usize,
    #[serde(serialize_with = "judged")]
    pub a: &'a Assessment,
    pub awaiting: Vec<&'a RequirementRow>,
    pub inconclusive: Vec<&'a RequirementRow>,
    pub bar: Vec<Segment>,
    pub total: usize,
    /// Rows of `a.results`, what fails first.
    #[serde(serialize_with = "checked")]
    pub results: Vec<&'a crate::judge::assess::CheckRow>,
}

fn judged<S: Serializer>(a: &Assessment, to: S) -> Result<S::Ok, S::Error> {
    Judged::of(a).serialize(to)
}

fn checked<S: Serializer>(rows: &[&crate::judge::assess::CheckRow], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(rows.iter().map(|r| Checked::of(r)))
}

/// A part of the bar of counts, in requirements.
#[derive(Serialize)]
pub(super) struct Segment {
    pub word: &'static str,
    from: usize,
    pub count: usize,
}

pub(super) fn section(number: usize, a: &Assessment) -> Section<'_> {
    let of = |outcome: Outcome| a.requirements.iter().filter(move |r| r.outcome == outcome).collect::<Vec<_>>();
    let c = &a.counts;
    let mut from = 0;
    let counted = [
        (Outcome::Fail, c.fail),
        (Outcome::Inconclusive, c.inconclusive),
        (Outcome::AwaitingAssessor, c.awaiting_assessor),
        (Outcome::Pass, c.pass),
        (Outcome::NotApplicable, c.not_applicable),
    ];
    let bar = counted.map(|(outcome, count)| {
        let segment = Segment { word: outcome.word(), from, count };
        from += count;
        segment
    });
    let mut results: Vec<_> = a.results.iter().collect();
    results
        .sort_by_key(|r| (counted.iter().position(|(o, _)| *o == r.verdict), std::cmp::Reverse(r.severity), r.check));
    Section {
        number,
        a,
        awaiting: of(Outcome::AwaitingAssessor),
        inconclusive: of(Outcome::Inconclusive),
        bar: bar.into(),
        total: a.requirements.len(),
        results,
    }
}

/// The scope in the words of its file.
pub(super) fn scope(recording: &Recording) -> Vec<(&'static str, String)> {
    let s = &recording.header.scope;
    let join = |nets: &[ipnet::IpNet]| nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let word = |v: Value| v.to_string();
    let mut rows = vec![
        ("Networks", join(&s.hosts)),
        ("Excluded", join(&s.excluded)),
        // A line may end after a comma, and not within a number.
        ("Ports", String::from(s.ports.clone()).replace(',', ", ")),
        ("Excluded ports", s.excluded_ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        ("Seen from", word(Value::from_serialize(s.vantage))),
        ("State", s.state.map_or_else(String::new, |state| state.word().to_owned())),
        ("Most intrusive step", word(Value::from_serialize(s.most))),
        ("Valid from", s.valid_from.clone().unwrap_or_default()),
        ("Valid to", s.valid_to.clone().unwrap_or_default()),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

#[derive(Serialize)]
pub(super) struct EndpointRow {
    pub subject: String,
    pub services: Vec<String>,
    pub evidence: Vec<String>,
    /// Records of it that are not named.
    pub more: usize,
}

/// What answered: endpoints that were open, with what they say that they are. The first so many, and how many more.
pub(super) fn endpoints(recording: &Recording, most: usize) -> (Vec<EndpointRow>, usize) {
    let answers = |r: &&Record| {
        matches!(r.observation, Observation::Service { .. } | Observation::Port { state: PortState::Open, .. })
    };
    let mut all: Vec<&Record> = recording.records().filter(answers).collect();
    all.sort_by_cached_key(|r| r.subject.clone());
    let rows = all.chunk_by(|a, b| a.subject == b.subject);
    let more = rows.clone().count().saturating_sub(most);
    (rows.take(most).map(endpoint).collect(), more)
}

fn endpoint(records: &[&Record]) -> EndpointRow {
    let said = records.iter().filter_map(|r| match &r.observation {
        Observation::Port { service, .. } => service.clone(),
        said => Some(words(said)),
    });
    EndpointRow {
        subject: records.first().map(|r| r.subject.to_string()).unwrap_or_default(),
        services: told(said.collect()),
        evidence: records.iter().take(CITED).map(|r| r.id.to_string()).collect(),
        more: records.len().saturating_sub(CITED),
    }
}

#[derive(Serialize)]
pub(super) struct RunRow {
    pub id: String,
    pub probe: String,
    pub started: String,
    pub finished: Option<String>,
    pub records: usize,
    pub gaps: usize,
}

/// Every execution of a probe: that we looked is evidence, too.
pub(super) fn runs(recording: &Recording) -> Vec<RunRow> {
    let row = |r: &crate::model::Run| RunRow {
        id: r.id.to_string(),
        probe: r.probe.clone(),
        started: r.started.clone(),
        finished: r.finished.clone(),
        records: r.records.len(),
        gaps: r.gaps.len(),
    };
    recording.runs.iter().map(row).collect()
}

#[derive(Serialize)]
pub(super) struct EvidenceRow {
    pub id: String,
    pub at: String,
    pub subject: String,
    pub words: String,
    pub transcript: String,
}

/// The records that `keep` keeps.
pub(super) fn evidence(recording: &Recording, keep: impl Fn(&Record) -> bool) -> Vec<EvidenceRow> {
    let row = |r: &Record| EvidenceRow {
        id: r.id.to_string(),
        at: r.at.to_string(),
        subject: r.subject.to_string(),
        words: words(&r.observation),
        transcript: r.transcript.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    recording.records().filter(|r| keep(r)).map(row).collect()
}
