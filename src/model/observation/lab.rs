//! What the servers of a laboratory saw of a device that looks for updates.
mod image;
mod time;
pub use image::{ImageCase, ImageTrial, PULL, Prompted, UPLOAD};
pub use time::{ClockMove, Met, Told};

use super::TlsVersion;
use crate::model::digest::Sha256Digest;
use serde::{Deserialize, Serialize};

/// How the laboratory's update server presents itself. One thing is wrong at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServerCase {
    /// The right name, in force, by the laboratory's CA: the control, first and last.
    Genuine,
    WrongName,
    Expired,
    NotYetValid,
    SelfSigned,
    /// By a CA of the same name that the device was never given.
    UnknownCa,
    /// By an end-entity certificate of the laboratory's CA.
    NotACa,
    /// For clients only.
    WrongUsage,
    /// An RSA key of 1024 bits.
    WeakKey,
    Tls11,
    Tls10,
    /// TLS connections are reset; plain HTTP is there.
    HttpsRefused,
    /// Everything leads to plain HTTP.
    RedirectToHttp,
    /// Every connection is reset: an outage of the servers.
    Away,
}

impl ServerCase {
    pub const BAD_CERTIFICATES: [Self; 8] = [
        Self::WrongName,
        Self::Expired,
        Self::NotYetValid,
        Self::SelfSigned,
        Self::UnknownCa,
        Self::NotACa,
        Self::WrongUsage,
        Self::WeakKey,
    ];
    pub const OLD_VERSIONS: [Self; 2] = [Self::Tls11, Self::Tls10];
    pub const FALLBACKS: [Self; 2] = [Self::HttpsRefused, Self::RedirectToHttp];

    pub fn words(self) -> &'static str {
        match self {
            Self::Genuine => "a genuine certificate",
            Self::WrongName => "a certificate for another name",
            Self::Expired => "an expired certificate",
            Self::NotYetValid => "a certificate that is not valid yet",
            Self::SelfSigned => "a self-signed certificate",
            Self::UnknownCa => "a certificate by an unknown CA",
            Self::NotACa => "a certificate issued by a certificate that is no CA",
            Self::WrongUsage => "a certificate for clients only",
            Self::WeakKey => "a certificate with an RSA key of 1024 bits",
            Self::Tls11 => "TLS 1.1 only",
            Self::Tls10 => "TLS 1.0 only",
            Self::HttpsRefused => "HTTPS that is reset",
            Self::RedirectToHttp => "a redirection to plain HTTP",
            Self::Away => "servers that are away",
        }
    }

    /// Which gaps concern it.
    pub fn topic(self) -> &'static str {
        match self {
            Self::Tls10 | Self::Tls11 => "versions",
            Self::HttpsRefused | Self::RedirectToHttp => "fallback",
            Self::Away => "servers",
            Self::Genuine
            | Self::WrongName
            | Self::Expired
            | Self::NotYetValid
            | Self::SelfSigned
            | Self::UnknownCa
            | Self::NotACa
            | Self::WrongUsage
            | Self::WeakKey => "certificates",
        }
    }
}

/// How a TLS connection to the laboratory went on after the device's hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "kebab-case", deny_unknown_fields)]
pub enum End {
    /// The handshake was finished by both.
    Established,
    /// The device went on (sent its keys) after a server flight that cannot be finished here.
    WentOn,
    Alert {
        description: u8,
    },
    Closed,
    Silent {
        waited_ms: u64,
    },
    /// The laboratory reset it, as the case wants.
    Reset,
    NotUnderstood {
        why: String,
    },
}

impl End {
    pub fn words(&self) -> String {
        match self {
            Self::Established => "the handshake was finished".to_owned(),
            Self::WentOn => "the device went on with its keys".to_owned(),
            Self::Alert { description } => format!("the device sent alert {description}"),
            Self::Closed => "the device closed the connection".to_owned(),
            Self::Silent { waited_ms } => format!("the device said nothing for {waited_ms} ms"),
            Self::Reset => "reset by the laboratory".to_owned(),
            Self::NotUnderstood { why } => why.clone(),
        }
    }
}

/// What the plan says that a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resource {
    Metadata,
    /// The signature of the metadata, as a file of its own.
    MetadataSignature,
    Image,
    Other,
}

/// One request that the device made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub method: String,
    pub host: String,
    pub path: String,
    pub resource: Resource,
    pub status: u16,
    /// The first byte of the file that it asked for.
    pub first: u64,
    /// Bytes of the answer's body that were handed over, and how many the file has.
    pub sent: u64,
    pub of: u64,
}

/// The TLS side of a visit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    /// The name that the device asked for.
    pub name: Option<String>,
    pub offered: Vec<TlsVersion>,
    pub suites: u16,
    /// Offered suites without forward secrecy or AEAD are counted, not listed.
    pub weak_suites: u16,
    pub alpn: Vec<String>,
    pub agreed: Option<TlsVersion>,
    pub end: End,
}

/// One connection that the device opened to the laboratory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Visit {
    pub case: ServerCase,
    pub port: u16,
    /// `None`: plain HTTP.
    pub tls: Option<Handshake>,
    /// Every answer ends its connection.
    pub request: Option<Request>,
}

impl Visit {
    /// What it asked for, inside TLS or without.
    pub fn resource(&self) -> Option<Resource> {
        self.request.as_ref().map(|r| r.resource)
    }
}

/// When a device that can no longer be updated was watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    Before,
    Isolated,
    Rejoined,
}

impl Phase {
    pub fn words(self) -> &'static str {
        match self {
            Self::Before => "before it was isolated",
            Self::Isolated => "while it was isolated",
            Self::Rejoined => "after it was brought back",
        }
    }
}

/// What was seen of a device before, during and after its isolation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IsolationPhase {
    pub phase: Phase,
    /// Connections and questions for names that came from it.
    pub heard: u64,
    /// Whether the function that needs no network was there at the end.
    pub works: bool,
    pub watched_ms: u64,
}

/// One signature of a package, as `update inspect` found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageSignature {
    pub place: String,
    pub scheme: String,
    pub key: Option<String>,
    /// verified, not-verified, cannot-verify, does-not-verify
    pub state: String,
}

/// What an update package is, without any device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub sha256: Sha256Digest,
    pub format: String,
    pub version: Option<String>,
    pub signatures: Vec<PackageSignature>,
    /// Weaknesses by id, and in words.
    pub weak: Vec<(String, String)>,
    /// Parts that were not looked into.
    pub unseen: Vec<String>,
}
