//! `attest` and `waive`: what people judge, appended beside the recording.
use super::{Done, Exit, Failure, bundle, output, source};
use clap::{Args, ValueEnum};
use patuh::{
    bundle::judgements,
    judge::profile::{BUILTIN, Method, nearest},
    model::{
        Sha256Digest,
        attestation::{Attachment, Attestation, Attested, Statement, Waiver},
    },
    scan::{clock, journal::RECORDING},
};
use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
};

#[derive(Clone, Copy, ValueEnum)]
pub enum VerdictArg {
    Pass,
    Fail,
    Inconclusive,
}

#[derive(Args)]
#[command(
    after_help = "An attestation completes what checks leave to a person. It never lifts what a check found: that shows as a contradiction.\n\nExamples:\n  patuh attest camera --unit 5.1-1-1a --verdict pass --by 'A. Tan' --why 'generator reviewed, per-device' --attach label.jpg\n  patuh attest camera --unit 5.3-8 --verdict pass --by 'A. Tan' --why 'three fixes in time' --key ~/.ssh/id_ed25519\n  patuh attest camera --unit 5.3-13 --verdict fail --by 'A. Tan' --why 'no end date on the page' --second 'B. Lim'"
)]
pub struct AttestArgs {
    /// A recording's directory
    #[arg(value_name = "RECORDING")]
    recording: PathBuf,
    /// A test unit such as 5.1-1-1a, or a requirement of a profile
    #[arg(long, value_name = "ID")]
    unit: String,
    #[arg(long, value_enum)]
    verdict: VerdictArg,
    /// Who judges
    #[arg(long, value_name = "NAME")]
    by: String,
    /// On what grounds
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// A file relied on; it is copied beside the recording with its digest
    #[arg(long, value_name = "FILE")]
    attach: Option<PathBuf>,
    /// A second person who looked and agrees
    #[arg(long, value_name = "NAME")]
    second: Option<String>,
    /// The last day on which it counts, such as 2027-06-30
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
    /// A profile of your own that has the requirement
    #[arg(long, value_name = "FILE")]
    profile: Option<String>,
    /// Sign it: an SSH private key, or the .pub file of a key that your SSH agent holds
    #[arg(long, value_name = "SSHKEY")]
    key: Option<PathBuf>,
}

#[derive(Args)]
#[command(
    after_help = "A waiver is shown in every report and changes no outcome: what is not met stays not met.\n\nExamples:\n  patuh waive camera --requirement 5.6-1 --by 'C. Ng' --why 'Telnet goes in the next release' --expires 2027-03-31"
)]
pub struct WaiveArgs {
    /// A recording's directory
    #[arg(value_name = "RECORDING")]
    recording: PathBuf,
    /// A requirement of a profile
    #[arg(long, value_name = "ID")]
    requirement: String,
    /// Who takes the risk
    #[arg(long, value_name = "NAME")]
    by: String,
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// The last day on which it holds
    #[arg(long, value_name = "DATE")]
    expires: String,
    /// A profile of your own that has the requirement
    #[arg(long, value_name = "FILE")]
    profile: Option<String>,
    /// Sign it: an SSH private key, or the .pub file of a key that your SSH agent holds
    #[arg(long, value_name = "SSHKEY")]
    key: Option<PathBuf>,
}

pub fn run(a: &AttestArgs) -> Done {
    directory(&a.recording)?;
    let (units, requirements) = known(a.profile.as_deref())?;
    named("unit or requirement", &a.unit, units.iter().chain(&requirements))?;
    let attestation = Attestation {
        unit: a.unit.clone(),
        verdict: match a.verdict {
            VerdictArg::Pass => Attested::Pass,
            VerdictArg::Fail => Attested::Fail,
            VerdictArg::Inconclusive => Attested::Inconclusive,
        },
        by: a.by.trim().to_owned(),
        why: a.why.trim().to_owned(),
        at: clock::now(),
        second: a.second.clone(),
        expires: a.expires.clone(),
        attachment: None,
        signature: None,
    };
    attest(&a.recording, attestation, a.attach.as_deref(), a.key.as_deref())?;
    output::note(&format!("{} attested by {}", a.unit, a.by));
    Ok(Exit::Passed)
}

pub fn waive(a: &WaiveArgs) -> Done {
    directory(&a.recording)?;
    let (_, requirements) = known(a.profile.as_deref())?;
    named("requirement", &a.requirement, requirements.iter())?;
    let waiver = Waiver {
        requirement: a.requirement.clone(),
        by: a.by.trim().to_owned(),
        why: a.why.trim().to_owned(),
        at: clock::now(),
        expires: a.expires.clone(),
        signature: None,
    };
    append(&a.recording, Statement::Waiver(waiver), a.key.as_deref())?;
    output::note(&format!("{} waived by {} until {}; its outcome stays", a.requirement, a.by, a.expires));
    Ok(Exit::Passed)
}

