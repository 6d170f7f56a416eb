//! What assessors say of what no instrument can decide. JSON Lines beside the recording, append-only.
use super::Sha256Digest;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub const FORMAT: &str = "attestations/1";

/// An assessor's verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attested {
    Pass,
    Inconclusive,
    Fail,
}

/// A file that an assessor relied on, kept under `attachments/` beside the recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    pub name: String,
    pub sha256: Sha256Digest,
}

/// One judgement of a person on a test unit or a requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// A test unit of the method, or a requirement.
    pub unit: String,
    pub verdict: Attested,
    pub by: String,
    pub why: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// A second person who looked at the same and agrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second: Option<String>,
    /// The last day on which it counts, `2026-12-31`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
    /// The assessor's SSHSIG over the line without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// Somebody takes the risk of a requirement that is not met. It is shown, and changes no verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    pub requirement: String,
    pub by: String,
    pub why: String,
    pub at: String,
    pub expires: String,
    /// The SSHSIG of who takes the risk, over the line without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Statement {
    Attestation(Attestation),
    Waiver(Waiver),
}

/// Everything said, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attestations {
    pub attested: Vec<Attestation>,
    pub waived: Vec<Waiver>,
}

#[derive(Debug, Error, PartialEq, Eq)]
#[error("{file}:{line}: {message}")]
pub struct AttestationError {
    pub file: String,
    pub line: usize,
    pub message: String,
}

impl Attestations {
    /// Reads the whole file. Unlike a recording it is written by hand at leisure, so a cut-off line is an error.
    pub fn parse(file: &str, text: &str) -> Result<Self, AttestationError> {
        let mut all = Self::default();
        for (n, line) in text.lines().enumerate() {
            let wrong = |message: String| AttestationError { file: file.to_owned(), line: n + 1, message };
            let statement: Statement = serde_json::from_str(line)
                .map_err(|e| wrong(format!("{e}; statements are added by `patuh attest` and must not be edited")))?;
            statement.sound().map_err(wrong)?;
            match statement {
                Statement::Attestation(a) => all.attested.push(a),
                Statement::Waiver(w) => all.waived.push(w),
            }
        }
        Ok(all)
    }

    pub fn is_empty(&self) -> bool {
        self.attested.is_empty() && self.waived.is_empty()
    }
}

impl Statement {
    /// The line that is appended.
    pub fn line(&self) -> Result<String, serde_json::Error> {
        Ok(serde_json::to_string(self)? + "\n")
    }

    /// What a signature is made over: the line without one and without its end.
    pub fn unsigned(&self) -> Result<String, serde_json::Error> {
        let mut bare = self.clone();
        *bare.signature_mut() = None;
        serde_json::to_string(&bare)
    }

    pub fn signature(&self) -> Option<&str> {
        match self {
            Self::Attestation(a) => a.signature.as_deref(),
            Self::Waiver(w) => w.signature.as_deref(),
        }
    }

    pub fn signature_mut(&mut self) -> &mut Option<String> {
        match self {
            Self::Attestation(a) => &mut a.signature,
            Self::Waiver(w) => &mut w.signature,
        }
    }

    /// Who says it.
    pub fn by(&self) -> &str {
        match self {
            Self::Attestation(a) => &a.by,
            Self::Waiver(w) => &w.by,
        }
    }

    /// When, in RFC 3339.
    pub fn at(&self) -> &str {
        match self {
            Self::Attestation(a) => &a.at,
            Self::Waiver(w) => &w.at,
        }
    }

    /// Somebody says it, says why, and the times can be read.
    pub fn sound(&self) -> Result<(), String> {
        // Writers of JSON differ on this one, and a signature is made over their text.
        if self.unsigned().is_ok_and(|t| t.contains('\u{7f}')) {
            return Err("the control character DEL stands in it; leave it out".to_owned());
        }
        let (by, why, at, expires) = match self {
            Self::Attestation(a) => (&a.by, &a.why, &a.at, a.expires.as_ref()),
            Self::Waiver(w) => (&w.by, &w.why, &w.at, Some(&w.expires)),
        };
        if by.trim().is_empty() || why.trim().is_empty() {
            return Err("a judgement needs somebody and a reason; give --by and --why".to_owned());
        }
        if !at.ends_with('Z') || at.parse::<jiff::Timestamp>().is_err() {
            return Err(format!("`{at}` is not a time in UTC such as 2026-01-31T12:00:00Z"));
        }
        if let Some(day) = expires.filter(|d| d.parse::<jiff::civil::Date>().is_err()) {
            return Err(format!("`{day}` is not a day such as 2026-12-31"));
        }
        let attachment = match self {
            Self::Attestation(a) => a.attachment.as_ref(),
            Self::Waiver(_) => None,
        };
        if let Some(a) =
            attachment.filter(|a| a.name.is_empty() || a.name.contains(['/', '\\']) || a.name.starts_with('.'))
        {
            return Err(format!("`{}` is not the name of a file under attachments/", a.name));
        }
        match self {
            Self::Attestation(a) if a.second.as_deref().map(str::trim) == Some(a.by.trim()) => {
                Err(format!("the second person is `{}` again; name somebody else, or nobody", a.by))
            }
            Self::Attestation(_) | Self::Waiver(_) => Ok(()),
        }
    }
}
