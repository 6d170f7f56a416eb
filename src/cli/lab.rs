//! `lab`: the device's laboratory network, from a plan to a recording.
mod hand;

use super::{Done, Exit, Failure, args::JudgeFormat, judge, output, scan, source, update};
use clap::Args;
use patuh::{
    image::{self, Mutation, PrivateKey, State, Trusted},
    model::{
        Observation, Recording, Scope, Touch,
        declarations::located,
        observation::lab::{ImageCase, Package, PackageSignature},
        scope::Consent,
    },
    scan::lab::{self, Images, Lab, LabError, Plan, Prepared, Signer, Trials},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

#[derive(Args)]
#[command(
    after_help = "Needed: the device in a network of its own whose name server is this machine, and the laboratory's CA (ca.pem\nin the plan's `ca` directory) installed in the device or in a test build of it.\n\nExamples:\n  patuh lab --plan lab.toml --ca-only\n  patuh lab --plan lab.toml --out camera\n  patuh lab --plan lab.toml --scope scope.toml --out camera --profile etsi-en303645-v2\n\nA recording in DIR is gone on with: scan first, then run the laboratory, and judge both together.\nExit codes: 0 all cases were shown; 2 some were not; 1 the device is not in order again, or with --profile as judge."
)]
pub struct LabArgs {
    /// Which device, names, servers, cases and images (TOML); `patuh explain lab-update-servers` describes it
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// Who authorised it (TOML); needed where the plan offers images
    #[arg(long, value_name = "FILE")]
    pub scope: Option<PathBuf>,
    /// Write the recording here, or go on with the one that is here
    #[arg(long, value_name = "DIR", required_unless_present = "ca_only")]
    pub out: Option<PathBuf>,
    /// Make the CA that is to be installed in the device, where there is none, and end
    #[arg(long, conflicts_with = "out")]
    pub ca_only: bool,
    /// The device that an earlier run left dirty is in order again
    #[arg(long)]
    pub restored: bool,
    /// Judge under this profile; may be repeated
    #[arg(long, value_name = "ID")]
    pub profile: Vec<String>,
    /// Implementation conformance statement (TOML)
    #[arg(long, value_name = "FILE")]
    pub ics: Option<PathBuf>,
    /// Extra information for testing (TOML)
    #[arg(long, value_name = "FILE")]
    pub ixit: Option<PathBuf>,
}

pub async fn run(a: LabArgs) -> Done {
    // Everything that can be wrong on our side is found before anything is served.
    let profiles = source::profiles_on(&a.profile, &source::Day::now(None)?)?;
    let plan = plan(&a.plan)?;
    let base = a.plan.parent().unwrap_or(Path::new("."));
    let ca = base.join(&plan.ca);
    let installed = || output::note(&format!("to be installed in the device: {}", ca.join(lab::CERTIFICATE).display()));
    let Some(dir) = a.out.as_deref().filter(|_| !a.ca_only) else {
        lab::make_ca(&ca).map_err(|e| failure(&a.plan, &e))?;
        installed();
        return Ok(Exit::Passed);
    };
    let (ics, ixit) = (source::ics(a.ics.as_ref(), dir)?, source::ixit(a.ixit.as_ref(), dir)?);
    let scope = match &a.scope {
        Some(path) => source::scope(path)?,
        None => Scope { most: Touch::Ask, ..Scope::of_command_line(&plan.device) },
    };
    permitted(&plan, &scope)?;
    clean(dir, a.restored)?;
    let cases = plan.image_cases();
    let images = plan.images.as_ref().map(|i| prepared(i, &cases, base, &scope, dir)).transpose()?;
    let signer = signer(&plan, base)?;
    let (trials, package) = images.map_or((None, None), |(t, p)| (Some(t), Some(p)));
    installed();
    let steps = output::Steps::new("lab");
    let (stop, interrupted) = scan::interruptible();
    let done =
        lab::run(Lab { plan: &plan, ca: &ca, scope, package, trials, signer, dir, stop, progress: &steps }).await;
    interrupted.abort();
    let recording = done.map_err(|e| failure(&a.plan, &e))?;
    output::note(&format!("recording: {}", dir.display()));
    if let Some(why) = dirty(&recording) {
        output::error(&format!(
            "THE DEVICE IS NOT IN ORDER: {why}. Bring it back by its recovery path before it is used or tested"
        ));
        return Ok(Exit::Failed);
    }
    if profiles.is_empty() {
        let gaps: Vec<String> = ours(&plan, &recording).iter().map(ToString::to_string).collect();
        gaps.iter().for_each(|g| output::note(&format!("not seen: {g}")));
        return Ok(if gaps.is_empty() { Exit::Passed } else { Exit::Inconclusive });
    }
    let said = source::attestations(dir)?;
    let all = judge::all_attested(&recording, ics.as_ref(), ixit.as_ref(), said.as_ref(), &profiles);
    judge::show(&recording, &all, JudgeFormat::Text)?;
    Ok(judge::outcome(&all, None))
}

