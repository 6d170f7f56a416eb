//! Verifying: four questions, each with its own line, none standing in for another.
use super::{
    body::Body,
    bracket, integrity,
    judgements::{JudgementError, Judgements},
    layout::{self, Files},
    logs,
    open::{UnreadableError, ingredients},
    payload::{self, Ingredients, PayloadError, Views},
    sign::{self, SignatureError},
    signed, signers,
    statement::{self, Claims},
};
use crate::model::observation::clean;
use serde::Serialize;
use std::{collections::BTreeSet, path::Path};
use thiserror::Error;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum LineOutcome {
    #[serde(rename = "ok")]
    Ok,
    #[serde(rename = "failed")]
    Failed,
    #[serde(rename = "not checked")]
    NotChecked,
}

impl LineOutcome {
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::NotChecked => "not checked",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerificationLine {
    pub name: &'static str,
    pub outcome: LineOutcome,
    pub detail: String,
}

impl VerificationLine {
    /// A stranger's bundle has a say in `detail`: it must not steer a terminal.
    pub fn new(name: &'static str, outcome: LineOutcome, detail: &str) -> Self {
        Self { name, outcome, detail: clean(detail, 500) }
    }
}

/// Integrity, authenticity, time and re-derivation, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verification {
    pub lines: [VerificationLine; 4],
}

impl Verification {
    /// 0 when nothing failed and everything that this tool can check was checked, else 1.
    pub fn code(&self) -> u8 {
        let good = |l: &VerificationLine| match l.outcome {
            LineOutcome::Ok => true,
            LineOutcome::Failed => false,
            // Time and whose key it is need what only the reader has.
            LineOutcome::NotChecked => matches!(l.name, "authenticity" | "time"),
        };
        u8::from(!self.lines.iter().all(good))
    }
}

/// What only the reader has: never taken from the bundle.
#[derive(Clone, Copy, Debug, Default)]
pub struct Records<'a> {
    /// The text of an allowed_signers file.
    pub signers: Option<&'a str>,
    /// Public keys that seal no longer, one a line.
    pub revoked: Option<&'a str>,
    /// PEM certificates of time-stamping authorities.
    pub anchors: Option<&'a [u8]>,
    /// PEM certificates of the authorities of laboratories' certificates.
    pub cms_anchors: Option<&'a [u8]>,
}

/// Checks the bundle at `path`, a directory or a zip; `views` must be the ones that sealing was given.
pub fn verify(path: &Path, records: &Records<'_>, views: Views) -> Verification {
    match layout::load(path) {
        Ok(files) => verify_files(&files, records, views),
        Err(e) => unreadable(&e.to_string()),
    }
}

/// Checks a bundle that was read already.
pub fn verify_files(files: &Files, records: &Records<'_>, views: Views) -> Verification {
    let from = ingredients(files);
    let whole = integrity::check(files).map_err(|e| e.to_string()).and_then(|_| match &from {
        Ok(from) => logs::check(from).map_err(|e| e.to_string()),
        Err(e) => Err(e.to_string()),
    });
    let integrity = match whole {
        Ok(()) => {
            let count = files.len();
            line("integrity", LineOutcome::Ok, format!("all {count} files are those that the statement names"))
        }
        Err(e) => line("integrity", LineOutcome::Failed, e),
    };
    let claims = bytes(files, layout::STATEMENT).and_then(Claims::parse);
    let judgements = from.as_ref().ok().and_then(|f| f.attested.as_ref()).map(Judgements::of).transpose();
    let time = bracket::check(files, from.as_ref().ok(), claims.as_ref(), records.anchors);
    let rederived = match from.map_err(RederiveError::from).and_then(|f| rederive(files, &f, claims.as_ref(), views)) {
        Ok(count) => {
            line("re-derivation", LineOutcome::Ok, format!("judged again: the same bytes for {count} profile(s)"))
        }
        Err(e) => line("re-derivation", LineOutcome::Failed, e.to_string()),
    };
    let authenticity = authenticity(files, claims.as_ref(), judgements, records);
    Verification { lines: [integrity, authenticity, time, rederived] }
}

pub(super) fn line(name: &'static str, outcome: LineOutcome, detail: String) -> VerificationLine {
    VerificationLine::new(name, outcome, &detail)
}

fn unreadable(why: &str) -> Verification {
    let unchecked = |name| line(name, LineOutcome::NotChecked, "the files cannot be relied on".to_owned());
    let integrity = line("integrity", LineOutcome::Failed, why.to_owned());
    Verification { lines: [integrity, unchecked("authenticity"), unchecked("time"), unchecked("re-derivation")] }
}

pub(super) fn bytes<'a>(files: &'a Files, name: &str) -> Option<&'a [u8]> {
    files.get(name).and_then(Body::held)
}

