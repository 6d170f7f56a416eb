//! What files a bundle has, how they are read without trusting them, and the lists that name their digests.
use super::body::Body;
use crate::model::Sha256Digest;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};
use thiserror::Error;

/// Files by their path from the bag's root, with `/` between the parts.
pub type Files = BTreeMap<String, Body>;

pub const BAGIT: &str = "bagit.txt";
pub const BAG_INFO: &str = "bag-info.txt";
pub const MANIFEST: &str = "manifest-sha256.txt";
pub const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
pub const STATEMENT: &str = "seal/statement.json";
pub const SIGNATURE: &str = "seal/statement.json.sshsig";
pub const SIGNER: &str = "seal/signer.pub";
/// The statement once more, for supply-chain tools.
pub const ENVELOPE: &str = "seal/statement.dsse.json";
/// A CMS signature over the statement, where the laboratory has an X.509 key.
pub const CMS: &str = "seal/statement.json.p7s";
/// A time-stamping authority's answer over [`SIGNATURE`]; attached any time after sealing.
pub const TOKEN: &str = "seal/statement.json.sshsig.tsr";
pub const INDEX: &str = "data/bundle.json";
pub const RECORDING: &str = "data/recording/recording.jsonl";
pub const TRANSCRIPTS: &str = "data/recording/transcripts.jsonl";
/// What the scan was about to do, an authority's time over it, and one over the recording's last line.
pub const PLAN: &str = "data/recording/plan.json";
pub const BEFORE: &str = "data/recording/plan.json.tsr";
pub const AFTER: &str = "data/recording/recording.jsonl.tsr";
pub const ICS: &str = "data/declarations/ics.toml";
pub const IXIT: &str = "data/declarations/ixit.toml";
pub const LABORATORY: &str = "data/laboratory/laboratory.toml";
pub const ATTESTATIONS: &str = "data/attestations/attestations.jsonl";

/// What every bundle has outside `data/`.
pub const TAG_FILES: &[&str] = &[BAGIT, BAG_INFO, MANIFEST, TAG_MANIFEST, STATEMENT, SIGNATURE, SIGNER, ENVELOPE];

/// Where the files of the recordings beside the first stand.
const BESIDE: &str = "data/beside/";
const OWN: &str = "data/recording/";

/// The file of recording `n` beside the first, from 1, that is `path` for the first one.
pub fn beside(n: usize, path: &str) -> String {
    format!("{BESIDE}{n}/{}", path.strip_prefix(OWN).unwrap_or(path))
}

/// What grows with the scan and what is made again to be compared: read where it stands, and never held.
pub(super) fn stays(path: &str) -> bool {
    let made = ["data/results/", "data/report/", "data/views/"];
    let name = path.strip_prefix(BESIDE).and_then(|p| p.split_once('/')).map(|(_, name)| name);
    let name = name.or_else(|| path.strip_prefix(OWN));
    let log = [RECORDING, TRANSCRIPTS].iter().any(|log| log.strip_prefix(OWN) == name);
    log || made.iter().any(|dir| path.starts_with(dir))
}

pub const MOST_SIGNERS: usize = 9;

/// The file of the signature of signer `n`, from 0.
pub fn signature(n: usize) -> String {
    if n == 0 { SIGNATURE.to_owned() } else { format!("seal/statement.json.{}.sshsig", n + 1) }
}

/// The file of the key of signer `n`, from 0.
pub fn signer(n: usize) -> String {
    if n == 0 { SIGNER.to_owned() } else { format!("seal/signer.{}.pub", n + 1) }
}

/// The two lines of every BagIt 1.0 bag (RFC 8493, 2.1.1).
pub const BAGIT_TEXT: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

pub const MOST_ENTRIES: usize = 4096;
pub const MOST_BYTES: u64 = 2 << 30;
const LONGEST_PATH: usize = 120;

pub fn profile_path(id: &str) -> String {
    format!("data/profiles/{id}.toml")
}

/// The file of an attachment of that name.
pub fn attachment_path(name: &str) -> String {
    format!("data/attestations/attachments/{name}")
}

pub fn result_path(id: &str) -> String {
    format!("data/results/{id}.json")
}

#[derive(Debug, Error)]
pub enum ReadError {
    #[error("`{0}` is missing; take the bundle from its source again")]
    Missing(String),
    #[error("`{0}` is not part of a bundle; remove it, or take the bundle from its source again")]
    Unexpected(String),
    #[error("`{0}` is neither a plain file nor a directory (a link or a device); a bundle holds plain files only")]
    NotPlain(String),
    #[error("the bundle holds more than {MOST_ENTRIES} entries or {MOST_BYTES} bytes; it was not made by this tool")]
    TooLarge,
    #[error("`{0}` and `{1}` differ in case only; some systems take them for one file")]
    Case(String, String),
    #[error("`{0}` stands twice in the zip; take the bundle from its source again")]
    Twice(String),
    #[error("`{0}` would lie outside the bundle; the zip was not made by this tool")]
    Outside(String),
    #[error("`{0}` unpacks to more than a bundle can hold; the zip was not made by this tool")]
    Bomb(String),
    #[error("the zip cannot be read: {0}; take the bundle from its source again")]
    Archive(String),
    #[error("{file}: {error}")]
    Io { file: String, error: io::Error },
}

impl ReadError {
    pub fn io(file: &Path, error: io::Error) -> Self {
        Self::Io { file: file.display().to_string(), error }
    }
}