/// DER of the laboratory's CA, as a maker puts it into a test build.
pub fn ca(plan: &Path) -> Result<Vec<u8>, Failure> {
    let dir = plan.parent().unwrap_or(Path::new(".")).join(&self::plan(plan)?.ca);
    lab::make_ca(&dir).map_err(|e| failure(plan, &e))?;
    let file = dir.join(lab::CERTIFICATE);
    CertificateDer::from_pem_slice(&source::read(&file)?)
        .map(|c| c.to_vec())
        .map_err(|e| Failure::new(Exit::BadInput, format!("`{}`: {e}", file.display())))
}

pub fn plan(path: &Path) -> Result<Plan, Failure> {
    let text = source::text(path)?;
    let plan: Plan = toml::from_str(&text).map_err(|e| {
        let e = located(&path.display().to_string(), &text, &e);
        Failure::new(Exit::BadConfig, format!("{e}; see `patuh explain lab-update-servers`"))
    })?;
    match plan.wrong() {
        Some(why) => Err(Failure::new(Exit::BadConfig, format!("`{}`: {why}", path.display()))),
        None => Ok(plan),
    }
}

fn failure(plan: &Path, e: &LabError) -> Failure {
    let (exit, message) = match e {
        LabError::Plan { .. } => (Exit::BadConfig, format!("`{}`: {e}", plan.display())),
        LabError::Ca { .. } | LabError::Journal { .. } => (Exit::Io, e.to_string()),
        LabError::Bind { .. } => (Exit::NotPermitted, e.to_string()),
        LabError::Resume { .. } => (Exit::BadInput, e.to_string()),
    };
    Failure::new(exit, message)
}

fn permitted(plan: &Plan, scope: &Scope) -> Result<(), Failure> {
    scan::valid_now(scope)?;
    for host in &plan.device {
        if !scope.admits_host(*host) {
            let message = format!("`{host}` is out of scope; name it in the scope file's `hosts`");
            return Err(Failure::new(Exit::NotPermitted, message));
        }
    }
    let told = |c: &Consent| [&c.sample, &c.recovery, &c.consent].iter().all(|t| !t.trim().is_empty());
    let consented = scope.most >= Touch::Alter && scope.could_brick.as_ref().is_some_and(told);
    let (disturbs, cuts_power) = plan.outage.as_ref().map_or((false, false), |o| (true, o.cuts_power()));
    if disturbs && scope.most < Touch::Stress {
        return Err(Failure::new(
            Exit::NotPermitted,
            "the plan's outages disturb the device; give --scope FILE with most = \"stress\" or more",
        ));
    }
    if plan.moves_clocks() && scope.most < Touch::Alter {
        return Err(Failure::new(
            Exit::NotPermitted,
            "a wrong time may stay in the device; give --scope FILE with most = \"alter\", or take ntp.wrong out of the plan",
        ));
    }
    if cuts_power && !consented {
        return Err(Failure::new(
            Exit::NotPermitted,
            "a device whose power is cut may not start again; give --scope FILE with most = \"alter\" and a table [could_brick] that names sample, recovery and consent",
        ));
    }
    if plan.images.is_some() && !consented {
        return Err(Failure::new(
            Exit::NotPermitted,
            "the plan's images could leave the device without software; give --scope FILE with most = \"alter\" and a table [could_brick] that names sample (which spare unit), recovery (how it is brought back) and consent (who gave it, where it is written)",
        ));
    }
    Ok(())
}

