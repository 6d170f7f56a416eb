//! Verifying: four questions, each with its own line, none standing in for another.
use super::{
    integrity,
    layout::{self, Files},
    open::{UnreadableError, ingredients},
    payload::{self, PayloadError, Views},
    sign, signers,
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

/// Checks the bundle at `path`. `allowed` is the text of the reader's own allowed_signers file, which is
/// never taken from the bundle; `views` must be the ones that sealing was given.
pub fn verify(path: &Path, allowed: Option<&str>, views: Views) -> Verification {
    let files = match layout::load(path) {
        Ok(files) => files,
        Err(e) => return unreadable(&e.to_string()),
    };
    let integrity = match integrity::check(&files) {
        Ok(_) => {
            let count = files.len();
            line("integrity", LineOutcome::Ok, format!("all {count} files are those that the statement names"))
        }
        Err(e) => line("integrity", LineOutcome::Failed, e.to_string()),
    };
    let claims = bytes(&files, layout::STATEMENT).and_then(Claims::parse);
    let rederived = match rederive(&files, claims.as_ref(), views) {
        Ok(count) => {
            line("re-derivation", LineOutcome::Ok, format!("judged again: the same bytes for {count} profile(s)"))
        }
        Err(e) => line("re-derivation", LineOutcome::Failed, e.to_string()),
    };
    let time = match &claims {
        Some(c) => format!("lab clock only: sealed at {}", c.sealed_at),
        None => "lab clock only".to_owned(),
    };
    let authenticity = authenticity(&files, claims.as_ref(), allowed);
    Verification { lines: [integrity, authenticity, line("time", LineOutcome::NotChecked, time), rederived] }
}

fn line(name: &'static str, outcome: LineOutcome, detail: String) -> VerificationLine {
    // A stranger's bundle has a say in it: it must not steer a terminal.
    VerificationLine { name, outcome, detail: clean(&detail, 500) }
}

fn unreadable(why: &str) -> Verification {
    let unchecked = |name| line(name, LineOutcome::NotChecked, "the files cannot be relied on".to_owned());
    let integrity = line("integrity", LineOutcome::Failed, why.to_owned());
    Verification { lines: [integrity, unchecked("authenticity"), unchecked("time"), unchecked("re-derivation")] }
}

fn bytes<'a>(files: &'a Files, name: &str) -> Option<&'a [u8]> {
    files.get(name).map(Vec::as_slice)
}

fn authenticity(files: &Files, claims: Option<&Claims>, allowed: Option<&str>) -> VerificationLine {
    let failed = |detail: String| line("authenticity", LineOutcome::Failed, detail);
    let all = (bytes(files, layout::STATEMENT), bytes(files, layout::SIGNATURE), bytes(files, layout::SIGNER));
    let ((Some(statement), Some(signature), Some(signer)), Some(claims)) = (all, claims) else {
        return failed("the statement, its signature or the signer's key is missing or unreadable".to_owned());
    };
    let key = match sign::check(statement, signature, signer) {
        Ok(key) => key,
        Err(e) => return failed(e.to_string()),
    };
    let print = sign::fingerprint(&key).to_string();
    if claims.signer != print {
        return failed(format!("`{}` names the signer {}, the key is {print}", layout::STATEMENT, claims.signer));
    }
    match allowed.map(|text| signers::principal(text, &key, &claims.sealed_at)) {
        None => line(
            "authenticity",
            LineOutcome::NotChecked,
            format!("signed by {print}, not compared with your records; give them with --signers"),
        ),
        Some(Ok(principal)) => line("authenticity", LineOutcome::Ok, format!("signed by {principal} with {print}")),
        Some(Err(e)) => failed(e.to_string()),
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
fn rederive(files: &Files, claims: Option<&Claims>, views: Views) -> Result<usize, RederiveError> {
    let claims = claims.ok_or(RederiveError::Statement)?;
    let from = ingredients(files)?;
    let judged = payload::judge(&from)?;
    let mut again = layout::with_tags(payload::build(&from, &judged, views)?, &claims.sealed_at);
    let statement = statement::write(&again, &judged, from.interim, &claims.sealed_at, &claims.signer);
    again.insert(layout::STATEMENT.to_owned(), statement);
    let sealed_only = |name: &str| matches!(name, layout::SIGNATURE | layout::SIGNER);
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
