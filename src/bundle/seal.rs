//! Sealing: judge, build, sign, and put the whole directory in place at once or not at all.
use super::{
    amend::{Amendment, ingredients},
    archive,
    attested::AttestedError,
    body::Body,
    cms::{CmsError, CmsKey},
    confidential::Bag,
    dsse,
    layout::{self, Files},
    logs::{self, LogError},
    open::{Source, SourceError},
    payload::{self, Interim, PayloadError, ProfileSource, Views},
    sign::{KeyError, SigningKey},
    statement::{self, By},
    timestamp::{self, TimestampError, Token},
};
use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};
use thiserror::Error;

/// What to seal, and how.
#[derive(Debug)]
pub struct Sealing<'a> {
    /// A recording directory, or another bundle.
    pub source: Source,
    pub profiles: Vec<ProfileSource>,
    /// One or several, in the order in which the bundle names them.
    pub keys: &'a [SigningKey],
    pub out: &'a Path,
    pub interim: Interim,
    /// RFC 3339, UTC, ending in `Z`. Only the statement and the bagging date say it.
    pub sealed_at: String,
    pub views: Views,
    /// Set when `source` is a bundle that the new one replaces.
    pub amendment: Option<Amendment>,
    /// Signs the statement, too.
    pub cms: Option<&'a CmsKey>,
    /// What opens the masks; the statement names it, and it goes elsewhere.
    pub confidential: Option<&'a Bag>,
}

/// What was sealed: for the last line on the terminal.
#[derive(Debug, PartialEq, Eq)]
pub struct Sealed {
    pub path: PathBuf,
    pub identifier: String,
    /// Fingerprints of their keys.
    pub signers: Vec<String>,
}

