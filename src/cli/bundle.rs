//! `seal`, `amend`, `keygen` and `verify`.
use super::{
    Done, Exit, Failure,
    args::{AmendArgs, KeygenArgs, SealArgs, SealForm, VerifyArgs},
    confidential::{self, Confidential},
    output, source, timestamp,
};
use jiff::civil::Date;
use patuh::{
    bundle::{
        Amendment, CmsKey, Container, Content, Interim, LineOutcome, Records, SealError, Sealing, SourceError,
        open::{Source, attested_in},
        payload::ProfileSource,
        seal,
        sign::{SigningKey, keygen},
        verify,
    },
    model::Sha256Digest,
    report::{self, Report, Standing},
    scan::journal::RECORDING,
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
    let replaces = content.supersedes.map(|s| (s.bundle_id.as_str(), s.reason.as_str()));
    let (recording, assessments, laboratory) = (content.recording, content.assessments, content.laboratory);
    let report = Report { recording, assessments, standing, replaces, laboratory };
    report::views(&report).map_err(|e| e.to_string())
}

pub async fn run_seal(a: &SealArgs) -> Done {
    let keys = keys(&a.key)?;
    let mut source = opened(&a.source)?;
    let beside = source::companions(&a.beside)?;
    if !beside.is_empty() {
        source.from.beside = beside;
    }
    let profiles = profile_sources(&a.profile, &source, a.as_of)?;
    let (interim, out) = (interim(a.interim), a.out.as_path());
    let (sealed_at, cms) = (patuh::scan::clock::now(), cms_key(&a.form)?);
    let (cms, amendment) = (cms.as_ref(), None);
    let guarded = Confidential::new(&a.confidential_to, &source, out, &sealed_at)?;
    let confidential = guarded.as_ref().map(|c| &c.bag);
    let sealing =
        Sealing { source, profiles, keys: &keys, out, interim, sealed_at, views, amendment, cms, confidential };
    finish(&sealing, &a.form, guarded.as_ref()).await
}

pub async fn run_amend(a: &AmendArgs) -> Done {
    let keys = keys(&a.key)?;
    let source = opened(&a.bundle)?;
    let profiles = profile_sources(&a.profile, &source, a.as_of)?;
    let given = |path: &Option<PathBuf>| path.as_ref().map(|p| source::read(p)).transpose();
    let mut amendment =
        Amendment { reason: a.reason.clone(), ics: given(&a.ics)?, ixit: given(&a.ixit)?, ..Amendment::default() };
    amendment.laboratory = given(&a.laboratory)?;
    if let Some(dir) = &a.attested {
        super::attest::directory(dir)?;
        amendment.attested = attested_in(dir).map_err(|e| seal_failure(&e.into()))?;
        amendment.attested_of = Some(Sha256Digest::of(&source::read(&dir.join(RECORDING))?));
        if amendment.attested.is_none() {
            let message =
                format!("`{}` holds no {}; add to it with `patuh attest`", dir.display(), source::ATTESTATIONS);
            return Err(Failure::new(Exit::NoInput, message));
        }
    }
    let (interim, out) = (interim(a.interim), a.out.as_path());
    let (sealed_at, cms) = (patuh::scan::clock::now(), cms_key(&a.form)?);
    let (cms, amendment, confidential) = (cms.as_ref(), Some(amendment), None);
    let sealing =
        Sealing { source, profiles, keys: &keys, out, interim, sealed_at, views, amendment, cms, confidential };
    finish(&sealing, &a.form, None).await
}

/// The laboratory's X.509 key, where it signs with one.
fn cms_key(form: &SealForm) -> Result<Option<CmsKey>, Failure> {
    let (Some(certificates), Some(key)) = (&form.cms_cert, &form.cms_key) else { return Ok(None) };
    let read = CmsKey::read(&source::read(certificates)?, &source::text(key)?);
    let named = format!("{} and {}", certificates.display(), key.display());
    read.map(Some).map_err(|e| Failure::new(Exit::BadConfig, format!("{named}: {e}")))
}

pub fn opened(path: &Path) -> Result<Source, Failure> {
    Source::open(path).map_err(|e| seal_failure(&e.into()))
}

fn interim(asked: bool) -> Interim {
    if asked { Interim::Yes } else { Interim::No }
}

/// The profiles named, once all of them were in force on the day of the recording.
fn profile_sources(names: &[String], from: &Source, as_of: Option<Date>) -> Result<Vec<ProfileSource>, Failure> {
    let names = source::names_on(names, &source::Day::of(from.recording(), as_of)?)?;
    names.iter().map(|n| profile_source(n)).collect()
}

/// Seals, asks for the time, puts the bundle in place and says what was done. A bundle whose authority did
/// not answer is kept: its token can be attached later.
async fn finish(sealing: &Sealing<'_>, form: &SealForm, guarded: Option<&Confidential>) -> Done {
    if sealing.out.symlink_metadata().is_ok() {
        return Err(seal_failure(&SealError::Exists(sealing.out.to_owned())));
    }
    let mut built = seal::build(sealing).map_err(|e| seal_failure(&e))?;
    let mut stamped = None;
    if let Some(url) = &form.tsa {
        stamped = Some(match timestamp::ask(url, built.stamped()).await {
            Ok(answer) => built.stamp(answer).map_err(|e| Failure::new(Exit::BadInput, format!("`{url}`: {e}"))),
            Err(e) => Err(e),
        });
    }
    let query = form.timestamp_request.as_ref().map(|path| (path, built.stamped().to_vec()));
    let container = if form.zip { Container::Zip } else { Container::Directory };
    guarded.map_or(Ok(()), Confidential::place)?;
    let sealed = built.place(sealing.out, container).map_err(|e| {
        guarded.inspect(|c| c.withdraw());
        seal_failure(&e)
    })?;
    if let Some((path, stamped)) = query {
        timestamp::write_query(path, &stamped, sealing.out)?;
    }
    let mut out = format!("{} sealed as {}\n", sealed.path.display(), sealed.identifier);
    for key in sealing.keys {
        let _ = write!(out, "signed by {}\n{}", key.fingerprint(), allowed(key)?);
    }
    out.extend(guarded.map(Confidential::said));
    output::result(&out)?;
    match stamped {
        None => {}
        Some(Ok(token)) => output::result(&format!("stamped at {} (serial {})\n", token.time, token.serial))?,
        Some(Err(e)) => {
            let message = format!("{}; the bundle is sealed without it: see `patuh timestamp --help`", e.message);
            return Err(Failure::new(e.exit, message));
        }
    }
    Ok(Exit::Passed)
}

