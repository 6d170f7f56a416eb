//! Reads what people name on the command line: recordings, declarations, scopes.
use super::{Exit, Failure, args::BesideArgs, bundle::seal_failure};
use jiff::civil::Date;
use patuh::{
    bundle::{
        Companion, Role, VerifiedBundle, open,
        open::{attested_in, is_zip},
        payload,
    },
    judge::{
        Beside,
        assess::Read,
        profile::{BUILTIN, Profile, standing::day},
    },
    model::{Attestations, Ics, Ixit, Recording, Scope, Sha256Digest, declarations::located},
    scan::journal::RECORDING,
};
use std::path::{Path, PathBuf};

pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|e| {
        let exit = if e.kind() == std::io::ErrorKind::NotFound { Exit::NoInput } else { Exit::Io };
        Failure::new(exit, format!("`{}`: {e}", path.display()))
    })
}

pub fn text(path: &Path) -> Result<String, Failure> {
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

/// The recordings named to be sealed beside the first.
pub fn companions(named: &BesideArgs) -> Result<Vec<Companion>, Failure> {
    let roles = [(Role::Sample, &named.sample), (Role::Side, &named.side)];
    let all = roles.into_iter().flat_map(|(role, paths)| paths.iter().map(move |p| (role, p)));
    let all = all.chain(named.factory.iter().map(|p| (Role::Factory, p)));
    all.map(|(role, path)| Companion::open(role, path).map_err(|e| seal_failure(&e.into()))).collect()
}

/// The recordings that are judged beside the first: those named, else those that `source` holds.
pub fn beside(named: &BesideArgs, source: &Path, first: &Recording) -> Result<Beside, Failure> {
    let none = named.sample.is_empty() && named.side.is_empty() && named.factory.is_none();
    if none && (is_zip(source) || source.join("bagit.txt").exists()) {
        let bundle = open(source).map_err(|e| Failure::new(Exit::BadInput, e.to_string()))?;
        return bundle.from.judged_beside().map_err(|e| Failure::new(Exit::BadInput, e.to_string()));
    }
    let all = |paths: &[PathBuf]| paths.iter().map(|p| recording(p)).collect::<Result<Vec<_>, Failure>>();
    let factory = named.factory.as_deref().map(recording).transpose()?;
    let beside = Beside { samples: all(&named.sample)?, factory, sides: all(&named.side)? };
    beside.checked(first).map_err(|e| Failure::new(Exit::BadInput, e.to_string()))
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
    ics_is_toml(&path)?;
    let text = text(&path)?;
    let value =
        Ics::parse(&path.display().to_string(), &text).map_err(|e| Failure::new(Exit::BadInput, e.to_string()))?;
    Ok(Some(Read { value, digest: Sha256Digest::of(text.as_bytes()) }))
}

/// Spreadsheets are converted first, so that every message names a line of what is judged.
pub fn ics_is_toml(path: &Path) -> Result<(), Failure> {
    if path.extension().is_none_or(|e| e != "xlsx" && e != "csv") {
        return Ok(());
    }
    let message = format!("`{0}`: an ICS is read as TOML; run `patuh ics convert {0} ics.toml` first", path.display());
    Err(Failure::new(Exit::BadInput, message))
}

pub fn ixit(named: Option<&PathBuf>, source: &Path) -> Result<Option<Read<Ixit>>, Failure> {
    if let (None, Some(bundle)) = (named, packed(source)?) {
        let read = bundle.from.ixit.as_deref().map(|b| payload::read("ixit.toml", b, Ixit::parse)).transpose();
        return read.map_err(|e| Failure::new(Exit::BadInput, e.to_string()));
    }
    let Some(path) = declaration(named, source, "ixit.toml") else { return Ok(None) };
    if path.extension().is_some_and(|e| e == "xlsx" || e == "csv") {
        let message =
            format!("`{0}`: an IXIT is judged as TOML; run `patuh ixit convert {0} ixit.toml` first", path.display());
        return Err(Failure::new(Exit::BadInput, message));
    }
    let text = text(&path)?;
    let value =
        Ixit::parse(&path.display().to_string(), &text).map_err(|e| Failure::new(Exit::BadInput, e.to_string()))?;
    Ok(Some(Read { value, digest: Sha256Digest::of(text.as_bytes()) }))
}

pub use patuh::bundle::attested::{ATTACHMENTS, STATEMENTS as ATTESTATIONS};

/// What assessors attested, beside the recording or in a bundle. An attachment that was changed or lost is an error.
pub fn attestations(source: &Path) -> Result<Option<Read<Attestations>>, Failure> {
    let bad = |message: String| Failure::new(Exit::BadInput, message);
    let said = if is_zip(source) || source.join("bagit.txt").exists() {
        open(source).map_err(|e| bad(e.to_string()))?.from.attested
    } else {
        attested_in(source).map_err(|e| bad(e.to_string()))?
    };
    said.map(|s| s.read()).transpose().map_err(|e| bad(format!("{}/{e}", source.display())))
}

pub fn scope(path: &Path) -> Result<Scope, Failure> {
    let text = text(path)?;
    toml::from_str(&text).map_err(|e| {
        let e = located(&path.display().to_string(), &text, &e);
        Failure::new(Exit::BadConfig, format!("{e}; a scope names authorised_by and hosts"))
    })
}

/// The day on which profiles must be in force, and what says so.
pub struct Day {
    date: Date,
    whence: &'static str,
}

impl Day {
    pub fn of(recording: &Recording, as_of: Option<Date>) -> Result<Self, Failure> {
        let date = as_of.or_else(|| day(recording.as_of())).ok_or_else(|| {
            let message = format!("the recording's time `{}` is no time; name a day with --as-of", recording.as_of());
            Failure::new(Exit::BadInput, message)
        })?;
        Ok(Self { date, whence: if as_of.is_some() { "--as-of says" } else { "the recording is of" } })
    }

    pub fn now(as_of: Option<Date>) -> Result<Self, Failure> {
        let date = as_of.or_else(|| day(&patuh::scan::clock::now()));
        let date = date.ok_or_else(|| Failure::new(Exit::Ours, "the clock tells no time; name a day with --as-of"))?;
        Ok(Self { date, whence: if as_of.is_some() { "--as-of says" } else { "today is" } })
    }

    fn allows(&self, profile: &Profile) -> Result<(), Failure> {
        profile.in_force(self.date).map_err(|e| {
            let message = format!(
                "{e}, and {} {}; use a profile that is in force, or name a day of its validity with --as-of",
                self.whence, self.date
            );
            Failure::new(Exit::BadConfig, message)
        })
    }
}

/// What stands for every built-in profile that is in force.
pub const ALL: &str = "all";

/// The names with `all` spelt out; each name once.
pub fn names_on(names: &[String], day: &Day) -> Result<Vec<String>, Failure> {
    let mut spelt: Vec<String> = Vec::new();
    for name in names {
        if name == ALL {
            let current: Result<Vec<_>, Failure> = BUILTIN.iter().map(|(id, _)| profile(id)).collect();
            let current = current?.into_iter().filter(|p| p.in_force(day.date).is_ok());
            spelt.extend(current.map(|p| p.id));
        } else {
            day.allows(&profile(name)?)?;
            spelt.push(name.clone());
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    spelt.retain(|n| seen.insert(n.clone()));
    Ok(spelt)
}

/// Profiles that are in force on a day; any other is refused.
pub fn profiles_on(names: &[String], day: &Day) -> Result<Vec<Profile>, Failure> {
    profiles(&names_on(names, day)?)
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
