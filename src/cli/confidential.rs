//! The confidential bag of `seal` and `verify`: what opens the masks of a bundle, for the certifier alone.
use super::{Exit, Failure, bundle::seal_failure, output};
use patuh::bundle::{
    Bag, ConfidentialError, Identity, LineOutcome, Recipients, VerificationLine, confidential, layout, open::Source,
    seal::place_file,
};
use std::path::{Path, PathBuf};

/// The bag, and who may open it.
pub struct Confidential {
    pub bag: Bag,
    recipients: Recipients,
    path: PathBuf,
}

fn failure(e: &ConfidentialError) -> Failure {
    let exit = match e {
        ConfidentialError::NotKept(_) => Exit::NoInput,
        ConfidentialError::Lock(_) => Exit::BadConfig,
        ConfidentialError::Io(_) => Exit::Io,
        _ => Exit::BadInput,
    };
    Failure::new(exit, e.to_string())
}

impl Confidential {
    /// Nothing is sealed unless what belongs to it can be locked.
    pub fn new(to: &[String], source: &Source, out: &Path, sealed_at: &str) -> Result<Option<Self>, Failure> {
        if to.is_empty() {
            return Ok(None);
        }
        let recipients = Recipients::read(to).map_err(|e| failure(&e.into()))?;
        let bag = Bag::gather(&source.path, &source.from.transcripts, sealed_at).map_err(|e| failure(&e))?;
        let mut name = out.file_name().unwrap_or_default().to_owned();
        name.push(".confidential.tar.age");
        Ok(Some(Self { bag, recipients, path: out.with_file_name(name) }))
    }

    /// Writes it beside the bundle.
    pub fn place(&self) -> Result<(), Failure> {
        place_file(&self.path, |file| self.bag.lock(&self.recipients, file)).map_err(|e| seal_failure(&e))
    }

    /// What was written for a bundle that then could not be put in place.
    pub fn withdraw(&self) {
        let _ = std::fs::remove_file(&self.path);
    }

    pub fn said(&self) -> String {
        format!("openings, for those who may know them: {}\n", self.path.display())
    }
}

/// A fifth line of `verify`: nothing where the bundle names no confidential bag and none was given.
pub fn line(bundle: &Path, locked: Option<(&PathBuf, &PathBuf)>) -> Result<Option<VerificationLine>, Failure> {
    let Ok(files) = layout::load(bundle) else { return Ok(None) };
    let Some((file, key)) = locked else {
        let named = confidential::named(&files).is_some();
        let detail = "the statement names a confidential bag; give it with --confidential and --identity";
        return Ok(named.then(|| VerificationLine::new("confidential", LineOutcome::NotChecked, detail)));
    };
    let phrase = std::env::var("PATUH_KEY_PASSPHRASE").ok();
    let identity = Identity::read(key, phrase).map_err(|e| failure(&e.into()))?;
    let unlocked = identity.unlock(file, confidential::MOST).map_err(ConfidentialError::from);
    let (outcome, detail) = match unlocked.and_then(|tar| confidential::check(&files, &tar)) {
        Ok(count) => (LineOutcome::Ok, format!("each of {count} openings fits the mask that commits to it")),
        Err(ConfidentialError::Io(e)) => {
            return Err(Failure::new(Exit::Io, format!("`{}`: {e}", file.display())));
        }
        Err(e) => (LineOutcome::Failed, e.to_string()),
    };
    Ok(Some(VerificationLine::new("confidential", outcome, &detail)))
}

/// Has a scan keep what it masks.
pub fn keep(dir: &Path) -> Result<(), Failure> {
    patuh::scan::journal::keep_openings(dir)
        .map_err(|e| Failure::new(Exit::Io, format!("`{}`: {e}", dir.display())))?;
    output::note(&format!("{}: keeps the secrets that are masked; guard it", dir.join("openings.jsonl").display()));
    Ok(())
}
