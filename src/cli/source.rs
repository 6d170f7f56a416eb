//! Reads what people name on the command line: recordings, declarations, scopes.
use super::{Exit, Failure};
use patuh::{
    bundle::{VerifiedBundle, open, open::is_zip, payload},
    judge::{assess::Read, profile::Profile},
    model::{Ics, Ixit, Recording, Scope, Sha256Digest, declarations::located},
    scan::journal::RECORDING,
};
use std::path::{Path, PathBuf};

pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| {
        let exit = if e.kind() == std::io::ErrorKind::NotFound { Exit::NoInput } else { Exit::Io };
        Failure::new(exit, format!("`{}`: {e}", path.display()))
    })
}

fn text(path: &Path) -> Result<String, Failure> {
    let not_text = |_| Failure::new(Exit::BadInput, format!("`{}` is not UTF-8 text", path.display()));
    String::from_utf8(read(path)?).map_err(not_text)
}

/// The recording in a directory made by `scan --out`, or inside a bundle.
pub fn recording(source: &Path) -> Result<Recording, Failure> {
    if let Some(bundle) = packed(source)? {
        return Ok(bundle.recording().clone());
    }
    let places = [source.join(RECORDING), source.join("data/recording").join(RECORDING)];
    let file = match places.iter().find(|p| p.exists()) {
        Some(p) => p.clone(),
        None if source.is_file() => source.to_owned(),
        None => {
            let message =
                format!("`{}` is neither a recording (made by `patuh scan --out DIR`) nor a bundle", source.display());
            return Err(Failure::new(Exit::NoInput, message));
        }
    };
    let bytes = read(&file)?;
    Recording::parse(&bytes).map_err(|e| Failure::new(Exit::BadInput, format!("{}: {e}", file.display())))
}

/// A bundle that was packed for carrying, checked.
fn packed(source: &Path) -> Result<Option<VerifiedBundle>, Failure> {
    let bad = |e: patuh::bundle::open::OpenError| Failure::new(Exit::BadInput, e.to_string());
    if is_zip(source) { open(source).map(Some).map_err(bad) } else { Ok(None) }
}

/// The declaration named, or the one that lies beside the recording.
fn declaration(named: Option<&PathBuf>, source: &Path, name: &str) -> Option<PathBuf> {
    let beside = [source.join(name), source.join("data/declarations").join(name)];
    named.cloned().or_else(|| beside.into_iter().find(|p| p.exists()))
}

pub fn ics(named: Option<&PathBuf>, source: &Path) -> Result<Option<Read<Ics>>, Failure> {
    if let (None, Some(bundle)) = (named, packed(source)?) {
        let read = bundle.from.ics.as_deref().map(|b| payload::read("ics.toml", b, Ics::parse)).transpose();
        return read.map_err(|e| Failure::new(Exit::BadInput, e.to_string()));
    }
    let Some(path) = declaration(named, source, "ics.toml") else { return Ok(None) };
    let text = text(&path)?;
    let value =
        Ics::parse(&path.display().to_string(), &text).map_err(|e| Failure::new(Exit::BadInput, e.to_string()))?;
    Ok(Some(Read { value, digest: Sha256Digest::of(text.as_bytes()) }))
}

pub fn ixit(named: Option<&PathBuf>, source: &Path) -> Result<Option<Read<Ixit>>, Failure> {
    if let (None, Some(bundle)) = (named, packed(source)?) {
        let read = bundle.from.ixit.as_deref().map(|b| payload::read("ixit.toml", b, Ixit::parse)).transpose();
        return read.map_err(|e| Failure::new(Exit::BadInput, e.to_string()));
    }
    let Some(path) = declaration(named, source, "ixit.toml") else { return Ok(None) };
    let text = text(&path)?;
    let value =
        Ixit::parse(&path.display().to_string(), &text).map_err(|e| Failure::new(Exit::BadInput, e.to_string()))?;
    Ok(Some(Read { value, digest: Sha256Digest::of(text.as_bytes()) }))
}

pub fn scope(path: &Path) -> Result<Scope, Failure> {
    let text = text(path)?;
    toml::from_str(&text).map_err(|e| {
        let e = located(&path.display().to_string(), &text, &e);
        Failure::new(Exit::BadConfig, format!("{e}; a scope names authorised_by and hosts"))
    })
}

/// Built-in profiles by `ID[:LEVEL]`, or a profile file by its path.
pub fn profiles(names: &[String]) -> Result<Vec<Profile>, Failure> {
    names.iter().map(|n| profile(n)).collect()
}

pub fn profile(name: &str) -> Result<Profile, Failure> {
    let bad = |e: patuh::judge::profile::ProfileError| Failure::new(Exit::BadConfig, e.to_string());
    let path = Path::new(name);
    if name.ends_with(".toml") {
        return Profile::parse(name, &text(path)?, None).map_err(bad);
    }
    Profile::builtin(name).map_err(bad)
}