/// A device that was left in disorder is tested no further.
fn clean(dir: &Path, restored: bool) -> Result<(), Failure> {
    if restored || !dir.join(patuh::scan::journal::RECORDING).exists() {
        return Ok(());
    }
    match dirty(&source::recording(dir)?) {
        None => Ok(()),
        Some(why) => {
            let message = format!("an earlier run left the device dirty ({why}); bring it back, then say --restored");
            Err(Failure::new(Exit::NotPermitted, message))
        }
    }
}

/// Why the device is not in order, by the newest run that offered images.
fn dirty(recording: &Recording) -> Option<String> {
    let runs = ["lab-update-images", lab::CLOCK].into_iter().filter_map(|id| recording.run_of(id));
    runs.flat_map(|run| run.records.iter().rev()).find_map(|r| match &r.observation {
        Observation::LabDirty { after, why } => Some(format!("after {}: {why}", after.words())),
        _ => None,
    })
}

fn ours(plan: &Plan, recording: &Recording) -> Vec<patuh::model::Gap> {
    plan.runs().flat_map(|r| recording.gaps_of(r.id)).collect()
}

/// All images, made and checked before the device sees any.
fn prepared(
    images: &Images,
    cases: &[ImageCase],
    base: &Path,
    scope: &Scope,
    dir: &Path,
) -> Result<(Trials, Package), Failure> {
    let lacks = |key: &str, what: &str| {
        Failure::new(Exit::BadConfig, format!("images.{key} is missing: {what}; or take the case out of images.cases"))
    };
    let consent = scope.could_brick.clone().ok_or_else(|| lacks("consent", "the scope has none"))?;
    let genuine = update::read(&base.join(&images.genuine))?;
    let file = |path: &Option<PathBuf>| path.as_ref().map(|p| update::read(&base.join(p))).transpose();
    let key = |path: &Option<PathBuf>| {
        let read = |p: &PathBuf| PrivateKey::parse(&update::read(&base.join(p))?).map_err(|e| update::bad(p, &e));
        path.as_ref().map(read).transpose()
    };
    let (test_key, stranger) = (key(&images.test_key)?, key(&images.stranger_key)?);
    let (older, other_model, no_boot) = (file(&images.older)?, file(&images.other_model)?, file(&images.no_boot)?);
    let change = |kind, key: Option<&PrivateKey>| {
        image::mutate(&genuine, kind, key).map_err(|e| update::bad(&images.genuine, &e))
    };
    let mut bad = Vec::new();
    for case in cases.iter().copied() {
        let bytes = match case {
            ImageCase::PayloadBit => change(Mutation::PayloadBit, None)?,
            ImageCase::SignatureBit => change(Mutation::SignatureBit, None)?,
            ImageCase::Stripped => change(Mutation::Stripped, None)?,
            ImageCase::Truncated => change(Mutation::Truncated, None)?,
            ImageCase::Cut | ImageCase::MetadataChanged | ImageCase::MetadataExpired => genuine.clone(),
            ImageCase::OtherKey => {
                let why = "a private key of the same kind that is not the maker's";
                change(Mutation::OtherKey, Some(stranger.as_ref().ok_or_else(|| lacks("stranger_key", why))?))?
            }
            ImageCase::OtherModel => match (&other_model, &test_key) {
                (Some(image), _) => image.clone(),
                (None, Some(key)) => change(Mutation::OtherModel, Some(key))?,
                (None, None) => {
                    return Err(lacks(
                        "other_model",
                        "the maker's image for a sibling model, or test_key to sign a changed one",
                    ));
                }
            },
            ImageCase::Older => {
                let why = "an older image of the maker, and older_version";
                let bytes = older.clone().ok_or_else(|| lacks("older", why))?;
                let version = images.older_version.clone().ok_or_else(|| lacks("older_version", why))?;
                bad.push(Prepared { case, claims: images.version.clone(), version, bytes });
                continue;
            }
            ImageCase::NoBoot => {
                let why = "the maker's signed image that does not start, and no_boot_version";
                let bytes = no_boot.clone().ok_or_else(|| lacks("no_boot", why))?;
                let version = images.no_boot_version.clone().ok_or_else(|| lacks("no_boot_version", why))?;
                bad.push(Prepared { case, claims: version.clone(), version, bytes });
                continue;
            }
            // The control comes in any case, and the clock has a run of its own.
            ImageCase::Genuine | ImageCase::ClockMoved => continue,
        };
        let (claims, version) = (images.version.clone(), images.version.clone());
        bad.push(Prepared { case, claims, version, bytes });
    }
    let package = package(images, base, &genuine)?;
    let (claims, version) = (images.version.clone(), images.version.clone());
    let genuine = Prepared { case: ImageCase::Genuine, claims, version, bytes: genuine };
    let (settle, recover) = (Duration::from_secs(images.settle_seconds), images.recover.clone());
    let hand = images.push.as_ref().map(|push| hand::hand(push, base, scope)).transpose()?.map(Arc::new);
    Ok((Trials { consent, bad, genuine, settle, recover, hand, dir: dir.to_owned() }, package))
}

