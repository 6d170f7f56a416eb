//! Opening: a bundle that was checked, and the one way in for everything that reads a recording or a bundle.
use super::{
    attested::{self, Attested, AttestedError},
    body::Body,
    companion::Companion,
    integrity::{self, IntegrityError},
    layout::{self, Files},
    logs::{self, LogError},
    payload::{self, Bracket, Index, Ingredients, Interim, Judged, PayloadError, ProfileSource, Recorded},
    sign::{self, SignatureError},
    signed,
};
use crate::judge::{Assessment, Profile};
use crate::model::{Recording, declarations::laboratory, observation::clean, plan};
use serde::Deserialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum OpenError {
    #[error("{}: {}; the bundle cannot be relied on", path.display(), shown(error))]
    Integrity { path: PathBuf, error: IntegrityError },
    #[error("{}: {}; the bundle cannot be relied on", path.display(), shown(error))]
    Signature { path: PathBuf, error: SignatureError },
    #[error("{}: {}; the bundle cannot be relied on", path.display(), shown(error))]
    Logs { path: PathBuf, error: LogError },
    #[error("{}: {}; it was sealed by another version or is not a bundle of this tool", path.display(), shown(error))]
    Payload { path: PathBuf, error: PayloadError },
    #[error("{}: `{}` is not an index that this version reads: {}; use the version that sealed it", path.display(), layout::INDEX, shown(error))]
    Index { path: PathBuf, error: serde_json::Error },
}

/// What a stranger's bundle makes us say must not steer a terminal.
fn shown(error: &impl std::fmt::Display) -> String {
    clean(&error.to_string(), 500)
}

/// A bundle whose files are those that its statement names, under a signature that fits the key in it.
/// Its verdicts were judged just now from its recording; none was read.
#[derive(Debug)]
pub struct VerifiedBundle {
    pub from: Ingredients,
    pub identifier: String,
    /// SHA-256 of the tag manifest: what the statement names.
    pub tag_manifest: String,
    pub sealed_at: String,
    /// Fingerprints of the keys; whose they are, only the reader's own records tell.
    pub signers: Vec<String>,
    /// SHA-256 of the tag manifest of the confidential bag, where the statement names one.
    pub confidential: Option<String>,
    judged: Judged,
}

impl VerifiedBundle {
    pub fn recording(&self) -> &Recording {
        &self.judged.recorded.value
    }

    pub fn assessments(&self) -> &[Assessment] {
        &self.judged.assessments
    }

    pub fn profiles(&self) -> &[Profile] {
        &self.judged.profiles
    }

    pub fn interim(&self) -> Interim {
        self.from.interim
    }
}

pub fn open(path: &Path) -> Result<VerifiedBundle, OpenError> {
    let owned = || path.to_owned();
    let files =
        layout::load(path).map_err(|e| OpenError::Integrity { path: owned(), error: IntegrityError::Read(e) })?;
    let claims = integrity::check(&files).map_err(|error| OpenError::Integrity { path: owned(), error })?;
    let keys = signed::keys(&files, &claims).map_err(|error| OpenError::Signature { path: owned(), error })?;
    let from = ingredients(&files).map_err(|error| match error {
        UnreadableError::Index(error) => OpenError::Index { path: owned(), error },
        UnreadableError::Payload(error) => OpenError::Payload { path: owned(), error },
    })?;
    logs::check(&from).map_err(|error| OpenError::Logs { path: owned(), error })?;
    let judged = payload::judge(&from).map_err(|error| OpenError::Payload { path: owned(), error })?;
    let signers = keys.iter().map(|k| sign::fingerprint(k).to_string()).collect();
    let manifest = layout::bytes(&files, layout::MANIFEST);
    let (identifier, tag_manifest) = (layout::identifier(manifest), claims.tag_manifest);
    let (sealed_at, confidential) = (claims.sealed_at, claims.by.confidential);
    Ok(VerifiedBundle { from, identifier, tag_manifest, sealed_at, signers, confidential, judged })
}

