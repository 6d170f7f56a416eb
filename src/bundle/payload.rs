//! The payload as a pure function of what was recorded, declared and asked for. Sealing writes it; verifying builds it again.
pub use super::ingredients::{Bracket, Ingredients, Interim, ProfileSource, Recorded, Supersedes};
use super::{
    attested::{Attested, AttestedError},
    companion::IndexCompanion,
    layout,
    statement::canonical,
};
use crate::judge::{
    Assessment, BesideError, Inputs, Profile,
    assess::{Outcome, Read, tool},
    assess_beside,
    profile::ProfileError,
};
use crate::model::{
    Ics, Ixit, Recording, Sha256Digest,
    declarations::{DeclarationError, Laboratory, laboratory},
    recording::RecordingError,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, io, sync::Arc};
use thiserror::Error;

pub const SCHEMA: &str = "bundle/1";

/// What the views are made from.
#[derive(Clone, Copy, Debug)]
pub struct Content<'a> {
    pub recording: &'a Recording,
    pub assessments: &'a [Assessment],
    pub interim: Interim,
    pub supersedes: Option<&'a Supersedes>,
    pub laboratory: Option<&'a Laboratory>,
}

/// Makes the human-readable files: path below `data/` and bytes, the same for the same content. Handed in,
/// so that this floor need not know how anything is shown.
pub type Views = fn(&Content<'_>) -> Result<Vec<(String, Vec<u8>)>, String>;

/// No views at all: for reading a bundle without comparing them.
pub fn no_views(_: &Content<'_>) -> Result<Vec<(String, Vec<u8>)>, String> {
    Ok(Vec::new())
}

#[derive(Debug, Error)]
pub enum PayloadError {
    #[error("recording.jsonl: {0}")]
    Recording(#[from] RecordingError),
    #[error(transparent)]
    Beside(#[from] BesideError),
    #[error("{0}")]
    Declaration(#[from] DeclarationError),
    #[error(transparent)]
    Attested(#[from] AttestedError),
    #[error("{0}: is not UTF-8 text; save it as UTF-8")]
    NotText(&'static str),
    #[error("{0}")]
    Profile(#[from] ProfileError),
    #[error("no profile is named; name at least one, see `patuh profile list`")]
    NoProfile,
    #[error("profile `{0}` is named twice; a bundle holds one level of each profile")]
    ProfileTwice(String),
    #[error("profile id `{0}` cannot be a file name; use lower-case letters, digits and `-`")]
    ProfileName(String),
    #[error("{file}: {error}")]
    Log { file: &'static str, error: io::Error },
    #[error("recording.jsonl: the scan did not finish; finish it with `patuh scan --resume`, or seal with --interim")]
    Unfinished,
    #[error(
        "recording.jsonl: the planned run of `{0}` did not finish; finish it with `patuh scan --resume`, or seal with --interim"
    )]
    RunMissing(String),
    #[error(
        "profile `{profile}`: requirement `{requirement}` awaits an assessor; record it with `patuh attest`, or seal with --interim"
    )]
    AwaitingAssessor { profile: String, requirement: String },
    #[error("{index}: schema `{0}` is not known to this version (it reads `{SCHEMA}`); use a newer patuh", index = layout::INDEX)]
    Format(String),
    #[error("a view could not be made: {0}; please report this")]
    View(String),
    #[error("a view has the name `{0}`, which a payload file has; please report this")]
    ViewName(String),
    #[error("the assessment could not be written: {0}; please report this")]
    Write(#[from] serde_json::Error),
}

/// The ingredients judged.
#[derive(Debug)]
pub struct Judged {
    pub recorded: Arc<Recorded>,
    pub profiles: Vec<Profile>,
    pub assessments: Vec<Assessment>,
    pub laboratory: Option<Laboratory>,
}

/// Judges the recording under every profile.
pub fn judge(from: &Ingredients) -> Result<Judged, PayloadError> {
    let ics = from.ics.as_deref().map(|b| read("ics.toml", b, Ics::parse)).transpose()?;
    let ixit = from.ixit.as_deref().map(|b| read("ixit.toml", b, Ixit::parse)).transpose()?;
    let tested_by = from.laboratory.as_deref().map(|b| read(laboratory::FILE, b, Laboratory::parse)).transpose()?;
    let said = from.attested.as_ref().map(Attested::read).transpose()?;
    let mut profiles = Vec::new();
    for source in &from.profiles {
        let file = format!("profiles/{}.toml", source.id);
        profiles.push(Profile::parse(&file, &source.text, source.level.as_deref())?);
    }
    names(&profiles)?;
    let inputs = Inputs { recording: &from.recorded.value, ics: ics.as_ref(), ixit: ixit.as_ref() };
    let beside = from.judged_beside()?;
    let assessments = profiles.iter().map(|p| assess_beside(&inputs, &beside, said.as_ref(), p)).collect();
    let laboratory = tested_by.map(|l| l.value);
    Ok(Judged { recorded: from.recorded.clone(), profiles, assessments, laboratory })
}

/// The files of `data/`, or why they may not be sealed.
pub fn build(from: &Ingredients, judged: &Judged, views: Views) -> Result<layout::Files, PayloadError> {
    if from.interim == Interim::No {
        from.beside.iter().try_for_each(|c| finished(&c.recorded.value))?;
        complete(judged)?;
    }
    let mut files = layout::Files::new();
    files.insert(layout::RECORDING.to_owned(), from.recorded.body.clone());
    files.insert(layout::TRANSCRIPTS.to_owned(), from.transcripts.clone());
    files.extend((1..).zip(&from.beside).flat_map(|(n, companion)| companion.files(n)));
    let mut put = |path: &str, bytes: Vec<u8>| files.insert(path.to_owned(), bytes.into());
    from.bracket.files().for_each(|(path, b)| drop(put(path, b.clone())));
    from.ics.iter().for_each(|b| drop(put(layout::ICS, b.clone())));
    from.ixit.iter().for_each(|b| drop(put(layout::IXIT, b.clone())));
    from.laboratory.iter().for_each(|b| drop(put(layout::LABORATORY, b.clone())));
    if let Some(attested) = &from.attested {
        put(layout::ATTESTATIONS, attested.statements.clone());
        attested.attachments.iter().for_each(|(name, b)| drop(put(&layout::attachment_path(name), b.clone())));
    }
    for (source, assessment) in from.profiles.iter().zip(&judged.assessments) {
        put(&layout::profile_path(&source.id), source.text.clone().into_bytes());
        put(&layout::result_path(&source.id), written(assessment)?);
    }
    let content = Content {
        recording: &judged.recorded.value,
        assessments: &judged.assessments,
        interim: from.interim,
        supersedes: from.supersedes.as_ref(),
        laboratory: judged.laboratory.as_ref(),
    };
    let mut shown = Vec::new();
    for (name, bytes) in views(&content).map_err(PayloadError::View)? {
        let path = format!("data/{name}");
        if put(&path, bytes).is_some() {
            return Err(PayloadError::ViewName(path));
        }
        shown.push(path);
    }
    files.insert(layout::INDEX.to_owned(), canonical(&index(from, judged, &shown)?).into());
    Ok(files)
}

/// The bytes of `results/<id>.json`.
pub fn written(assessment: &Assessment) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(assessment)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// bundle.json: what stands where, and how it was judged. It says no verdict.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    pub schema: String,
    pub tool: crate::model::recording::Tool,
    pub interim: Interim,
    pub recording: String,
    pub transcripts: String,
    /// Plan and time-stamp tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bracket: Vec<String>,
    /// Recordings that are judged beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<IndexCompanion>,
    pub declarations: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub laboratory: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attestations: Option<String>,
    /// Files that an attestation relies on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
    pub profiles: Vec<IndexProfile>,
    pub views: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Supersedes>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexProfile {
    pub id: String,
    pub level: String,
    pub text: String,
    pub result: String,
}

fn index(from: &Ingredients, judged: &Judged, views: &[String]) -> Result<serde_json::Value, serde_json::Error> {
    let declared = [(layout::ICS, &from.ics), (layout::IXIT, &from.ixit)];
    serde_json::to_value(Index {
        schema: SCHEMA.to_owned(),
        tool: tool(),
        interim: from.interim,
        recording: layout::RECORDING.to_owned(),
        transcripts: layout::TRANSCRIPTS.to_owned(),
        bracket: from.bracket.files().map(|(path, _)| path.to_owned()).collect(),
        beside: (1..).zip(&from.beside).map(|(n, companion)| companion.index(n)).collect(),
        declarations: declared.iter().filter(|(_, b)| b.is_some()).map(|(p, _)| (*p).to_owned()).collect(),
        laboratory: from.laboratory.as_ref().map(|_| layout::LABORATORY.to_owned()),
        attestations: from.attested.as_ref().map(|_| layout::ATTESTATIONS.to_owned()),
        attachments: from
            .attested
            .iter()
            .flat_map(|a| a.attachments.keys())
            .map(|name| layout::attachment_path(name))
            .collect(),
        profiles: judged
            .profiles
            .iter()
            .map(|p| IndexProfile {
                id: p.id.clone(),
                level: p.level.clone(),
                text: layout::profile_path(&p.id),
                result: layout::result_path(&p.id),
            })
            .collect(),
        views: views.to_vec(),
        supersedes: from.supersedes.clone(),
    })
}

fn names(profiles: &[Profile]) -> Result<(), PayloadError> {
    let mut seen = BTreeSet::new();
    for p in profiles {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        if p.id.is_empty() || p.id.len() > 80 || !p.id.bytes().all(plain) {
            return Err(PayloadError::ProfileName(p.id.clone()));
        }
        if !seen.insert(&p.id) {
            return Err(PayloadError::ProfileTwice(p.id.clone()));
        }
    }
    if seen.is_empty() { Err(PayloadError::NoProfile) } else { Ok(()) }
}

/// Everything planned was done, and nobody is waited for.
fn complete(judged: &Judged) -> Result<(), PayloadError> {
    finished(&judged.recorded.value)?;
    for a in &judged.assessments {
        if let Some(r) = a.requirements.iter().find(|r| r.outcome == Outcome::AwaitingAssessor) {
            let (profile, requirement) = (a.profile.id.clone(), r.id.clone());
            return Err(PayloadError::AwaitingAssessor { profile, requirement });
        }
    }
    Ok(())
}

/// Every planned run was done to its end.
fn finished(recording: &Recording) -> Result<(), PayloadError> {
    let finished = |probe: &str| recording.run_of(probe).is_some_and(|r| r.finished.is_some());
    if let Some(probe) = recording.header.plan.iter().find(|p| !finished(p)) {
        return Err(PayloadError::RunMissing(probe.clone()));
    }
    if recording.finished.is_none() { Err(PayloadError::Unfinished) } else { Ok(()) }
}

/// A declaration and the digest of its bytes.
pub fn read<T>(
    file: &'static str,
    bytes: &[u8],
    parse: fn(&str, &str) -> Result<T, DeclarationError>,
) -> Result<Read<T>, PayloadError> {
    let text = std::str::from_utf8(bytes).map_err(|_| PayloadError::NotText(file))?;
    Ok(Read { value: parse(file, text)?, digest: Sha256Digest::of(bytes) })
}
