//! The confidential bag: the openings of what a bundle's transcripts mask, locked for those who may know them.
//!
//! It is a bag of its own, and the bundle's statement names its tag manifest. Publishing a bundle is leaving this
//! one out: no digest changes. The salts in it make its digest tell nothing of what is in it.
use super::{
    body::Body,
    integrity::{self, IntegrityError},
    layout::{self, Files},
    lock::{LockError, Recipients},
    statement::Claims,
};
use crate::model::{
    Mask, Opening, Sha256Digest, Way,
    chain::read_line,
    opening::{FILE, OpeningError},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, BufRead, Read, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// The only payload.
const OPENINGS: &str = "data/openings.jsonl";
const NAMES: [&str; 5] = [layout::BAGIT, layout::BAG_INFO, layout::MANIFEST, layout::TAG_MANIFEST, OPENINGS];
/// No confidential bag is larger: more log-ins than this holds no scan tries.
pub const MOST: u64 = 64 << 20;
/// What a transcript's line holds where something of it can be opened.
const MASKS: &[u8] = br#""masks":["#;

#[derive(Debug, Error)]
pub enum ConfidentialError {
    #[error("{}: is missing; scan with --keep-openings, or seal without --confidential-to", .0.display())]
    NotKept(PathBuf),
    #[error("nothing in the transcripts is masked so that it could be opened; seal without --confidential-to")]
    NothingMasked,
    #[error("{FILE}:{line}: {error}; the file must not be edited")]
    Opening { line: usize, error: OpeningError },
    #[error("{FILE}:{line}: {error}; the file must not be edited")]
    Line { line: usize, error: serde_json::Error },
    #[error("transcripts.jsonl:{line}: {error}")]
    Transcript { line: usize, error: String },
    #[error("{FILE}: has no opening for the mask at byte {at} of transcripts.jsonl:{line}")]
    Unopened { line: usize, at: usize },
    #[error("{FILE}:{0}: opens nothing that the transcripts mask")]
    Stranger(usize),
    #[error("transcripts.jsonl:{line}: what opens its mask at byte {at} does not fit there")]
    Misfit { line: usize, at: usize },
    #[error("the openings are larger than {MOST} bytes")]
    TooLarge,
    #[error("the bundle names no confidential bag")]
    NoneNamed,
    #[error("it is not the confidential bag that the bundle names")]
    OtherBag,
    #[error("the tar in it holds `{0}`; it was not made by this tool")]
    Name(String),
    #[error(transparent)]
    Integrity(#[from] IntegrityError),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A confidential bag, not locked yet.
#[derive(Debug)]
pub struct Bag(Files);

impl Bag {
    /// The openings that the scan into `dir` kept, as far as its transcripts commit to them.
    pub fn gather(dir: &Path, transcripts: &Body, sealed_at: &str) -> Result<Self, ConfidentialError> {
        let file = dir.join(FILE);
        let kept = match fs::read(&file) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(ConfidentialError::NotKept(file)),
            Err(e) => return Err(e.into()),
        };
        let masked = masked(transcripts)?;
        if masked.is_empty() {
            return Err(ConfidentialError::NothingMasked);
        }
        // A kill leaves openings of a transcript that was never written, and a last line that was cut off.
        let whole = kept.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let mut wanted: BTreeSet<&Sha256Digest> = masked.iter().map(|m| &m.mask.commitment).collect();
        let mut text = Vec::new();
        for (n, (opening, line)) in openings(kept.get(..whole).unwrap_or_default())?.into_iter().enumerate() {
            if wanted.remove(&opening.commitment) {
                opening.value().map_err(|error| ConfidentialError::Opening { line: n + 1, error })?;
                text.extend_from_slice(line);
                text.push(b'\n');
            }
        }
        if let Some(m) = masked.iter().find(|m| wanted.contains(&m.mask.commitment)) {
            return Err(ConfidentialError::Unopened { line: m.line, at: m.mask.at });
        }
        if text.len() as u64 > MOST / 2 {
            return Err(ConfidentialError::TooLarge);
        }
        Ok(Self(layout::with_tags(Files::from([(OPENINGS.to_owned(), text.into())]), sealed_at)))
    }

    /// What a statement names it by: the SHA-256 of its tag manifest.
    pub fn digest(&self) -> String {
        Sha256Digest::of(layout::bytes(&self.0, layout::TAG_MANIFEST)).hex()
    }

    /// Writes it as a tar, locked. The tar is the same each time; what it is locked with is not.
    pub fn lock(&self, recipients: &Recipients, to: &mut dyn Write) -> io::Result<()> {
        let root = layout::identifier(layout::bytes(&self.0, layout::MANIFEST));
        recipients.lock(to, |to| {
            let mut tar = tar::Builder::new(to);
            for (name, body) in &self.0 {
                let mut header = tar::Header::new_gnu();
                header.set_size(body.size());
                header.set_mode(0o600);
                let bytes = body.to_vec()?;
                tar.append_data(&mut header, format!("{root}/{name}"), bytes.as_slice())?;
            }
            tar.finish()
        })
    }
}

/// The digest of the confidential bag that the statement names.
pub fn named(files: &Files) -> Option<String> {
    Claims::parse(layout::bytes(files, layout::STATEMENT))?.by.confidential
}

/// Checks an unlocked confidential bag against its bundle: it is the one that the statement names, and each of its
/// openings fits the mask that commits to it. Gives how many there are.
pub fn check(files: &Files, tar: &[u8]) -> Result<usize, ConfidentialError> {
    let named = named(files).ok_or(ConfidentialError::NoneNamed)?;
    let bag = unpack(tar)?;
    if bag.digest() != named {
        return Err(ConfidentialError::OtherBag);
    }
    integrity::bag(&bag.0)?;
    let transcripts = files.get(layout::TRANSCRIPTS).cloned().unwrap_or_else(|| Vec::new().into());
    let masked = masked(&transcripts)?;
    let mut values = BTreeMap::new();
    for (n, (opening, _)) in openings(layout::bytes(&bag.0, OPENINGS))?.into_iter().enumerate() {
        let value = opening.value().map_err(|error| ConfidentialError::Opening { line: n + 1, error })?;
        values.insert(opening.commitment, (n + 1, value.len()));
    }
    let mut opened = BTreeSet::new();
    for Masked { line, mask, hidden } in masked {
        let at = mask.at;
        let (number, length) = values.get(&mask.commitment).ok_or(ConfidentialError::Unopened { line, at })?;
        if !hidden || *length != mask.length {
            return Err(ConfidentialError::Misfit { line, at });
        }
        opened.insert(*number);
    }
    match values.values().find(|(number, _)| !opened.contains(number)) {
        Some((number, _)) => Err(ConfidentialError::Stranger(*number)),
        None => Ok(opened.len()),
    }
}

/// The files of the tar: those of a confidential bag below one directory, each once, and nothing else.
fn unpack(tar: &[u8]) -> Result<Bag, ConfidentialError> {
    let mut files = Files::new();
    for entry in tar::Archive::new(tar).entries()? {
        let mut entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let name = path.split_once('/').map(|(_, name)| name.to_owned()).unwrap_or_default();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        let fits = entry.header().entry_type().is_file() && NAMES.contains(&name.as_str());
        if !fits || files.insert(name, bytes.into()).is_some() {
            return Err(ConfidentialError::Name(path));
        }
    }
    match NAMES.iter().find(|n| !files.contains_key(**n)) {
        Some(missing) => Err(IntegrityError::Missing((*missing).to_owned()).into()),
        None => Ok(Bag(files)),
    }
}

/// Each opening with its line.
fn openings(text: &[u8]) -> Result<Vec<(Opening, &[u8])>, ConfidentialError> {
    let lines = text.split(|b| *b == b'\n').filter(|l| !l.is_empty()).enumerate();
    let parse = |(n, line)| {
        let opening = serde_json::from_slice(line);
        opening.map(|o| (o, line)).map_err(|error| ConfidentialError::Line { line: n + 1, error })
    };
    lines.map(parse).collect()
}

/// A mask, the line of the transcripts that it stands in, and whether nothing but `*` stands there.
struct Masked {
    line: usize,
    mask: Mask,
    hidden: bool,
}

#[derive(Deserialize)]
struct Transcript {
    events: Vec<Event>,
    masks: Vec<Mask>,
}

#[derive(Deserialize)]
struct Event {
    way: Way,
    data: String,
}

fn masked(transcripts: &Body) -> Result<Vec<Masked>, ConfidentialError> {
    let mut all = Vec::new();
    transcripts.read(|file| Ok(masked_in(file, &mut all)))??;
    Ok(all)
}

fn masked_in(file: &mut dyn BufRead, all: &mut Vec<Masked>) -> Result<(), ConfidentialError> {
    let mut bytes = Vec::new();
    for line in 1.. {
        read_line(file, &mut bytes)?;
        let Some(text) = bytes.strip_suffix(b"\n") else { break };
        if !text.windows(MASKS.len()).any(|w| w == MASKS) {
            continue;
        }
        let wrong = |error: String| ConfidentialError::Transcript { line, error };
        let said: Transcript = serde_json::from_slice(text).map_err(|e| wrong(e.to_string()))?;
        let [mut sent, mut received] = [Vec::new(), Vec::new()];
        for event in said.events {
            let data = STANDARD.decode(event.data).map_err(|e| wrong(e.to_string()))?;
            match event.way {
                Way::Sent => sent.extend(data),
                Way::Received => received.extend(data),
            }
        }
        all.extend(said.masks.into_iter().map(|mask| {
            let passed = match mask.way {
                Way::Sent => &sent,
                Way::Received => &received,
            };
            let there = mask.at.checked_add(mask.length).and_then(|end| passed.get(mask.at..end));
            let hidden = there.is_some_and(|bytes| bytes.iter().all(|b| *b == b'*'));
            Masked { line, mask, hidden }
        }));
    }
    Ok(())
}