/// Reads every file of the bundle at `path`, a directory or a zip.
pub fn load(path: &Path) -> Result<Files, ReadError> {
    let about = fs::metadata(path).map_err(|e| ReadError::io(path, e))?;
    let files = if about.is_dir() {
        directory(path)?
    } else if about.len() > MOST_BYTES {
        return Err(ReadError::TooLarge);
    } else {
        super::archive::read(path)?
    };
    let mut seen = BTreeMap::new();
    for name in files.keys() {
        if let Some(other) = seen.insert(name.to_ascii_lowercase(), name) {
            return Err(ReadError::Case(other.clone(), name.clone()));
        }
    }
    Ok(files)
}

/// Reads every file below `root`. Links are never followed; a file that no bundle can have, and a
/// directory without files, is refused. Which payload files must be there is [`super::integrity`]'s matter.
fn directory(root: &Path) -> Result<Files, ReadError> {
    let mut walk = Walk { files: Files::new(), directories: BTreeSet::new(), bytes: 0 };
    let mut waiting: Vec<(String, PathBuf)> = vec![(String::new(), root.to_owned())];
    while let Some((name, path)) = waiting.pop() {
        waiting.extend(walk.directory(&name, &path)?);
    }
    let parents: BTreeSet<&str> = walk.files.keys().flat_map(|f| parents(f)).collect();
    match walk.directories.iter().find(|d| !parents.contains(d.as_str())) {
        Some(empty) => Err(ReadError::Unexpected(format!("{empty}/"))),
        None => Ok(walk.files),
    }
}

struct Walk {
    files: Files,
    directories: BTreeSet<String>,
    bytes: u64,
}

impl Walk {
    /// Reads one directory and gives back the directories in it.
    fn directory(&mut self, name: &str, path: &Path) -> Result<Vec<(String, PathBuf)>, ReadError> {
        let mut below = Vec::new();
        for entry in fs::read_dir(path).map_err(|e| ReadError::io(path, e))? {
            let path = entry.map_err(|e| ReadError::io(path, e))?.path();
            let part = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let full = if name.is_empty() { part } else { format!("{name}/{part}") };
            let about = fs::symlink_metadata(&path).map_err(|e| ReadError::io(&path, e))?;
            self.bytes = self.bytes.saturating_add(if about.is_file() { about.len() } else { 0 });
            if self.files.len() + self.directories.len() >= MOST_ENTRIES || self.bytes > MOST_BYTES {
                return Err(ReadError::TooLarge);
            }
            if about.is_dir() {
                self.directories.insert(full.clone());
                below.push((full, path));
            } else if !about.is_file() {
                return Err(ReadError::NotPlain(full));
            } else {
                let full = checked(full)?;
                let body = if stays(&full) { Body::file(&path) } else { fs::read(&path).map(Body::from) };
                self.files.insert(full, body.map_err(|e| ReadError::io(&path, e))?);
            }
        }
        Ok(below)
    }
}

/// A name that a bundle may have.
pub fn checked(path: String) -> Result<String, ReadError> {
    if may_be(&path) { Ok(path) } else { Err(ReadError::Unexpected(path)) }
}

fn may_be(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
    let seal = || path == TOKEN || path == CMS || (1..MOST_SIGNERS).any(|n| path == signature(n) || path == signer(n));
    let known = TAG_FILES.contains(&path) || path.starts_with("data/") || seal();
    known && path.len() <= LONGEST_PATH && path.bytes().all(plain)
}

fn parents(file: &str) -> impl Iterator<Item = &str> {
    file.match_indices('/').filter_map(|(at, _)| file.get(..at))
}

/// `<digest>  <path>` for each file, sorted, as `sha256sum` writes and reads it.
pub fn list<'a>(files: impl Iterator<Item = (&'a String, &'a Body)>) -> String {
    files.map(|(path, body)| format!("{}  {path}\n", body.digest().hex())).collect()
}

/// The files in `data/`.
pub fn payload(files: &Files) -> impl Iterator<Item = (&String, &Body)> {
    files.iter().filter(|(path, _)| path.starts_with("data/"))
}

/// The tag manifest names every tag file but itself and the seal (RFC 8493, 2.2.1).
pub fn listed_tags(files: &Files) -> impl Iterator<Item = (&String, &Body)> {
    files.iter().filter(|(path, _)| matches!(path.as_str(), BAGIT | BAG_INFO | MANIFEST))
}

/// The bytes of a small file; empty if it is not there.
pub fn bytes<'a>(files: &'a Files, name: &str) -> &'a [u8] {
    files.get(name).and_then(Body::held).unwrap_or_default()
}

/// Bytes and files of the payload, as bag-info.txt states them.
pub fn oxum(files: &Files) -> String {
    let bytes: u64 = payload(files).map(|(_, b)| b.size()).sum();
    format!("{bytes}.{}", payload(files).count())
}

/// The bundle's name: content decides it.
pub fn identifier(manifest: &[u8]) -> String {
    format!("patuh-{}", Sha256Digest::of(manifest).hex().get(..16).unwrap_or_default())
}

/// The three tag files before the tag manifest, and the tag manifest, from the payload.
pub fn with_tags(mut files: Files, sealed_at: &str) -> Files {
    let manifest = list(payload(&files));
    let tool = crate::judge::assess::tool();
    let info = format!(
        "Bag-Software-Agent: {} {}\nBagging-Date: {}\nExternal-Identifier: {}\nPayload-Oxum: {}\n",
        tool.name,
        tool.version,
        sealed_at.get(..10).unwrap_or(sealed_at),
        identifier(manifest.as_bytes()),
        oxum(&files),
    );
    files.insert(MANIFEST.to_owned(), manifest.into());
    files.insert(BAG_INFO.to_owned(), info.into());
    files.insert(BAGIT.to_owned(), BAGIT_TEXT.to_owned().into());
    let tags = list(listed_tags(&files));
    files.insert(TAG_MANIFEST.to_owned(), tags.into());
    files
}
