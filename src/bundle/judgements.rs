//! Assessors' own signatures under what they judged. Their namespace is not that of a seal, so that neither can stand in for
//! the other.
use super::{
    attested::Attested,
    sign::{self, KeyError, SignatureError, SigningKey},
    signers::{self, SignerError},
};
use crate::model::attestation::Statement;
use ssh_key::PublicKey;
use std::collections::BTreeSet;
use thiserror::Error;

pub const NAMESPACE: &str = "patuh-judgement";

#[derive(Debug, Error)]
pub enum JudgementError {
    #[error("attestations.jsonl:{0}: not readable as a statement")]
    Statement(usize),
    #[error("attestations.jsonl:{line}: the signature of `{by}`: {error}")]
    Signature { line: usize, by: String, error: SignatureError },
    #[error("attestations.jsonl:{line}: `{by}`: {error}")]
    Signer { line: usize, by: String, error: SignerError },
}

/// Puts the signature of `key` into the statement.
pub fn sign(statement: &mut Statement, key: &SigningKey) -> Result<(), KeyError> {
    let text = statement.unsigned().map_err(|e| KeyError::Statement(e.to_string()))?;
    *statement.signature_mut() = Some(key.sign_for(NAMESPACE, text.as_bytes())?);
    Ok(())
}

/// What was signed, and what was not.
#[derive(Debug, Default)]
pub struct Judgements {
    signed: Vec<Signed>,
    unsigned: usize,
}

#[derive(Debug)]
struct Signed {
    line: usize,
    by: String,
    at: String,
    key: PublicKey,
}

impl Judgements {
    /// Every signature must fit its statement.
    pub fn of(attested: &Attested) -> Result<Self, JudgementError> {
        let mut all = Self::default();
        let text = String::from_utf8_lossy(&attested.statements);
        for (n, text) in text.lines().enumerate() {
            let line = n + 1;
            let statement: Statement = serde_json::from_str(text).map_err(|_| JudgementError::Statement(line))?;
            let Some(signature) = statement.signature() else {
                all.unsigned += 1;
                continue;
            };
            let (by, at) = (statement.by().to_owned(), statement.at().to_owned());
            let message = statement.unsigned().map_err(|_| JudgementError::Statement(line))?;
            let key = sign::key_of_signature(NAMESPACE, message.as_bytes(), ("signature", signature.as_bytes()))
                .map_err(|error| JudgementError::Signature { line, by: by.clone(), error })?;
            all.signed.push(Signed { line, by, at, key });
        }
        Ok(all)
    }

    /// The keys that signed.
    pub fn keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.signed.iter().map(|s| &s.key)
    }

    /// Whose the keys are, by the reader's own records, each at the time of its statement.
    pub fn known(&self, allowed: &str) -> Result<(), JudgementError> {
        for Signed { line, by, at, key } in &self.signed {
            signers::principal(allowed, key, at, NAMESPACE).map_err(|error| JudgementError::Signer {
                line: *line,
                by: by.clone(),
                error,
            })?;
        }
        Ok(())
    }

    /// `; judgements: 3 signed by A. Tan, 1 not signed`, or nothing where nobody judged.
    pub fn words(&self) -> String {
        let people: BTreeSet<&str> = self.signed.iter().map(|s| s.by.as_str()).collect();
        let people = people.into_iter().collect::<Vec<_>>().join(" and ");
        match (self.signed.len(), self.unsigned) {
            (0, 0) => String::new(),
            (0, unsigned) => format!("; judgements: {unsigned} not signed"),
            (signed, 0) => format!("; judgements: {signed} signed by {people}"),
            (signed, unsigned) => format!("; judgements: {signed} signed by {people}, {unsigned} not signed"),
        }
    }
}
