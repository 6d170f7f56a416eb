//! The recording on disk: append-only JSON Lines, each line written by one call, so that a kill at any
//! moment leaves every earlier line whole.
use super::clock;
use crate::model::{
    Gap, Header, Line, Observation, Opening, Plan, Record, Recording, Sha256Digest, Subject,
    chain::link,
    opening,
    plan::{FILE, TOKEN},
};
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

pub const RECORDING: &str = "recording.jsonl";
pub const TRANSCRIPTS: &str = "transcripts.jsonl";

pub struct Journal {
    inner: Mutex<Inner>,
}

struct Inner {
    recording: Log,
    transcripts: Log,
    /// What was masked, where that is kept.
    openings: Option<Log>,
    next_record: u64,
    next_run: u64,
    records: Vec<(String, Record)>,
    failed: Option<io::Error>,
}

/// A file of lines, and the digest of its last one unless it is of a format without chains.
struct Log {
    file: File,
    last: Option<Sha256Digest>,
}

impl Log {
    fn append(&mut self, object: &str) -> io::Result<Sha256Digest> {
        let mut line = match &self.last {
            Some(last) => link(object, last),
            None => object.to_owned(),
        };
        let digest = Sha256Digest::of(line.as_bytes());
        line.push('\n');
        self.file.write_all(line.as_bytes())?;
        if let Some(last) = &mut self.last {
            *last = digest.clone();
        }
        Ok(digest)
    }

    /// Goes on after the last whole line; a half-written one is cut off.
    fn resume(path: &Path, chained: bool, seed: Option<&Sha256Digest>) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let mut reader = BufReader::new(File::open(path)?);
        let (mut whole, mut line, mut last) = (0, Vec::new(), seed.cloned());
        while reader.read_until(b'\n', &mut line)? > 0 {
            if let Some(text) = line.strip_suffix(b"\n") {
                last = Some(Sha256Digest::of(text));
                whole += line.len() as u64;
            }
            line.clear();
        }
        file.set_len(whole)?;
        Ok(Self { file, last: last.filter(|_| chained) })
    }
}

/// Writes what a scan is about to do, in place of any plan that no recording was made of.
pub fn plan(dir: &Path, plan: &Plan) -> io::Result<Vec<u8>> {
    if dir.join(RECORDING).exists() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is a recording already"));
    }
    std::fs::create_dir_all(dir)?;
    let bytes = (serde_json::to_string(plan).map_err(io::Error::other)? + "\n").into_bytes();
    match std::fs::remove_file(dir.join(TOKEN)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => std::fs::write(dir.join(FILE), &bytes)?,
    }
    Ok(bytes)
}

/// What the first line of a recording names as the one before it: the authority's token, or the plan.
fn seed(dir: &Path) -> io::Result<Sha256Digest> {
    let token = dir.join(TOKEN);
    let from = if token.exists() { token } else { dir.join(FILE) };
    Ok(Sha256Digest::of(&std::fs::read(from)?))
}

/// Has the scan into `dir` keep what it masks, in a file that only its owner reads.
pub fn keep_openings(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(dir.join(opening::FILE)).map(drop)
}

/// The file of openings, where the scan keeps them.
fn openings(dir: &Path) -> io::Result<Option<Log>> {
    let file = dir.join(opening::FILE);
    if file.exists() { Log::resume(&file, false, None).map(Some) } else { Ok(None) }
}

impl Journal {
    /// Starts a new recording in a directory that holds a plan alone.
    pub fn create(dir: &Path, header: Header) -> io::Result<Self> {
        let new = |name: &str| OpenOptions::new().append(true).create_new(true).open(dir.join(name));
        let mut recording = Log { file: new(RECORDING)?, last: Some(seed(dir)?) };
        let first = serde_json::to_string(&Line::Header(header)).map_err(io::Error::other)?;
        let first = recording.append(&first)?;
        let inner = Inner {
            recording,
            transcripts: Log { file: new(TRANSCRIPTS)?, last: Some(first) },
            openings: openings(dir)?,
            next_record: 1,
            next_run: 1,
            records: Vec::new(),
            failed: None,
        };
        Ok(Self { inner: Mutex::new(inner) })
    }

    /// Goes on with a recording that stopped, in its own format.
    pub fn resume(dir: &Path, so_far: &Recording) -> io::Result<Self> {
        let chain = so_far.chain.as_ref();
        let recording = Log::resume(&dir.join(RECORDING), chain.is_some(), None)?;
        let first = chain.and_then(|c| c.first.as_ref());
        let transcripts = Log::resume(&dir.join(TRANSCRIPTS), chain.is_some(), first)?;
        let records: Vec<_> =
            so_far.runs.iter().flat_map(|run| run.records.iter().map(|r| (run.probe.clone(), r.clone()))).collect();
        let number = |id: &str| id.get(1..).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        let next_record = records.iter().map(|(_, r)| number(&r.id)).max().unwrap_or(0) + 1;
        let next_run = so_far.runs.iter().map(|r| number(&r.id)).max().unwrap_or(0) + 1;
        let openings = openings(dir)?;
        let inner = Inner { recording, transcripts, openings, next_record, next_run, records, failed: None };
        Ok(Self { inner: Mutex::new(inner) })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, line: &Line) {
        let mut inner = self.lock();
        let result = serde_json::to_string(line).map_err(io::Error::other);
        if let Err(e) = result.and_then(|text| inner.recording.append(&text)) {
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
            let record =
                Record { id: id.into(), run: run.into(), subject, at: clock::now().into(), observation, transcript };
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
        let transcripts = self.lock().transcripts.last.clone();
        self.line(&Line::Finished { at: clock::now(), transcripts });
        let inner = self.lock();
        inner.recording.file.sync_all()?;
        inner.transcripts.file.sync_all()?;
        inner.openings.as_ref().map_or(Ok(()), |o| o.file.sync_all())?;
        drop(inner);
        self.check()
    }

    pub fn keeps_openings(&self) -> bool {
        self.lock().openings.is_some()
    }

    /// Keeps what was masked, if this scan does. It is written before the transcript that commits to it.
    pub fn opening(&self, opening: &Opening) {
        let mut inner = self.lock();
        let Some(log) = &mut inner.openings else { return };
        let written = serde_json::to_string(opening).map_err(io::Error::other).and_then(|text| log.append(&text));
        if let Err(e) = written {
            inner.failed.get_or_insert(e);
        }
    }

    /// Appends one connection's transcript and returns the digest of its line.
    pub fn transcript(&self, line: &str) -> Sha256Digest {
        let mut inner = self.lock();
        match inner.transcripts.append(line) {
            Ok(digest) => digest,
            Err(e) => {
                inner.failed.get_or_insert(e);
                Sha256Digest::of(line.as_bytes())
            }
        }
    }

    /// What was seen so far by `probe`.
    pub fn seen(&self, probe: &str) -> Vec<Record> {
        self.lock().records.iter().filter(|(p, _)| p == probe).map(|(_, r)| r.clone()).collect()
    }
}
