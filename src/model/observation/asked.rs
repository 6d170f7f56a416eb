//! What single questions brought back: small protocols that need no file of their own.
use crate::model::digest::Sha256Digest;
use serde::{Deserialize, Serialize};

/// What came back for one TFTP read request. Of a file only its first block is taken, and only counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum TftpAnswer {
    Data { bytes: u64, sha256: Sha256Digest },
    Error { code: u16 },
    Silent,
    Unclear,
}

/// What a port said to the question that tells a known backdoor or engineering service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signature {
    Matches,
    /// It answered something else.
    Other,
    Silent,
}

/// How an SNMP agent took a write of the value that was there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum SnmpSet {
    /// Error status 0; whether the same value was read afterwards.
    Written {
        same_after: bool,
    },
    Refused {
        status: u8,
    },
    Silent,
}