/// What signs the metadata, where the plan has a signature of them.
fn signer(plan: &Plan, base: &Path) -> Result<Option<Signer>, Failure> {
    let Some(path) = plan.resources.iter().find_map(|r| r.key.as_ref()).map(|k| base.join(k)) else { return Ok(None) };
    let key = PrivateKey::parse(&update::read(&path)?).map_err(|e| update::bad(&path, &e))?;
    // A key that cannot sign is found here, and not when the device asks.
    key.sign_file(b"").map_err(|e| update::bad(&path, &e))?;
    Ok(Some(Arc::new(move |metadata| key.sign_file(metadata).unwrap_or_default())))
}

fn package(images: &Images, base: &Path, genuine: &[u8]) -> Result<Package, Failure> {
    let signature = images.signature.as_ref().map(|p| update::read(&base.join(p))).transpose()?;
    let trusted = |p: &PathBuf| Trusted::parse(&update::read(&base.join(p))?).map_err(|e| update::bad(p, &e));
    let trusted = images.public_key.as_ref().map(trusted).transpose()?;
    let found = image::inspect(genuine, signature.as_deref(), trusted.as_ref());
    let found = found.map_err(|e| update::bad(&images.genuine, &e))?;
    let state = |s: State| match s {
        State::Verified => "verified",
        State::NotVerified => "not-verified",
        State::CannotVerify => "cannot-verify",
        State::DoesNotVerify => "does-not-verify",
    };
    let signature = |s: &image::Signature| PackageSignature {
        place: s.place.clone(),
        scheme: s.scheme.clone(),
        key: s.key.clone(),
        state: state(s.state).to_owned(),
    };
    Ok(Package {
        sha256: found.sha256,
        format: found.format.name().to_owned(),
        version: found.version,
        signatures: found.signatures.iter().map(signature).collect(),
        weak: found.weak.iter().map(|w| (w.id.to_owned(), w.text.clone())).collect(),
        unseen: found.not_looked_into.iter().map(|u| format!("{}: {}", u.path, u.why)).collect(),
    })
}
