//! `seal`, `verify` and `report`.
use super::{
    Done, Exit, Failure,
    args::{ReportArgs, ReportFormat, SealArgs, VerifyArgs},
    output, source,
};
use patuh::{
    bundle::{
        Content, Interim, Sealing, open,
        payload::ProfileSource,
        seal,
        sign::{SigningKey, keygen},
        verify,
    },
    judge::profile::BUILTIN,
    report::{self, Report, Standing},
};
use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

/// The views that a bundle holds; verifying makes them again and compares.
pub fn views(content: &Content<'_>) -> Result<Vec<(String, Vec<u8>)>, String> {
    let standing = match content.interim {
        Interim::No => Standing::Sealed,
        Interim::Yes => Standing::Interim,
    };
    let report = Report { recording: content.recording, assessments: content.assessments, standing };
    report::views(&report).map_err(|e| e.to_string())
}

pub fn run_seal(a: &SealArgs) -> Done {
    let key = match &a.key {
        Some(path) => SigningKey::load(path, std::env::var("PATUH_KEY_PASSPHRASE").ok().as_deref()),
        None => own_key()?,
    }
    .map_err(|e| Failure::new(Exit::BadConfig, e.to_string()))?;
    let interim = if a.interim { Interim::Yes } else { Interim::No };
    let sealed = make(&a.source, &a.profile, &key, &a.out, interim)?;
    let public = key.public_line().map_err(|e| Failure::new(Exit::Ours, e.to_string()))?;
    output::result(&format!(
        "{} sealed as {}\nsigned by {}\npublic key for the certifier's allowed_signers: {public}\n",
        sealed.path.display(),
        sealed.identifier,
        sealed.signer
    ))?;
    Ok(Exit::Passed)
}

/// A key of this user's own, made at the first use.
fn own_key() -> Result<Result<SigningKey, patuh::bundle::sign::KeyError>, Failure> {
    let home = std::env::var_os("HOME")
        .ok_or_else(|| Failure::new(Exit::Usage, "no --key given and HOME is not set; give --key"))?;
    let path = PathBuf::from(home).join(".config/patuh/seal_ed25519");
    if path.exists() {
        return Ok(SigningKey::load(&path, None));
    }
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(|e| Failure::new(Exit::Io, format!("`{}`: {e}", dir.display())))?;
    }
    output::note(&format!("no --key given: a key of your own was made at {}", path.display()));
    Ok(keygen(&path))
}

pub fn make(
    from: &Path,
    profiles: &[String],
    key: &SigningKey,
    out: &Path,
    interim: Interim,
) -> Result<patuh::bundle::seal::Sealed, Failure> {
    let profiles: Result<Vec<ProfileSource>, Failure> = profiles.iter().map(|n| profile_source(n)).collect();
    let sealing = Sealing {
        recording: from,
        profiles: profiles?,
        key,
        out,
        interim,
        sealed_at: patuh::scan::clock::now(),
        views,
    };
    use patuh::bundle::SealError as E;
    seal(&sealing).map_err(|e| {
        let exit = match &e {
            E::Source(_) => Exit::NoInput,
            E::Payload(_) => Exit::BadInput,
            E::Key(_) => Exit::BadConfig,
            E::Exists(_) | E::Write { .. } => Exit::Io,
            E::Time(_) => Exit::Ours,
        };
        Failure::new(exit, e.to_string())
    })
}

fn profile_source(name: &str) -> Result<ProfileSource, Failure> {
    let bad = |e: patuh::judge::profile::ProfileError| Failure::new(Exit::BadConfig, e.to_string());
    if name.ends_with(".toml") {
        let bytes = source::read(Path::new(name))?;
        return ProfileSource::written(name, &String::from_utf8_lossy(&bytes), None).map_err(bad);
    }
    ProfileSource::builtin(name).map_err(bad)
}

pub fn run_verify(a: &VerifyArgs) -> Done {
    if !a.bundle.exists() {
        return Err(Failure::new(Exit::NoInput, format!("`{}`: no such bundle", a.bundle.display())));
    }
    let allowed = a.signers.as_ref().map(|p| source::read(p)).transpose()?;
    let allowed = allowed.map(|b| String::from_utf8_lossy(&b).into_owned());
    let verification = verify(&a.bundle, allowed.as_deref(), views);
    let mut out = String::new();
    for l in &verification.lines {
        let _ = writeln!(out, "{:<14} {:<12} {}", l.name, l.outcome.word(), l.detail);
    }
    output::result(&out)?;
    Ok(if verification.code() == 0 { Exit::Passed } else { Exit::BadInput })
}

pub fn run_report(a: &ReportArgs) -> Done {
    let (recording, assessments, standing) = if a.profile.is_empty() && a.source.join("bagit.txt").exists() {
        let bundle = open(&a.source).map_err(|e| Failure::new(Exit::BadInput, e.to_string()))?;
        let standing = if bundle.interim() == Interim::Yes { Standing::Interim } else { Standing::Sealed };
        let recording = bundle.recording().clone();
        // Judged again just now, never read from the file.
        (recording, bundle, standing)
    } else {
        return unsealed(a);
    };
    show(a, &Report { recording: &recording, assessments: assessments.assessments(), standing })
}

/// A report of a recording that is in no bundle yet, under the named profiles (or all).
fn unsealed(a: &ReportArgs) -> Done {
    let names = if a.profile.is_empty() { BUILTIN.iter().map(|b| b.0.to_owned()).collect() } else { a.profile.clone() };
    let recording = source::recording(&a.source)?;
    let (ics, ixit) = (source::ics(None, &a.source)?, source::ixit(None, &a.source)?);
    let all = super::judge::all(&recording, ics.as_ref(), ixit.as_ref(), &source::profiles(&names)?);
    show(a, &Report { recording: &recording, assessments: &all, standing: Standing::Unsealed })
}

fn show(a: &ReportArgs, report: &Report<'_>) -> Done {
    let ours = |e: report::ReportError| Failure::new(Exit::Ours, e.to_string());
    let text = match a.format {
        ReportFormat::Html => report::html(report).map_err(ours)?,
        ReportFormat::Json => report::json(report.assessments),
        ReportFormat::Text => report.assessments.iter().map(report::text).collect::<Vec<_>>().join("\n"),
        ReportFormat::Csv => report::csv(report.assessments),
        ReportFormat::Junit => report::junit(report).map_err(ours)?,
        ReportFormat::Sarif => report::sarif(report, a.sarif_anchor.as_deref()),
        ReportFormat::Oscal => return oscal(a, report),
    };
    match &a.out {
        None => output::result(&text)?,
        Some(path) => output::file(path, text.as_bytes())?,
    }
    Ok(Exit::Passed)
}

/// OSCAL is four files that refer to each other, so that it needs a directory.
fn oscal(a: &ReportArgs, report: &Report<'_>) -> Done {
    let Some(dir) = &a.out else {
        let message = "--format oscal writes four files; name a directory with --out DIR";
        return Err(Failure::new(Exit::Usage, message));
    };
    std::fs::create_dir_all(dir).map_err(|e| Failure::new(Exit::Io, format!("`{}`: {e}", dir.display())))?;
    for (name, text) in report::oscal(report) {
        output::file(&dir.join(name), text.as_bytes())?;
    }
    Ok(Exit::Passed)
}
