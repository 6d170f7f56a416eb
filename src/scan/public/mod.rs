//! What the maker publishes: the documents that the IXIT names, visited as anybody would, or read from a copy. A run of
//! its own, added to a recording, because a laboratory's network seldom leads outside.
mod names;
mod saved;
mod site;
mod text;

pub use saved::NAMES;

use super::{
    Progress, engine,
    journal::{Journal, RECORDING},
    lab::Page,
};
use crate::model::{
    Gap, Ixit, Observation, Recording, Scope, Sha256Digest, Subject, Why, declarations::Supplied, observation::clean,
    plan::END_TOKEN,
};
use site::Sites;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};
use thiserror::Error;
use tokio::sync::watch;

/// The run, by the name under which it is recorded.
pub static RUN: Page = Page { id: "public-documents", page: include_str!("public_documents.md") };
const VERSION: u32 = 1;
/// The table of the IXIT that names documents, and our own fields of it.
const TABLE: &str = "2-UserInfo";
const SITE: &str = "x-site";
const STATEMENT: &str = "x-statement";

#[derive(Debug, Error)]
pub enum PublicError {
    #[error("`{dir}` is stamped to its end, so that nothing can be added; scan again, and visit before the stamp")]
    Stamped { dir: String },
    #[error("`{file}` cannot be gone on with: {why}")]
    Resume { file: String, why: String },
    #[error("cannot write the recording in `{dir}`: {source}")]
    Journal { dir: String, source: std::io::Error },
    #[error("`{}`: {why}", file.display())]
    Copy { file: PathBuf, why: String },
}

pub struct Visit<'a> {
    /// The recording that is gone on with.
    pub dir: &'a Path,
    pub ixit: &'a Ixit,
    pub scope: &'a Scope,
    /// Copies to be read in place of any visit.
    pub saved: Option<&'a Path>,
    pub stop: watch::Receiver<bool>,
    pub progress: &'a dyn Progress,
}

/// Visits every declared document, or reads its copy, and writes down what came.
pub async fn run(visit: Visit<'_>) -> Result<Recording, PublicError> {
    let dir = visit.dir.display().to_string();
    if visit.dir.join(END_TOKEN).exists() {
        return Err(PublicError::Stamped { dir });
    }
    let file = format!("{dir}/{RECORDING}");
    let read = || engine::read(&file).map_err(|e| PublicError::Resume { file: file.clone(), why: e.to_string() });
    let copies = visit.saved.map(saved::find).transpose()?;
    let fail = |source| PublicError::Journal { dir: dir.clone(), source };
    let journal = Arc::new(Journal::resume(visit.dir, &read()?).map_err(fail)?);
    let notes = Notes::start(journal.clone());
    let fields = fields(visit.ixit);
    match copies {
        Some(copies) => saved::record(&notes, copies, &fields)?,
        None => outside(&visit, &notes, &fields).await,
    }
    let stopped = *visit.stop.borrow();
    if !stopped {
        notes.finish();
    }
    let written = if stopped { journal.check() } else { journal.finish() };
    written.map_err(fail)?;
    read()
}

/// Where the run writes.
struct Notes {
    journal: Arc<Journal>,
    run: String,
}

impl Notes {
    fn start(journal: Arc<Journal>) -> Self {
        let run = journal.start_run(RUN.id, VERSION, &[]);
        Self { journal, run }
    }

    fn record(&self, subject: Subject, observation: Observation, transcript: Option<Sha256Digest>) {
        self.journal.record(RUN.id, &self.run, subject, observation, transcript);
    }

    /// Gaps are by document: what was not seen of one says nothing of the others.
    fn gap(&self, name: &str, subject: Option<Subject>, why: Why) {
        self.journal.gap(&self.run, Gap { wanted: format!("{}:{name}", RUN.id), subject, why });
    }

    fn finish(&self) {
        self.journal.finish_run(&self.run);
    }
}

/// What the IXIT says of each document, by the names under which they are recorded.
fn fields(ixit: &Ixit) -> BTreeMap<&'static str, String> {
    let entry = match ixit.supplied(TABLE) {
        Supplied::Entries(entries) => entries.iter().find(|e| !e.observed),
        Supplied::NotSupplied | Supplied::None => None,
    };
    let said = |name: &str| {
        let key = if name == "statement" { STATEMENT } else { name };
        entry.map(|e| e.text(key)).filter(|t| !t.is_empty()).map(str::to_owned)
    };
    let documents = NAMES.iter().filter(|n| !saved::is_file_for_machines(n));
    let mut all: BTreeMap<&'static str, String> = documents.filter_map(|n| Some((*n, said(n)?))).collect();
    if let Some(site) = said(SITE) {
        all.insert("site", site);
    }
    all
}

async fn outside(visit: &Visit<'_>, notes: &Notes, fields: &BTreeMap<&'static str, String>) {
    let hosts = visit.scope.public.iter().flat_map(|p| p.hosts.iter().map(|h| clean(h, 200))).collect();
    let authorised_by = clean(&visit.scope.authorised_by, 200);
    notes.record(Subject::Device, Observation::PublicAccess { authorised_by, hosts }, None);
    let mut sites = Sites::new(visit.scope, notes);
    let mut stop = visit.stop.clone();
    for (n, name) in NAMES.iter().enumerate() {
        visit.progress.step(n, NAMES.len(), name);
        tokio::select! {
            () = one(&mut sites, notes, name, fields) => {}
            _ = stop.wait_for(|s| *s) => return,
        }
    }
    visit.progress.step(NAMES.len(), NAMES.len(), "done");
}

async fn one(sites: &mut Sites<'_>, notes: &Notes, name: &'static str, fields: &BTreeMap<&'static str, String>) {
    if saved::is_file_for_machines(name) {
        if let Some(site) = fields.get("site") {
            sites.for_machines(name, site).await;
        }
        return;
    }
    // What nobody declared is missing in the IXIT, which is for the judge to see.
    let Some(said) = fields.get(name) else { return };
    let urls = text::addresses(said);
    if urls.is_empty() {
        let (name, place) = (name.to_owned(), clean(said, 300));
        notes.record(Subject::Device, Observation::DocumentElsewhere { name, place }, None);
    }
    for url in urls {
        sites.document(name, &url).await;
    }
}