#[derive(Debug, Error)]
pub enum SealError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Payload(#[from] PayloadError),
    #[error(transparent)]
    Logs(#[from] LogError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error(transparent)]
    Cms(#[from] CmsError),
    #[error("a bundle has 1 to {} different signers; name each key once with --key", layout::MOST_SIGNERS)]
    Signers,
    #[error("{}: is not a sealed bundle; name a directory or zip made by `patuh seal`", .0.display())]
    NotABundle(PathBuf),
    #[error("an amended bundle says why it replaces the older one; give --reason TEXT")]
    Reason,
    #[error(transparent)]
    Attested(#[from] AttestedError),
    #[error("{}: the bundle was sealed of another recording than the one beside these attestations", .0.display())]
    OtherRecording(PathBuf),
    #[error("{}: is packed; unpack it, attach the token, and pack it again", .0.display())]
    Packed(PathBuf),
    #[error(transparent)]
    Timestamp(#[from] TimestampError),
    #[error("{0}")]
    Bundle(layout::ReadError),
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
    build(sealing)?.place(sealing.out, Container::Directory)
}

/// A signed bundle that stands nowhere yet.
#[derive(Debug)]
pub struct Built {
    files: Files,
    signers: Vec<String>,
}

/// Judges, builds and signs.
pub fn build(sealing: &Sealing<'_>) -> Result<Built, SealError> {
    let at = &sealing.sealed_at;
    if !at.ends_with('Z') || at.parse::<jiff::Timestamp>().is_err() {
        return Err(SealError::Time(at.clone()));
    }
    let from = ingredients(sealing)?;
    logs::check(&from)?;
    let judged = payload::judge(&from)?;
    let mut files = layout::with_tags(payload::build(&from, &judged, sealing.views)?, at);
    let certificates = sealing.cms.map(CmsKey::digests).unwrap_or_default();
    // An amended bundle has the same transcripts, so that the older one's confidential bag opens it, too.
    let older = sealing.source.bundle.as_ref().and_then(|b| b.confidential.clone());
    let confidential = sealing.confidential.map(Bag::digest).or(older);
    let by = By { signers: signers(sealing.keys)?, certificates, confidential };
    let statement = statement::write(&files, &judged, &from, at, &by);
    for (n, key) in sealing.keys.iter().enumerate() {
        files.insert(layout::signature(n), key.sign(&statement)?.into());
        files.insert(layout::signer(n), key.public_line()?.into());
    }
    files.insert(layout::ENVELOPE.to_owned(), dsse::write(&statement, sealing.keys)?.into());
    if let Some(key) = sealing.cms {
        files.insert(layout::CMS.to_owned(), key.sign(&statement, at)?.into());
    }
    files.insert(layout::STATEMENT.to_owned(), statement.into());
    Ok(Built { files, signers: by.signers })
}

/// What a bundle is put into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    Directory,
    Zip,
}

impl Built {
    /// The bytes that a time-stamping authority is asked about.
    pub fn stamped(&self) -> &[u8] {
        layout::bytes(&self.files, layout::SIGNATURE)
    }

    /// Takes an authority's answer in, if it is one about this bundle.
    pub fn stamp(&mut self, response: Vec<u8>) -> Result<Token, TimestampError> {
        let token = timestamp::read(&response, self.stamped())?;
        self.files.insert(layout::TOKEN.to_owned(), response.into());
        Ok(token)
    }

    /// Puts the whole bundle in place at once, or nothing.
    pub fn place(self, out: &Path, container: Container) -> Result<Sealed, SealError> {
        let identifier = layout::identifier(layout::bytes(&self.files, layout::MANIFEST));
        match container {
            Container::Directory => place(&self.files, out)?,
            Container::Zip => {
                place_file(out, |file| {
                    archive::write(&self.files, &identifier, BufWriter::new(file))?.into_inner()?;
                    Ok(())
                })?;
            }
        }
        Ok(Sealed { path: out.to_owned(), identifier, signers: self.signers })
    }
}

/// The signers' fingerprints: at least one, none twice.
fn signers(keys: &[SigningKey]) -> Result<Vec<String>, SealError> {
    let prints: Vec<String> = keys.iter().map(SigningKey::fingerprint).collect();
    let different: BTreeSet<&String> = prints.iter().collect();
    if prints.is_empty() || prints.len() > layout::MOST_SIGNERS || different.len() != prints.len() {
        return Err(SealError::Signers);
    }
    Ok(prints)
}

fn absent(out: &Path) -> Result<(), SealError> {
    match fs::symlink_metadata(out) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(SealError::Write { path: out.to_owned(), error }),
        Ok(_) => Err(SealError::Exists(out.to_owned())),
    }
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> SealError {
    let path = path.to_owned();
    move |error| SealError::Write { path, error }
}

/// A name beside `out` that no bundle has.
fn beside(out: &Path) -> PathBuf {
    let name = out.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    out.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}

/// Writes a file beside `out` and renames it into place.
pub fn place_file(out: &Path, content: impl FnOnce(&mut fs::File) -> io::Result<()>) -> Result<(), SealError> {
    let partial = Partial(beside(out));
    write(&partial.0, content).map_err(failed(&partial.0))?;
    absent(out)?;
    fs::rename(&partial.0, out).map_err(failed(out))
}

/// Attaches an authority's answer to a sealed bundle in a directory. What was sealed is not touched.
pub fn attach(bundle: &Path, response: &[u8]) -> Result<Token, SealError> {
    if !bundle.is_dir() {
        return Err(SealError::Packed(bundle.to_owned()));
    }
    let out = bundle.join(layout::TOKEN);
    absent(&out)?;
    keep(&out, response, &signature_of(bundle)?)
}

/// Puts an authority's answer about `stamped` in a new file.
pub fn keep(out: &Path, response: &[u8], stamped: &[u8]) -> Result<Token, SealError> {
    absent(out)?;
    let token = timestamp::read(response, stamped)?;
    place_file(out, |file| file.write_all(response))?;
    Ok(token)
}

/// The bytes of a sealed bundle that a time-stamping authority is asked about.
pub fn signature_of(bundle: &Path) -> Result<Vec<u8>, SealError> {
    let files = layout::load(bundle).map_err(SealError::Bundle)?;
    let signature = files.get(layout::SIGNATURE).and_then(Body::held);
    signature.map(<[u8]>::to_vec).ok_or_else(|| SealError::NotABundle(bundle.to_owned()))
}

/// Writes the files beside `out` and renames them into place.
fn place(files: &Files, out: &Path) -> Result<(), SealError> {
    let beside = beside(out);
    fs::create_dir(&beside).map_err(failed(&beside))?;
    let partial = Partial(beside);
    for (name, body) in files {
        let path = partial.0.join(name);
        write(&path, |file| body.copy(file)).map_err(failed(&path))?;
    }
    absent(out)?;
    fs::rename(&partial.0, out).map_err(failed(out))
}

fn write(path: &Path, content: impl FnOnce(&mut fs::File) -> io::Result<()>) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    let mut file = fs::File::create_new(path)?;
    content(&mut file)?;
    file.sync_all()
}

/// A directory or file that is removed unless it was renamed away.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = if self.0.is_dir() { fs::remove_dir_all(&self.0) } else { fs::remove_file(&self.0) };
    }
}
