//! `documents`: what the maker publishes, added to a recording.
use super::{Done, Exit, Failure, output, scan, source};
use clap::Args;
use patuh::{
    model::Scope,
    scan::public::{self, PublicError, Visit},
};
use std::path::PathBuf;

#[derive(Args)]
#[command(
    after_help = "The scope file names the sites: [public] with hosts = [\"www.example.com\"]. Without it nothing leaves.\n\nExamples:\n  patuh documents camera --ixit ixit.toml --scope scope.toml\n  patuh documents camera --saved copies\n\nAfterwards: patuh judge camera --profile uk-psti\nExit codes: 0 every declared document was seen; 2 some were not."
)]
pub struct DocumentsArgs {
    /// A recording made by `patuh scan --out DIR`; this adds to it
    #[arg(value_name = "RECORDING")]
    pub recording: PathBuf,
    /// Which documents there are (table 2-UserInfo); without it: the IXIT beside the recording
    #[arg(long, value_name = "FILE")]
    pub ixit: Option<PathBuf>,
    /// Who authorised it, and which sites (TOML); without it: the scope of the recording
    #[arg(long, value_name = "FILE")]
    pub scope: Option<PathBuf>,
    /// Read copies in this directory, named after the fields (`pub_vdp.html`), and visit nothing
    #[arg(long, value_name = "DIR", conflicts_with = "scope")]
    pub saved: Option<PathBuf>,
}

pub async fn run(a: DocumentsArgs) -> Done {
    let recording = source::recording(&a.recording)?;
    let Some(ixit) = source::ixit(a.ixit.as_ref(), &a.recording)? else {
        let message = "documents are named by table 2-UserInfo of the IXIT; give it with --ixit FILE";
        return Err(Failure::new(Exit::Usage, message));
    };
    let scope = match &a.scope {
        Some(path) => source::scope(path)?,
        None => recording.header.scope,
    };
    if a.saved.is_none() {
        permitted(&scope)?;
    }
    let steps = output::Steps::new("documents");
    let (stop, interrupted) = scan::interruptible();
    let (dir, saved) = (a.recording.as_path(), a.saved.as_deref());
    let done = public::run(Visit { dir, ixit: &ixit.value, scope: &scope, saved, stop, progress: &steps }).await;
    interrupted.abort();
    let recording = done.map_err(|e| failure(&e))?;
    let gaps: Vec<String> = recording.gaps_of(public::RUN.id).iter().map(ToString::to_string).collect();
    gaps.iter().for_each(|g| output::note(&format!("not seen: {g}")));
    output::note(&format!("recording: {}", dir.display()));
    Ok(if gaps.is_empty() { Exit::Passed } else { Exit::Inconclusive })
}

fn permitted(scope: &Scope) -> Result<(), Failure> {
    scan::valid_now(scope)?;
    if scope.public.as_ref().is_none_or(|p| p.hosts.is_empty()) {
        let message = "the scope names no sites; add a table [public] with hosts = [\"www.example.com\"] to the scope file, or read copies with --saved DIR";
        return Err(Failure::new(Exit::NotPermitted, message));
    }
    Ok(())
}

fn failure(e: &PublicError) -> Failure {
    let exit = match e {
        PublicError::Stamped { .. } => Exit::NotPermitted,
        PublicError::Resume { .. } | PublicError::Copy { .. } => Exit::BadInput,
        PublicError::Journal { .. } => Exit::Io,
    };
    Failure::new(exit, e.to_string())
}
