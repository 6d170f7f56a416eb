//! A recording: what the device did, and what we did not manage to look at. JSON Lines, append-only.
//!
//! A line is complete or it is not there: a recording cut off at any byte can be read, and then says
//! by itself what is missing (the run that did not finish, the planned runs that never started).
use super::{
    chain::{Broken, Chain, links, read_line},
    digest::Sha256Digest,
    observation::Observation,
    scope::Scope,
    shared::Shared,
    subject::Subject,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, io::BufRead};
use thiserror::Error;

pub use super::gap::{Gap, Why};

mod reader;
use reader::{Reader, line};

pub const FORMAT: &str = "recording/2";
/// Without a plan and without chains; still read.
pub const UNCHAINED: &str = "recording/1";

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

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub id: Shared,
    pub run: Shared,
    pub subject: Subject,
    pub at: Shared,
    pub observation: Observation,
    /// Digest of the transcript line of the connection that showed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Sha256Digest>,
}

/// One line of the file.
#[expect(clippy::large_enum_variant, reason = "one line at a time is held")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    Header(Header),
    RunStarted {
        run: String,
        probe: String,
        version: u32,
        subjects_from: Vec<String>,
        at: String,
    },
    Record(Record),
    Gap {
        run: String,
        gap: Gap,
    },
    RunFinished {
        run: String,
        at: String,
    },
    /// With the digest of the last line of the transcripts, or of what their first would name.
    Finished {
        at: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        transcripts: Option<Sha256Digest>,
    },
}

/// One execution of one probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: Shared,
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
    /// The last line of the transcripts when the scan finished.
    pub transcripts: Option<Sha256Digest>,
    /// Of the file's lines; `recording/1` has none.
    pub chain: Option<Chain>,
    /// The last line with its newline, which stands for all of a chain.
    pub last: Vec<u8>,
    /// Of the file's bytes.
    pub digest: Sha256Digest,
}

#[derive(Debug, Error)]
pub enum RecordingError {
    #[error("line {line}: {message}; a recording is made by `patuh scan --out DIR` and must not be edited")]
    Line { line: usize, message: String },
    #[error("line 1: the header is missing; this is not a recording")]
    NoHeader,
    #[error(
        "line 1: format `{0}` is not known to this version (it reads `{UNCHAINED}` and `{FORMAT}`); use a newer patuh"
    )]
    Format(String),
    #[error("line {line}: {what} names run `{run}`, which was never started")]
    UnknownRun { line: usize, what: &'static str, run: String },
    #[error("line {line}: {broken}; take the recording from its source again")]
    Chain { line: usize, broken: Broken },
    #[error("line {line}: `{id}` stands twice")]
    Twice { line: usize, id: String },
}

impl Recording {
    /// Reads the bytes of a `recording.jsonl`.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordingError> {
        Self::read(&mut &*bytes)
    }

    /// Reads a `recording.jsonl` line by line. A last line without its newline was cut off by a kill
    /// and is left out; anything else that is wrong is an error.
    pub fn read(file: &mut dyn BufRead) -> Result<Self, RecordingError> {
        let mut reader = Reader::default();
        let mut hash = Sha256::new();
        let (mut bytes, mut last) = (Vec::new(), Vec::new());
        for number in 1.. {
            let wrong = |message: String| RecordingError::Line { line: number, message };
            read_line(file, &mut bytes).map_err(|e| wrong(e.to_string()))?;
            hash.update(&bytes);
            if bytes.pop() != Some(b'\n') {
                break;
            }
            last.clone_from(&bytes);
            if number == 1 && links(&bytes).is_some() {
                reader.chain = Some(Chain::default());
            }
            if let Some(chain) = &mut reader.chain {
                let link = chain.take(&bytes).map_err(|broken| RecordingError::Chain { line: number, broken })?;
                bytes.truncate(link);
                bytes.push(b'}');
            }
            reader.take(number, line(&mut bytes).map_err(|e| wrong(e.to_string()))?)?;
        }
        last.push(b'\n');
        let Reader { header, runs, finished, transcripts, chain, .. } = reader;
        let (header, digest) = (header.ok_or(RecordingError::NoHeader)?, Sha256Digest::from(hash));
        Ok(Self { header, runs, finished, transcripts, chain, last, digest })
    }

    /// The time that time-dependent checks use: when the recording ended, as far as it tells.
    pub fn as_of(&self) -> &str {
        let last = self.runs.last().map(|r| r.records.last().map_or(r.started.as_str(), |x| &*x.at));
        self.finished.as_deref().or(last).unwrap_or(&self.header.started)
    }

    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Record> {
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
