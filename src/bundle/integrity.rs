//! Whether the files are the ones that the statement names: from the statement down to each file, so that
//! the first thing that does not fit is what is named.
use super::{
    body::Body,
    layout::{self, BAG_INFO, BAGIT, Files, MANIFEST, STATEMENT, TAG_FILES, TAG_MANIFEST},
    statement::Claims,
};
use crate::model::Sha256Digest;
use std::collections::BTreeMap;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum IntegrityError {
    #[error(transparent)]
    Read(#[from] layout::ReadError),
    #[error("`{0}` was changed")]
    Changed(String),
    #[error("`{0}` was added: no manifest lists it")]
    Added(String),
    #[error("`{0}` was added: `{STATEMENT}` names no such signer")]
    Cosigner(String),
    #[error("`{0}` is missing")]
    Missing(String),
    #[error("`{from}` was renamed to `{to}`")]
    Renamed { from: String, to: String },
    #[error("`{STATEMENT}` is not a statement of this tool")]
    NotAStatement,
    #[error("`{TAG_MANIFEST}` is not the one that `{STATEMENT}` names: one of them was changed")]
    Unsealed,
    #[error("`{0}` is not written as this tool writes it")]
    Form(&'static str),
    #[error("`{BAG_INFO}` does not state `{0}`")]
    BagInfo(String),
}

/// Checks everything that needs no key and no judging; gives what the statement claims.
pub fn check(files: &Files) -> Result<Claims, IntegrityError> {
    if let Some(name) = TAG_FILES.iter().find(|n| !files.contains_key(**n)) {
        return Err(IntegrityError::Missing((*name).to_owned()));
    }
    let bytes = |name: &str| layout::bytes(files, name);
    let claims = Claims::parse(bytes(STATEMENT)).ok_or(IntegrityError::NotAStatement)?;
    if Sha256Digest::of(bytes(TAG_MANIFEST)).hex() != claims.tag_manifest {
        return Err(IntegrityError::Unsealed);
    }
    sealed(files, &claims)?;
    bag(files)?;
    for needed in [layout::INDEX, layout::RECORDING, layout::TRANSCRIPTS] {
        if !files.contains_key(needed) {
            return Err(IntegrityError::Missing(needed.to_owned()));
        }
    }
    Ok(claims)
}

/// Whether the manifests of a bag list its files, and its two tag files say what they should.
pub(super) fn bag(files: &Files) -> Result<(), IntegrityError> {
    let bytes = |name: &str| layout::bytes(files, name);
    listed(TAG_MANIFEST, bytes(TAG_MANIFEST), &layout::listed_tags(files).collect())?;
    listed(MANIFEST, bytes(MANIFEST), &layout::payload(files).collect())?;
    if bytes(BAGIT) != layout::BAGIT_TEXT.as_bytes() {
        return Err(IntegrityError::Changed(BAGIT.to_owned()));
    }
    let info = String::from_utf8_lossy(bytes(BAG_INFO));
    let identifier = layout::identifier(bytes(MANIFEST));
    for line in [format!("Payload-Oxum: {}", layout::oxum(files)), format!("External-Identifier: {identifier}")] {
        if !info.lines().any(|l| l == line) {
            return Err(IntegrityError::BagInfo(line));
        }
    }
    Ok(())
}

/// As many signatures and keys as the statement names signers, and no more.
fn sealed(files: &Files, claims: &Claims) -> Result<(), IntegrityError> {
    for n in 0..layout::MOST_SIGNERS.max(claims.by.signers.len()) {
        for name in [layout::signature(n), layout::signer(n)] {
            match (n < claims.by.signers.len(), files.contains_key(&name)) {
                (true, false) => return Err(IntegrityError::Missing(name)),
                (false, true) => return Err(IntegrityError::Cosigner(name)),
                (true, true) | (false, false) => {}
            }
        }
    }
    match (claims.by.certificates.is_empty(), files.contains_key(layout::CMS)) {
        (false, false) => Err(IntegrityError::Missing(layout::CMS.to_owned())),
        (true, true) => Err(IntegrityError::Cosigner(layout::CMS.to_owned())),
        (false, true) | (true, false) => Ok(()),
    }
}

/// The manifest lists exactly these files with these digests, in the one way to write it.
fn listed(name: &'static str, manifest: &[u8], there: &BTreeMap<&String, &Body>) -> Result<(), IntegrityError> {
    let text = std::str::from_utf8(manifest).map_err(|_| IntegrityError::Form(name))?;
    let lines = text.lines().map(|l| l.split_once("  ").ok_or(IntegrityError::Form(name)));
    let stated = lines.map(|l| l.map(|(digest, path)| (path, digest))).collect::<Result<BTreeMap<_, _>, _>>()?;
    let added: Vec<_> = there.iter().filter(|(path, _)| !stated.contains_key(path.as_str())).collect();
    for (path, digest) in &stated {
        let Some(body) = there.get(&(*path).to_owned()) else {
            let same = added.iter().find(|(_, b)| b.digest().hex() == *digest);
            return Err(match same {
                Some((to, _)) => IntegrityError::Renamed { from: (*path).to_owned(), to: (**to).clone() },
                None => IntegrityError::Missing((*path).to_owned()),
            });
        };
        if body.digest().hex() != *digest {
            return Err(IntegrityError::Changed((*path).to_owned()));
        }
    }
    if let Some((path, _)) = added.first() {
        return Err(IntegrityError::Added((**path).clone()));
    }
    if layout::list(there.iter().map(|(p, b)| (*p, *b))) == text { Ok(()) } else { Err(IntegrityError::Form(name)) }
}