/// What a certifier puts into its records of the laboratory.
fn allowed(key: &SigningKey) -> Result<String, Failure> {
    let public = key.public_line().map_err(|e| Failure::new(Exit::Ours, e.to_string()))?;
    Ok(format!("public key for the certifier's allowed_signers: {public}"))
}

pub fn run_keygen(a: &KeygenArgs) -> Done {
    let key = keygen(&a.file).map_err(|e| Failure::new(Exit::Io, e.to_string()))?;
    output::result(&format!("{}: {}\n{}", a.file.display(), key.fingerprint(), allowed(&key)?))?;
    Ok(Exit::Passed)
}

/// The keys named, or one of this user's own.
fn keys(named: &[PathBuf]) -> Result<Vec<SigningKey>, Failure> {
    let bad = |e: patuh::bundle::sign::KeyError| Failure::new(Exit::BadConfig, e.to_string());
    if named.is_empty() {
        return Ok(vec![own_key()?.map_err(bad)?]);
    }
    named.iter().map(|path| signing_key(path)).collect()
}

/// The key of a file. A `.pub` file names one in the SSH agent.
pub fn signing_key(path: &Path) -> Result<SigningKey, Failure> {
    let bad = |e: patuh::bundle::sign::KeyError| Failure::new(Exit::BadConfig, e.to_string());
    if path.extension().is_none_or(|e| e != "pub") {
        let phrase = std::env::var("PATUH_KEY_PASSPHRASE").ok();
        return SigningKey::load(path, phrase.as_deref()).map_err(bad);
    }
    let Some(socket) = std::env::var_os("SSH_AUTH_SOCK") else {
        let message = format!(
            "`{}` is a public key, and no SSH agent runs (SSH_AUTH_SOCK is not set); start one with ssh-agent",
            path.display()
        );
        return Err(Failure::new(Exit::BadConfig, message));
    };
    SigningKey::from_agent(Path::new(&socket), path).map_err(bad)
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

/// Seals as `seal` does, under built-in profiles, with one key.
pub fn make(from: &Path, profiles: &[String], key: SigningKey, out: &Path) -> Result<(), Failure> {
    let source = opened(from)?;
    let profiles: Result<Vec<ProfileSource>, Failure> = profiles.iter().map(|n| profile_source(n)).collect();
    let (profiles, keys, interim) = (profiles?, &[key], Interim::Yes);
    let sealed_at = patuh::scan::clock::now();
    let (amendment, cms, confidential) = (None, None, None);
    let sealing = Sealing { source, profiles, keys, out, interim, sealed_at, views, amendment, cms, confidential };
    seal::seal(&sealing).map(drop).map_err(|e| seal_failure(&e))
}

pub fn seal_failure(e: &SealError) -> Failure {
    use SealError as E;
    let exit = match e {
        E::Source(SourceError::Recording { .. } | SourceError::Bundle(_)) => Exit::BadInput,
        E::Source(_) => Exit::NoInput,
        E::Payload(_)
        | E::Logs(_)
        | E::Attested(_)
        | E::OtherRecording(_)
        | E::NotABundle(_)
        | E::Timestamp(_)
        | E::Bundle(_) => Exit::BadInput,
        E::Key(_) | E::Cms(_) | E::Signers => Exit::BadConfig,
        E::Exists(_) | E::Write { .. } => Exit::Io,
        E::Reason | E::Packed(_) => Exit::Usage,
        E::Time(_) => Exit::Ours,
    };
    Failure::new(exit, e.to_string())
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
    let revoked = a.revoked.as_ref().map(|p| source::read(p)).transpose()?;
    let revoked = revoked.map(|b| String::from_utf8_lossy(&b).into_owned());
    let anchors = a.tsa_anchors.as_ref().map(|p| source::read(p)).transpose()?;
    let cms_anchors = a.cms_anchors.as_ref().map(|p| source::read(p)).transpose()?;
    let records = Records {
        signers: allowed.as_deref(),
        revoked: revoked.as_deref(),
        anchors: anchors.as_deref(),
        cms_anchors: cms_anchors.as_deref(),
    };
    let verification = verify(&a.bundle, &records, views);
    let opened = confidential::line(&a.bundle, a.confidential.as_ref().zip(a.identity.as_ref()))?;
    let mut out = String::new();
    for l in verification.lines.iter().chain(&opened) {
        let _ = writeln!(out, "{:<14} {:<12} {}", l.name, l.outcome.word(), l.detail);
    }
    output::result(&out)?;
    let opened = opened.is_none_or(|l| l.outcome != LineOutcome::Failed);
    Ok(if verification.code() == 0 && opened { Exit::Passed } else { Exit::BadInput })
}