fn authenticity(
    files: &Files,
    claims: Option<&Claims>,
    judgements: Result<Option<Judgements>, JudgementError>,
    records: &Records<'_>,
) -> VerificationLine {
    let failed = |detail: String| line("authenticity", LineOutcome::Failed, detail);
    let Some(claims) = claims else { return failed(SignatureError::Missing.to_string()) };
    let keys = match signed::keys(files, claims) {
        Ok(keys) => keys,
        Err(e) => return failed(e.to_string()),
    };
    let judgements = match judgements {
        Ok(judgements) => judgements.unwrap_or_default(),
        Err(e) => return failed(e.to_string()),
    };
    let gone = |key| records.revoked.map_or(Ok(()), |list| signers::not_revoked(list, key));
    if let Err(e) = keys.iter().chain(judgements.keys()).try_for_each(gone) {
        return failed(e.to_string());
    }
    let certified = match certified(files, claims, records.cms_anchors) {
        Ok(said) => said,
        Err(why) => return failed(why),
    };
    let prints: Vec<String> = keys.iter().map(|k| sign::fingerprint(k).to_string()).collect();
    let Some(allowed) = records.signers else {
        let detail = format!(
            "signed by {}, not compared with your records; give them with --signers{certified}{}",
            prints.join(" and "),
            judgements.words()
        );
        return line("authenticity", LineOutcome::NotChecked, detail);
    };
    let mut known = Vec::new();
    for (key, print) in keys.iter().zip(prints) {
        match signers::principal(allowed, key, &claims.sealed_at, sign::NAMESPACE) {
            Ok(principal) => known.push(format!("{principal} with {print}")),
            Err(e) => return failed(e.to_string()),
        }
    }
    if let Err(e) = judgements.known(allowed) {
        return failed(e.to_string());
    }
    let detail = format!("signed by {}{certified}{}", known.join(" and "), judgements.words());
    line("authenticity", LineOutcome::Ok, detail)
}

/// Whose certificate signed, too; empty where none did and none was asked for.
fn certified(files: &Files, claims: &Claims, anchors: Option<&[u8]>) -> Result<String, String> {
    match (signed::certificate(files, claims).map_err(|e| e.to_string())?, anchors) {
        (None, None) => Ok(String::new()),
        (None, Some(_)) => Err("no certificate signed it, and you gave anchors with --cms-anchors".to_owned()),
        (Some(c), None) => Ok(format!("; by the certificate of {}, not compared with --cms-anchors", c.subject())),
        (Some(c), Some(anchors)) => {
            c.trusted(anchors).map_err(|e| format!("`{}`: {e}", layout::CMS))?;
            Ok(format!("; by the certificate of {}", c.subject()))
        }
    }
}

#[derive(Debug, Error)]
enum RederiveError {
    #[error("{0}")]
    Unreadable(#[from] UnreadableError),
    #[error("{0}")]
    Payload(#[from] PayloadError),
    #[error("`{0}` is not what judging again gives")]
    Differs(String),
    #[error(
        "`{file}` is not what judging again gives; it was sealed by version {sealed}, this is {this}: use that one"
    )]
    OtherVersion { file: String, sealed: String, this: String },
    #[error("`{}` cannot be read", layout::STATEMENT)]
    Statement,
}

/// Builds the bundle again from its recording, declarations and profile texts, and demands equal bytes.
fn rederive(files: &Files, from: &Ingredients, claims: Option<&Claims>, views: Views) -> Result<usize, RederiveError> {
    let claims = claims.ok_or(RederiveError::Statement)?;
    let judged = payload::judge(from)?;
    let mut again = layout::with_tags(payload::build(from, &judged, views)?, &claims.sealed_at);
    let statement = statement::write(&again, &judged, from, &claims.sealed_at, &claims.by);
    again.insert(layout::STATEMENT.to_owned(), statement.into());
    let sealed_only = |name: &str| name.starts_with("seal/") && name != layout::STATEMENT;
    // Results and views first: a manifest that differs only says that something else does.
    let names: BTreeSet<(bool, &String)> =
        files.keys().chain(again.keys()).map(|n| (!n.starts_with("data/") || n == layout::INDEX, n)).collect();
    for (_, name) in names.into_iter().filter(|(_, n)| !sealed_only(n)) {
        if files.get(name) != again.get(name) {
            let (file, sealed, this) = (name.clone(), claims.tool.clone(), crate::judge::assess::tool().version);
            return Err(if sealed == this {
                RederiveError::Differs(file)
            } else {
                RederiveError::OtherVersion { file, sealed, this }
            });
        }
    }
    Ok(judged.assessments.len())
}
