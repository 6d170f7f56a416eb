//! The recording on disk: append-only JSON Lines, each line written by one call, so that a kill at any
//! moment leaves every earlier line whole.
use super::clock;
use crate::model::{Gap, Header, Line, Observation, Record, Recording, Sha256Digest, Subject};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

pub const RECORDING: &str = "recording.jsonl";
pub const TRANSCRIPTS: &str = "transcripts.jsonl";

pub struct Journal {
    inner: Mutex<Inner>,
}

struct Inner {
    recording: File,
    transcripts: File,
    next_record: u64,
    next_run: u64,
    records: Vec<(String, Record)>,
    failed: Option<io::Error>,
}

impl Journal {
    /// Starts a new recording in an empty or new directory.
    pub fn create(dir: &Path, header: Header) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let new = |name: &str| OpenOptions::new().append(true).create_new(true).open(dir.join(name));
        let inner = Inner {
            recording: new(RECORDING)?,
            transcripts: new(TRANSCRIPTS)?,
            next_record: 1,
            next_run: 1,
            records: Vec::new(),
            failed: None,
        };
        let journal = Self { inner: Mutex::new(inner) };
        journal.line(&Line::Header(header));
        journal.check()?;
        Ok(journal)
    }

    /// Goes on with a recording that stopped. A half-written last line is cut off first.
    pub fn resume(dir: &Path, so_far: &Recording) -> io::Result<Self> {
        let path = dir.join(RECORDING);
        let bytes = std::fs::read(&path)?;
        let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let recording = OpenOptions::new().append(true).open(&path)?;
        recording.set_len(whole as u64)?;
        let transcripts = OpenOptions::new().append(true).create(true).open(dir.join(TRANSCRIPTS))?;
        let records: Vec<_> =
            so_far.runs.iter().flat_map(|run| run.records.iter().map(|r| (run.probe.clone(), r.clone()))).collect();
        let number = |id: &str| id.get(1..).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        let next_record = records.iter().map(|(_, r)| number(&r.id)).max().unwrap_or(0) + 1;
        let next_run = so_far.runs.iter().map(|r| number(&r.id)).max().unwrap_or(0) + 1;
        Ok(Self { inner: Mutex::new(Inner { recording, transcripts, next_record, next_run, records, failed: None }) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, line: &Line) {
        let mut inner = self.lock();
        let result = serde_json::to_string(line).map_err(io::Error::other);
        let result = result.and_then(|text| inner.recording.write_all(format!("{text}\n").as_bytes()));
        if let Err(e) = result {
            inner.failed.get_or_insert(e);
        }
    }

    /// The first write that failed: a full disk must not look like a complete recording.
    pub fn check(&self) -> io::Result<()> {
        match self.lock().failed.take() {
            Some(e) => Err(e),
            None => Ok(()),
        }
    }

    pub fn start_run(&self, probe: &str, version: u32, subjects_from: &[&str]) -> String {
        let run = {
            let mut inner = self.lock();
            inner.next_run += 1;
            format!("p{}", inner.next_run - 1)
        };
        let subjects_from = subjects_from.iter().map(ToString::to_string).collect();
        self.line(&Line::RunStarted {
            run: run.clone(),
            probe: probe.to_owned(),
            version,
            subjects_from,
            at: clock::now(),
        });
        run
    }

    pub fn record(
        &self,
        probe: &str,
        run: &str,
        subject: Subject,
        observation: Observation,
        transcript: Option<Sha256Digest>,
    ) {
        let record = {
            let mut inner = self.lock();
            let id = format!("r{}", inner.next_record);
            inner.next_record += 1;
            let record = Record { id, run: run.to_owned(), subject, at: clock::now(), observation, transcript };
            inner.records.push((probe.to_owned(), record.clone()));
            record
        };
        self.line(&Line::Record(record));
    }

    pub fn gap(&self, run: &str, gap: Gap) {
        self.line(&Line::Gap { run: run.to_owned(), gap });
    }

    pub fn finish_run(&self, run: &str) {
        self.line(&Line::RunFinished { run: run.to_owned(), at: clock::now() });
    }

    pub fn finish(&self) -> io::Result<()> {
        self.line(&Line::Finished { at: clock::now() });
        let inner = self.lock();
        inner.recording.sync_all()?;
        inner.transcripts.sync_all()?;
        drop(inner);
        self.check()
    }

    /// Appends one connection's transcript and returns the digest of its line.
    pub fn transcript(&self, line: &str) -> Sha256Digest {
        let mut inner = self.lock();
        if let Err(e) = inner.transcripts.write_all(format!("{line}\n").as_bytes()) {
            inner.failed.get_or_insert(e);
        }
        Sha256Digest::of(line.as_bytes())
    }

    /// What was seen so far by `probe`.
    pub fn seen(&self, probe: &str) -> Vec<Record> {
        self.lock().records.iter().filter(|(p, _)| p == probe).map(|(_, r)| r.clone()).collect()
    }
}
