//! A recording: what the device did, and what we did not manage to look at. JSON Lines, append-only.
//!
//! A line is complete or it is not there: a recording cut off at any byte can be read, and then says
//! by itself what is missing (the run that did not finish, the planned runs that never started).
use super::{digest::Sha256Digest, observation::Observation, scope::Scope, subject::Subject};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

pub const FORMAT: &str = "recording/1";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    pub name: String,
    pub version: String,
}

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    pub format: String,
    pub tool: Tool,
    pub targets: Vec<String>,
    pub hosts: Vec<std::net::IpAddr>,
    pub scope: Scope,
    /// Probe ids in the order in which they were to run.
    pub plan: Vec<String>,
    /// RFC 3339, UTC.
    pub started: String,
}

/// Why something was not looked at. Never the device's verdict, always ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    NotRun,
    OutOfScope,
    TooIntrusive,
    NoPrivilege,
    DeviceGone,
    DeviceChanged,
    Interrupted,
    BudgetSpent,
    NotSupplied,
    NotAttested,
    /// The host answers on ports that nothing should serve; what it says of ports proves nothing.
    Wildcard,
    /// We asked and could not read the answer (a protocol or cipher we do not speak).
    NotUnderstood(String),
    OurError(String),
}

impl std::fmt::Display for Why {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotRun => "it was not run",
            Self::OutOfScope => "it is out of scope",
            Self::TooIntrusive => "the scope does not allow anything that intrusive",
            Self::NoPrivilege => "this machine does not permit it",
            Self::DeviceGone => "the device stopped answering",
            Self::DeviceChanged => "another device answered",
            Self::Interrupted => "the scan was interrupted",
            Self::BudgetSpent => "the budget was spent",
            Self::NotSupplied => "it was not supplied",
            Self::NotAttested => "no assessor has attested it",
            Self::Wildcard => "the host accepts connections on every port",
            Self::NotUnderstood(s) | Self::OurError(s) => s,
        })
    }
}

/// Something we did not do or could not finish. It can only ever move a verdict towards INCONCLUSIVE.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    pub wanted: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    pub why: Why,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.subject {
            Some(s) => write!(f, "{} ({s}): {}", self.wanted, self.why),
            None => write!(f, "{}: {}", self.wanted, self.why),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub id: String,
    pub run: String,
    pub subject: Subject,
    pub at: String,
    pub observation: Observation,
    /// Digest of the transcript line of the connection that showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Sha256Digest>,
}

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    Header(Header),
    RunStarted { run: String, probe: String, version: u32, subjects_from: Vec<String>, at: String },
    Record(Record),
    Gap { run: String, gap: Gap },
    RunFinished { run: String, at: String },
    Finished { at: String },
}

/// One execution of one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: String,
    pub probe: String,
    pub version: u32,
    pub subjects_from: Vec<String>,
    pub started: String,
    pub finished: Option<String>,
    pub records: Vec<Record>,
    pub gaps: Vec<Gap>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    pub header: Header,
    pub runs: Vec<Run>,
    pub finished: Option<String>,
    /// Of the file's bytes.
    pub digest: Sha256Digest,
}

#[derive(Debug, Error)]
pub enum RecordingError {
    #[error("line {line}: {message}; a recording is made by `patuh scan --out DIR` and must not be edited")]
    Line { line: usize, message: String },
    #[error("line 1: the header is missing; this is not a recording")]
    NoHeader,
    #[error("line 1: format `{0}` is not known to this version (it reads `{FORMAT}`); use a newer patuh")]
    Format(String),
    #[error("line {line}: {what} names run `{run}`, which was never started")]
    UnknownRun { line: usize, what: &'static str, run: String },
    #[error("line {line}: `{id}` stands twice")]
    Twice { line: usize, id: String },
}

impl Recording {
    /// Reads the bytes of a `recording.jsonl`. A last line without its newline was cut off by a kill
    /// and is left out; anything else that is wrong is an error.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordingError> {
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let text = std::str::from_utf8(bytes.get(..whole).unwrap_or_default())
            .map_err(|e| RecordingError::Line { line: 1, message: e.to_string() })?;
        let mut reader =
            Reader { header: None, runs: Vec::new(), index: BTreeMap::new(), seen: BTreeSet::new(), finished: None };
        for (n, line) in text.lines().enumerate() {
            let number = n + 1;
            let line = serde_json::from_str::<Line>(line)
                .map_err(|e| RecordingError::Line { line: number, message: e.to_string() })?;
            reader.take(number, line)?;
        }
        let header = reader.header.ok_or(RecordingError::NoHeader)?;
        Ok(Self { header, runs: reader.runs, finished: reader.finished, digest: Sha256Digest::of(bytes) })
    }