#[derive(Debug, Error)]
pub enum UnreadableError {
    #[error("`{index}`: {0}", index = layout::INDEX)]
    Index(serde_json::Error),
    #[error("{0}")]
    Payload(#[from] PayloadError),
}

/// A later index may hold what this version does not know: its number is read first.
#[derive(Deserialize)]
struct Schema {
    schema: String,
}

/// What a bundle was made from, by its index.
pub fn ingredients(files: &Files) -> Result<Ingredients, UnreadableError> {
    let bytes = |name: &str| files.get(name).and_then(Body::held).map(<[u8]>::to_vec);
    let log = |name: &str| files.get(name).cloned().unwrap_or_else(|| Vec::new().into());
    let index = bytes(layout::INDEX).unwrap_or_default();
    let schema: Schema = serde_json::from_slice(&index).map_err(UnreadableError::Index)?;
    if schema.schema != payload::SCHEMA {
        return Err(PayloadError::Format(schema.schema).into());
    }
    let index: Index = serde_json::from_slice(&index).map_err(UnreadableError::Index)?;
    let beside = (1..).zip(&index.beside).map(|(n, c)| Companion::read(c.role, n, files)).collect::<Result<_, _>>()?;
    let mut profiles = Vec::new();
    for p in index.profiles {
        let text = String::from_utf8(bytes(&layout::profile_path(&p.id)).unwrap_or_default());
        let text = text.map_err(|_| PayloadError::NotText("profiles"))?;
        profiles.push(ProfileSource { id: p.id, level: Some(p.level), text });
    }
    let statements = bytes(layout::ATTESTATIONS);
    let attachment = |name: &str| Ok::<_, PayloadError>(bytes(&layout::attachment_path(name)));
    let attested = statements.map(|s| Attested::gather(s, attachment)).transpose()?;
    Ok(Ingredients {
        recorded: Arc::new(Recorded::read(log(layout::RECORDING))?),
        transcripts: log(layout::TRANSCRIPTS),
        bracket: Bracket { plan: bytes(layout::PLAN), before: bytes(layout::BEFORE), after: bytes(layout::AFTER) },
        beside,
        ics: bytes(layout::ICS),
        ixit: bytes(layout::IXIT),
        laboratory: bytes(layout::LABORATORY),
        attested,
        profiles,
        interim: index.interim,
        supersedes: index.supersedes,
    })
}

/// A recording directory or a bundle, read once.
#[derive(Debug)]
pub struct Source {
    pub path: PathBuf,
    /// A recording directory has no profiles.
    pub from: Ingredients,
    /// Set when it is a bundle.
    pub bundle: Option<VerifiedBundle>,
}

#[derive(Debug, Error)]
pub enum SourceError {
    #[error("{}: there is nothing of that name; name a directory made by `patuh scan --out DIR`, or a bundle", .0.display())]
    Absent(PathBuf),
    #[error("{}: is a file; name the directory that holds recording.jsonl, or a bundle", .0.display())]
    File(PathBuf),
    #[error("{}: holds neither recording.jsonl nor a bundle; name a directory made by `patuh scan --out DIR`", .0.display())]
    Neither(PathBuf),
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Bundle(#[from] OpenError),
    #[error("{}/{error}", path.display())]
    Recording { path: PathBuf, error: PayloadError },
    #[error("{}/{error}", path.display())]
    Attested { path: PathBuf, error: AttestedError },
}

impl Source {
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        match fs::metadata(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(SourceError::Absent(path.to_owned())),
            Err(error) => return Err(SourceError::Io { path: path.to_owned(), error }),
            Ok(about) if !about.is_dir() && !is_zip(path) => return Err(SourceError::File(path.to_owned())),
            Ok(_) => {}
        }
        if path.is_file() || path.join(layout::BAGIT).exists() || path.join("seal").exists() {
            let bundle = open(path)?;
            return Ok(Self { path: path.to_owned(), from: bundle.from.clone(), bundle: Some(bundle) });
        }
        let recording = log(&path.join("recording.jsonl"))?.ok_or_else(|| SourceError::Neither(path.to_owned()))?;
        let recorded =
            Recorded::read(recording).map_err(|error| SourceError::Recording { path: path.to_owned(), error })?;
        let from = Ingredients {
            recorded: Arc::new(recorded),
            transcripts: log(&path.join("transcripts.jsonl"))?.unwrap_or_else(|| Vec::new().into()),
            bracket: Bracket {
                plan: optional(&path.join(plan::FILE))?,
                before: optional(&path.join(plan::TOKEN))?,
                after: optional(&path.join(plan::END_TOKEN))?,
            },
            beside: Vec::new(),
            ics: optional(&path.join("ics.toml"))?,
            ixit: optional(&path.join("ixit.toml"))?,
            laboratory: optional(&path.join(laboratory::FILE))?,
            attested: attested_in(path)?,
            profiles: Vec::new(),
            interim: Interim::No,
            supersedes: None,
        };
        Ok(Self { path: path.to_owned(), from, bundle: None })
    }

    pub fn recording(&self) -> &Recording {
        &self.from.recorded.value
    }
}

/// What was attested beside a recording, with the files relied on.
pub fn attested_in(dir: &Path) -> Result<Option<Attested>, SourceError> {
    enum Failed {
        Attested(AttestedError),
        Source(SourceError),
    }
    impl From<AttestedError> for Failed {
        fn from(e: AttestedError) -> Self {
            Self::Attested(e)
        }
    }
    let Some(statements) = optional(&dir.join(attested::STATEMENTS))? else { return Ok(None) };
    let kept = |name: &str| optional(&dir.join(attested::ATTACHMENTS).join(name)).map_err(Failed::Source);
    let about = |error| SourceError::Attested { path: dir.to_owned(), error };
    let all = Attested::gather(statements, kept).map_err(|e| match e {
        Failed::Attested(error) => about(error),
        Failed::Source(e) => e,
    })?;
    all.read().map_err(about)?;
    Ok(Some(all))
}

/// Whether a file begins as a zip does: a bundle that was packed for carrying.
pub fn is_zip(path: &Path) -> bool {
    let mut head = [0; 4];
    let read = fs::File::open(path).and_then(|mut f| io::Read::read_exact(&mut f, &mut head));
    path.is_file() && read.is_ok() && head == *b"PK\x03\x04"
}

fn optional(path: &Path) -> Result<Option<Vec<u8>>, SourceError> {
    found(path, fs::read(path))
}

fn log(path: &Path) -> Result<Option<Body>, SourceError> {
    found(path, Body::file(path))
}

fn found<T>(path: &Path, read: io::Result<T>) -> Result<Option<T>, SourceError> {
    match read {
        Ok(content) => Ok(Some(content)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SourceError::Io { path: path.to_owned(), error }),
    }
}
