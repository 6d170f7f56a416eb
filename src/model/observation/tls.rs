//! What a TLS server does beyond accepting a version: by how it answers many small hellos.
use crate::model::digest::Sha256Digest;
use serde::{Deserialize, Serialize};

/// Who decides which of several suites is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chooser {
    Server,
    Client,
    /// One suite alone is accepted, or the two questions did not agree.
    Unclear,
}

impl Chooser {
    pub fn word(self) -> &'static str {
        match self {
            Self::Server => "the server",
            Self::Client => "the client",
            Self::Unclear => "unclear who",
        }
    }
}

/// What was enumerated under one version until the server refused the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case", deny_unknown_fields)]
pub enum TlsList {
    /// By IANA name, in the order in which the server took them; one without a name by its number, `0x00ff`.
    Suites { names: Vec<String>, chooses: Chooser },
    /// Groups of ephemeral key exchange, by IANA name.
    Groups { names: Vec<String> },
    /// Sizes in bits of the primes of finite-field key exchange.
    DhBits { bits: Vec<u32> },
    /// Signature schemes of the server's key exchange, by IANA name.
    Signatures { names: Vec<String> },
}

/// A property of a server that is there or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsFeature {
    /// It takes a hello of SSL 2.0.
    Ssl2,
    Compression,
    /// RFC 5746.
    SecureRenegotiation,
    /// RFC 7627.
    ExtendedMasterSecret,
    /// RFC 7507: it refuses a client that says that it fell back.
    FallbackScsv,
    SessionTickets,
    /// It stapled an OCSP answer when asked.
    OcspStaple,
    /// It asks clients for a certificate.
    ClientCertificate,
    /// It goes on with a client that names a host that cannot be its own.
    ForeignName,
    /// RFC 6520.
    Heartbeat,
    /// It answered a heartbeat without padding, which RFC 6520, section 4, has it discard.
    UnpaddedHeartbeat,
}

impl TlsFeature {
    pub fn words(self) -> &'static str {
        match self {
            Self::Ssl2 => "SSL 2.0",
            Self::Compression => "compression",
            Self::SecureRenegotiation => "secure renegotiation",
            Self::ExtendedMasterSecret => "the extended master secret",
            Self::FallbackScsv => "refusal of needless fallback",
            Self::SessionTickets => "session tickets",
            Self::OcspStaple => "a stapled OCSP answer",
            Self::ClientCertificate => "a demand for a client's certificate",
            Self::ForeignName => "an answer under a foreign name",
            Self::Heartbeat => "heartbeats",
            Self::UnpaddedHeartbeat => "an answer to a heartbeat that must be discarded",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    Present,
    Absent,
    /// It was asked, and the answer does not say.
    Unclear,
}

/// One certificate of the chain that a server showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainLink {
    pub subject: String,
    /// `rsa2048`, `ec256`, or the identifier of its algorithm.
    pub key: String,
    /// Of an RSA key, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exponent: Option<String>,
    /// The modulus has the structure of keys made by the library of CVE-2017-15361.
    #[serde(default)]
    pub roca: bool,
    /// The identifier of the algorithm by which it is signed.
    pub signature: String,
    pub self_signed: bool,
    pub sha1: String,
    pub sha256: Sha256Digest,
    pub spki_sha256: Sha256Digest,
}

/// What a client without a certificate that the server could believe gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientProof {
    None,
    /// Made by us a moment ago, signed by itself.
    SelfSigned,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientOutcome {
    /// Bytes of the application came back.
    Served,
    /// An alert or a close before any of them.
    Refused,
    /// Nothing came back: perhaps our question was no question to it.
    Silent,
}