/// Only a recording can be added to; a bundle is sealed.
pub fn directory(dir: &Path) -> Result<(), Failure> {
    if dir.join("bagit.txt").exists() {
        let message = format!(
            "`{}` is a sealed bundle, which nothing is added to; attest its recording, then `patuh amend` the bundle",
            dir.display()
        );
        return Err(Failure::new(Exit::BadInput, message));
    }
    if !dir.join(RECORDING).exists() {
        let message = format!("`{}` is not a recording (made by `patuh scan --out DIR`)", dir.display());
        return Err(Failure::new(Exit::NoInput, message));
    }
    Ok(())
}

/// Every unit of every method, and every requirement of every profile at its highest level.
fn known(own: Option<&str>) -> Result<(BTreeSet<String>, BTreeSet<String>), Failure> {
    let units = Method::all().iter().flat_map(Method::units).map(|(_, _, u)| u.id.clone()).collect();
    let mut requirements = BTreeSet::new();
    for name in BUILTIN.iter().map(|(id, _)| *id).chain(own) {
        let lowest = source::profile(name)?;
        requirements.extend(lowest.requirements.iter().map(|r| r.id.clone()));
        if let (Some(top), false) = (lowest.levels.last(), name.ends_with(".toml")) {
            let highest = source::profile(&format!("{name}:{}", top.id))?;
            requirements.extend(highest.requirements.into_iter().map(|r| r.id));
        }
    }
    Ok((units, requirements))
}

fn named<'a>(what: &str, id: &str, mut known: impl Iterator<Item = &'a String> + Clone) -> Result<(), Failure> {
    if known.clone().any(|k| k == id) {
        return Ok(());
    }
    let near = nearest(id, known.by_ref().map(String::as_str));
    Err(Failure::new(Exit::Usage, format!("no {what} `{id}`{near}; see `patuh profile show ID`")))
}

/// Keeps a copy of the attachment, then appends.
pub fn attest(
    dir: &Path,
    mut attestation: Attestation,
    attach: Option<&Path>,
    key: Option<&Path>,
) -> Result<(), Failure> {
    sound(&Statement::Attestation(attestation.clone()))?;
    if let Some(file) = attach {
        attestation.attachment = Some(keep(dir, file)?);
    }
    append(dir, Statement::Attestation(attestation), key)
}

fn sound(statement: &Statement) -> Result<(), Failure> {
    statement.sound().map_err(|m| Failure::new(Exit::Usage, m))?;
    let expires = match statement {
        Statement::Attestation(a) => a.expires.as_deref(),
        Statement::Waiver(w) => Some(w.expires.as_str()),
    };
    let now = clock::now();
    match expires.filter(|day| *day < now.get(..10).unwrap_or_default()) {
        Some(day) => Err(Failure::new(Exit::Usage, format!("--expires {day} is past; name a day to come"))),
        None => Ok(()),
    }
}

fn keep(dir: &Path, file: &Path) -> Result<Attachment, Failure> {
    let bytes = source::read(file)?;
    let sha256 = Sha256Digest::of(&bytes);
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let name: String = file.file_name().unwrap_or_default().to_string_lossy().chars().map(plain).collect();
    // Its end, with what kind of file it is: a bundle's paths are short.
    let name = name.get(name.len().saturating_sub(60)..).unwrap_or(&name).to_ascii_lowercase();
    let name = format!("{}-{}", sha256.hex().get(..12).unwrap_or_default(), name.trim_start_matches('.'));
    let into = dir.join(source::ATTACHMENTS);
    let failed = |e: std::io::Error| Failure::new(Exit::Io, format!("`{}/{name}`: {e}", into.display()));
    std::fs::create_dir_all(&into).map_err(failed)?;
    // The same bytes may be relied on twice; the name tells them apart from others.
    std::fs::write(into.join(&name), &bytes).map_err(failed)?;
    Ok(Attachment { name, sha256 })
}

/// One line more, by one call, signed where a key is given. Everything that stands there is read first, so that nothing is
/// added to a broken file.
fn append(dir: &Path, mut statement: Statement, key: Option<&Path>) -> Result<(), Failure> {
    sound(&statement)?;
    source::attestations(dir)?;
    if let Some(path) = key {
        let signed = judgements::sign(&mut statement, &bundle::signing_key(path)?);
        signed.map_err(|e| Failure::new(Exit::BadConfig, e.to_string()))?;
    }
    let line = statement.line().map_err(|e| Failure::new(Exit::Ours, format!("{e}; please report this")))?;
    let path = dir.join(source::ATTESTATIONS);
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(&path);
    let written = opened.and_then(|mut f| f.write_all(line.as_bytes()).and_then(|()| f.sync_all()));
    written.map_err(|e| Failure::new(Exit::Io, format!("`{}`: {e}", path.display())))
}
