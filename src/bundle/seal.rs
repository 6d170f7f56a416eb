//! Sealing: judge, build, sign, and put the whole directory in place at once or not at all.
use super::{
    layout::{self, Files},
    open::{Source, SourceError},
    payload::{self, Ingredients, Interim, PayloadError, ProfileSource, Views},
    sign::{KeyError, SigningKey},
    statement,
};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// What to seal, and how.
#[derive(Debug)]
pub struct Sealing<'a> {
    /// A recording directory, or another bundle.
    pub recording: &'a Path,
    pub profiles: Vec<ProfileSource>,
    pub key: &'a SigningKey,
    pub out: &'a Path,
    pub interim: Interim,
    /// RFC 3339, UTC, ending in `Z`. Only the statement and the bagging date say it.
    pub sealed_at: String,
    pub views: Views,
}

/// What was sealed: for the last line on the terminal.
#[derive(Debug, PartialEq, Eq)]
pub struct Sealed {
    pub path: PathBuf,
    pub identifier: String,
    pub signer: String,
}

#[derive(Debug, Error)]
pub enum SealError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("{}: exists already; name a new path with --out", .0.display())]
    Exists(PathBuf),
    #[error("`{0}` is not a time in UTC such as 2026-01-31T12:00:00Z; please report this")]
    Time(String),
    #[error("{}: {error}; choose a place that can be written with --out", path.display())]
    Write { path: PathBuf, error: io::Error },
}

/// Makes the bundle at `out`. A failure leaves nothing behind.
pub fn seal(sealing: &Sealing<'_>) -> Result<Sealed, SealError> {
    absent(sealing.out)?;
    let at = &sealing.sealed_at;
    if !at.ends_with('Z') || at.parse::<jiff::Timestamp>().is_err() {
        return Err(SealError::Time(at.clone()));
    }
    let source = Source::open(sealing.recording)?;
    let from = Ingredients {
        recording: source.recording,
        transcripts: source.transcripts,
        ics: source.ics,
        ixit: source.ixit,
        profiles: sealing.profiles.clone(),
        interim: sealing.interim,
    };
    let judged = payload::judge(&from)?;
    let mut files = layout::with_tags(payload::build(&from, &judged, sealing.views)?, at);
    let signer = sealing.key.fingerprint();
    let statement = statement::write(&files, &judged, from.interim, at, &signer);
    let signature = sealing.key.sign(&statement)?;
    files.insert(layout::STATEMENT.to_owned(), statement);
    files.insert(layout::SIGNATURE.to_owned(), signature.into_bytes());
    files.insert(layout::SIGNER.to_owned(), sealing.key.public_line()?.into_bytes());
    place(&files, sealing.out)?;
    let manifest = files.get(layout::MANIFEST).map(Vec::as_slice).unwrap_or_default();
    Ok(Sealed { path: sealing.out.to_owned(), identifier: layout::identifier(manifest), signer })
}

fn absent(out: &Path) -> Result<(), SealError> {
    match fs::symlink_metadata(out) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(SealError::Write { path: out.to_owned(), error }),
        Ok(_) => Err(SealError::Exists(out.to_owned())),
    }
}

/// Writes the files beside `out` and renames them into place.
fn place(files: &Files, out: &Path) -> Result<(), SealError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |error| SealError::Write { path, error }
    };
    let name = out.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = out.with_file_name(format!(".{name}.{}.partial", std::process::id()));
    fs::create_dir(&beside).map_err(failed(&beside))?;
    let partial = Partial(beside);
    for (name, bytes) in files {
        let path = partial.0.join(name);
        write(&path, bytes).map_err(failed(&path))?;
    }
    absent(out)?;
    fs::rename(&partial.0, out).map_err(failed(out))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// A directory that is removed unless it was renamed away.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
