//! Who signed: every signature of a bundle, each against the key that lies beside it.
use super::{
    body::Body,
    cms, dsse,
    layout::{self, Files},
    sign::{self, SignatureError},
    statement::Claims,
};
use ssh_key::PublicKey;

/// The keys of all signers that the statement names, in its order. Every SSH signature and every signature
/// of the envelope was checked.
pub fn keys(files: &Files, claims: &Claims) -> Result<Vec<PublicKey>, SignatureError> {
    let bytes = |name: &str| files.get(name).and_then(Body::held).ok_or(SignatureError::Missing);
    let statement = bytes(layout::STATEMENT)?;
    let mut keys = Vec::new();
    for (n, claimed) in claims.by.signers.iter().enumerate() {
        let (signature, signer) = (layout::signature(n), layout::signer(n));
        let key = sign::check(statement, (&signature, bytes(&signature)?), (&signer, bytes(&signer)?))?;
        let found = sign::fingerprint(&key).to_string();
        if *claimed != found {
            return Err(SignatureError::Claimed { claimed: claimed.clone(), file: signer, found });
        }
        keys.push(key);
    }
    if keys.is_empty() {
        return Err(SignatureError::Missing);
    }
    dsse::check(bytes(layout::ENVELOPE)?, statement, &keys)?;
    certificate(files, claims)?;
    Ok(keys)
}

/// The certificate of the CMS signature, where the statement names one. The signature was checked.
pub fn certificate(files: &Files, claims: &Claims) -> Result<Option<cms::Signed>, SignatureError> {
    if claims.by.certificates.is_empty() {
        return Ok(None);
    }
    let bytes = |name: &str| files.get(name).and_then(Body::held).ok_or(SignatureError::Missing);
    let checked = cms::check(bytes(layout::CMS)?, bytes(layout::STATEMENT)?, claims);
    checked.map(Some).map_err(|e| SignatureError::Cms(e.to_string()))
}
