//! What assessors attested, as it travels into a bundle: the statements as they stand in their file, and the files
//! that they rely on.
use crate::judge::assess::Read;
use crate::model::{Attestations, Sha256Digest, attestation::AttestationError};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// The file of the statements, beside a recording and in a bundle.
pub const STATEMENTS: &str = "attestations.jsonl";
pub const ATTACHMENTS: &str = "attachments";
/// What a bundle's path leaves of its 120 characters.
const LONGEST_NAME: usize = 90;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attested {
    pub statements: Vec<u8>,
    /// Those that a statement cites, by name.
    pub attachments: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Error)]
pub enum AttestedError {
    #[error("{STATEMENTS}: is not UTF-8 text; statements are added by `patuh attest` and must not be edited")]
    NotText,
    #[error(transparent)]
    Statement(#[from] AttestationError),
    #[error("{ATTACHMENTS}/{0}: is missing, and `{STATEMENTS}` relies on it; put it back, or attest anew")]
    Missing(String),
    #[error("{ATTACHMENTS}/{0}: is not the file that was attested, its digest differs; put the right one back")]
    Changed(String),
    #[error("{ATTACHMENTS}/{0}: cannot be a name in a bundle; attest anew with `patuh attest --attach`")]
    Name(String),
    #[error("{STATEMENTS}:{0}: was changed or removed since the older bundle; statements are only ever added")]
    Rewritten(usize),
}

impl Attested {
    /// Takes the statements and, through `attachment`, each file that one of them cites.
    pub fn gather<E: From<AttestedError>>(
        statements: Vec<u8>,
        mut attachment: impl FnMut(&str) -> Result<Option<Vec<u8>>, E>,
    ) -> Result<Self, E> {
        let mut attachments = BTreeMap::new();
        for name in names(&parse(&statements)?)? {
            let bytes = attachment(&name)?.ok_or_else(|| AttestedError::Missing(name.clone()))?;
            attachments.insert(name, bytes);
        }
        Ok(Self { statements, attachments })
    }

    /// The statements, once every file that they rely on is the one that was attested.
    pub fn read(&self) -> Result<Read<Attestations>, AttestedError> {
        let value = parse(&self.statements)?;
        names(&value)?;
        for a in value.attested.iter().filter_map(|a| a.attachment.as_ref()) {
            let kept = self.attachments.get(&a.name).ok_or_else(|| AttestedError::Missing(a.name.clone()))?;
            if Sha256Digest::of(kept) != a.sha256 {
                return Err(AttestedError::Changed(a.name.clone()));
            }
        }
        Ok(Read { value, digest: Sha256Digest::of(&self.statements) })
    }

    /// Whether everything that `older` says stands here, too, as it was said.
    pub fn continues(&self, older: &Self) -> Result<(), AttestedError> {
        let lines = |all: &Self| all.statements.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
        let (old, new) = (lines(older), lines(self));
        let said = old.iter().filter(|l| !l.is_empty());
        match said.enumerate().find(|(n, line)| new.get(*n) != Some(line)) {
            Some((n, _)) => Err(AttestedError::Rewritten(n + 1)),
            None => Ok(()),
        }
    }
}

fn parse(statements: &[u8]) -> Result<Attestations, AttestedError> {
    let text = std::str::from_utf8(statements).map_err(|_| AttestedError::NotText)?;
    Ok(Attestations::parse(STATEMENTS, text)?)
}

/// The names of the attachments, which must do as file names on every system.
fn names(all: &Attestations) -> Result<BTreeSet<String>, AttestedError> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    let mut names = BTreeSet::new();
    let mut lower = BTreeSet::new();
    for name in all.attested.iter().filter_map(|a| a.attachment.as_ref()).map(|a| &a.name) {
        let twin = !names.contains(name) && !lower.insert(name.to_ascii_lowercase());
        if twin || name.len() > LONGEST_NAME || !name.bytes().all(plain) {
            return Err(AttestedError::Name(name.clone()));
        }
        names.insert(name.clone());
    }
    Ok(names)
}
