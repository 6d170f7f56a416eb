//! Secrets that were masked: what a transcript commits to, and what opens it for whoever may know.
use super::Sha256Digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The file of the openings, beside a recording and in a confidential bag. It never stands in a bundle.
pub const FILE: &str = "openings.jsonl";

/// What is hashed begins with this, so that no digest of anything else is taken for a commitment.
const PURPOSE: &[u8] = b"redact/v1\0";

/// Bytes of a salt: nobody can find a short secret by trying them all.
pub const SALT: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    Sent,
    Received,
}

/// A place in a transcript where `*` stands for something else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    pub way: Way,
    /// Bytes of that direction before it.
    pub at: usize,
    /// In bytes.
    pub length: usize,
    pub commitment: Sha256Digest,
}

/// What stood there. `commitment` is the SHA-256 of `redact/v1`, a zero byte, the salt and the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    pub commitment: Sha256Digest,
    /// Base64.
    salt: String,
    /// Base64.
    value: String,
}

#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum OpeningError {
    #[error("salt or value is not base64")]
    NotBase64,
    #[error("the salt has not {SALT} bytes")]
    Salt,
    #[error("salt and value do not give its commitment")]
    Forged,
}

impl Opening {
    pub fn new(salt: &[u8; SALT], value: &[u8]) -> Self {
        let (commitment, salt, text) = (commitment(salt, value), STANDARD.encode(salt), STANDARD.encode(value));
        Self { commitment, salt, value: text }
    }

    /// The value, if it is the one that was committed to.
    pub fn value(&self) -> Result<Vec<u8>, OpeningError> {
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| OpeningError::NotBase64);
        let (salt, value) = (bytes(&self.salt)?, bytes(&self.value)?);
        if salt.len() != SALT {
            return Err(OpeningError::Salt);
        }
        if commitment(&salt, &value) == self.commitment { Ok(value) } else { Err(OpeningError::Forged) }
    }
}

fn commitment(salt: &[u8], value: &[u8]) -> Sha256Digest {
    Sha256::new().chain_update(PURPOSE).chain_update(salt).chain_update(value).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_opens_its_own_commitment_only() {
        let opening = Opening::new(&[7; SALT], b"s3cret");
        assert_eq!(opening.value(), Ok(b"s3cret".to_vec()));
        let other = Opening::new(&[8; SALT], b"s3cret");
        assert_ne!(opening.commitment, other.commitment, "the salt hides equal secrets");
        let forged = Opening { commitment: other.commitment, ..opening.clone() };
        assert_eq!(forged.value(), Err(OpeningError::Forged));
        let short = Opening { salt: STANDARD.encode([7; 16]), ..opening };
        assert_eq!(short.value(), Err(OpeningError::Salt));
    }
}