    /// The time that time-dependent checks use: when the recording ended, as far as it tells.
    pub fn as_of(&self) -> &str {
        let last = self.runs.last().map(|r| r.records.last().map_or(r.started.as_str(), |x| x.at.as_str()));
        self.finished.as_deref().or(last).unwrap_or(&self.header.started)
    }

    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.runs.iter().flat_map(|r| &r.records)
    }

    /// Every gap of every run, with what is missing by construction: unfinished and unstarted runs.
    pub fn gaps(&self) -> Vec<Gap> {
        // A laboratory adds runs to a scan's recording that its plan did not name.
        let probes: BTreeSet<&str> =
            self.runs.iter().map(|r| &r.probe).chain(&self.header.plan).map(String::as_str).collect();
        let mut all: Vec<Gap> = probes.into_iter().flat_map(|p| self.gaps_of(p)).collect();
        all.sort();
        all.dedup();
        all
    }

    /// The gaps of one probe, over all its runs. A resumed scan runs a probe again; then the newest
    /// finished run stands for it.
    pub fn gaps_of(&self, probe: &str) -> Vec<Gap> {
        let wanted = |why| Gap { wanted: probe.to_owned(), subject: None, why };
        match self.run_of(probe) {
            None => vec![wanted(Why::NotRun)],
            Some(run) => {
                let mut gaps = run.gaps.clone();
                if run.finished.is_none() {
                    gaps.push(wanted(Why::Interrupted));
                }
                gaps
            }
        }
    }

    /// The run that stands for a probe: the newest finished one, else the newest.
    pub fn run_of(&self, probe: &str) -> Option<&Run> {
        let mut of = self.runs.iter().filter(|r| r.probe == probe).rev();
        let newest = of.clone().next();
        of.find(|r| r.finished.is_some()).or(newest)
    }
}

struct Reader {
    header: Option<Header>,
    runs: Vec<Run>,
    index: BTreeMap<String, usize>,
    seen: BTreeSet<String>,
    finished: Option<String>,
}

impl Reader {
    fn run(&mut self, line: usize, what: &'static str, id: &str) -> Result<&mut Run, RecordingError> {
        let unknown = || RecordingError::UnknownRun { line, what, run: id.to_owned() };
        let at = *self.index.get(id).ok_or_else(unknown)?;
        self.runs.get_mut(at).ok_or_else(unknown)
    }

    fn take(&mut self, number: usize, line: Line) -> Result<(), RecordingError> {
        if self.header.is_none() && !matches!(line, Line::Header(_)) {
            return Err(RecordingError::NoHeader);
        }
        match line {
            Line::Header(h) => {
                if h.format != FORMAT {
                    return Err(RecordingError::Format(h.format));
                }
                if self.header.replace(h).is_some() {
                    return Err(RecordingError::Twice { line: number, id: "header".to_owned() });
                }
            }
            Line::RunStarted { run, probe, version, subjects_from, at } => {
                if self.index.insert(run.clone(), self.runs.len()).is_some() {
                    return Err(RecordingError::Twice { line: number, id: run });
                }
                let (records, gaps) = (Vec::new(), Vec::new());
                self.runs.push(Run {
                    id: run,
                    probe,
                    version,
                    subjects_from,
                    started: at,
                    finished: None,
                    records,
                    gaps,
                });
            }
            Line::Record(r) => {
                if !self.seen.insert(r.id.clone()) {
                    return Err(RecordingError::Twice { line: number, id: r.id });
                }
                let id = r.run.clone();
                self.run(number, "a record", &id)?.records.push(r);
            }
            Line::Gap { run, gap } => self.run(number, "a gap", &run)?.gaps.push(gap),
            Line::RunFinished { run, at } => self.run(number, "an end", &run)?.finished = Some(at),
            Line::Finished { at } => self.finished = Some(at),
        }
        Ok(())
    }
}
