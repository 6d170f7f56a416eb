//! What the servers of a laboratory saw of a device that looks for updates.
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

/// What is wrong with an update image that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ImageCase {
    PayloadBit,
    SignatureBit,
    Stripped,
    OtherKey,
    OtherModel,
    Truncated,
    /// Genuine, and the connection is cut in the middle of each download.
    Cut,
    /// Nothing: the control.
    Genuine,
    Older,
    /// Genuine, and the metadata were changed after they had been signed.
    MetadataChanged,
    /// Genuine, and the metadata, though signed, are no longer valid.
    MetadataExpired,
    /// Signed by the maker, and made so that it does not start.
    NoBoot,
}

impl ImageCase {
    pub fn words(self) -> &'static str {
        match self {
            Self::PayloadBit => "an image with one bit of its payload changed",
            Self::SignatureBit => "an image with one bit of its signature changed",
            Self::Stripped => "an image without its signature",
            Self::OtherKey => "an image signed with another key",
            Self::OtherModel => "an image for another model",
            Self::Truncated => "the first half of an image",
            Self::Cut => "a download that is cut in the middle",
            Self::Genuine => "the genuine image",
            Self::Older => "an older image",
            Self::MetadataChanged => "an image whose signed metadata were changed",
            Self::MetadataExpired => "an image whose metadata are no longer valid",
            Self::NoBoot => "a signed image that does not start",
        }
    }

    /// What is wrong stands in the metadata; a device that sees it need not fetch the image.
    pub fn of_metadata(self) -> bool {
        matches!(self, Self::MetadataChanged | Self::MetadataExpired)
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::PayloadBit => "payload-bit",
            Self::SignatureBit => "signature-bit",
            Self::Stripped => "stripped",
            Self::OtherKey => "other-key",
            Self::OtherModel => "other-model",
            Self::Truncated => "truncated",
            Self::Cut => "cut",
            Self::Genuine => "genuine",
            Self::Older => "older",
            Self::MetadataChanged => "metadata-changed",
            Self::MetadataExpired => "metadata-expired",
            Self::NoBoot => "no-boot",
        }
    }
}

/// Whether somebody made the device look for the image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prompted {
    /// Not written down by older versions.
    #[default]
    Unknown,
    /// It came by itself.
    Nobody,
    /// The plan's trigger was run.
    Trigger,
}

impl Prompted {
    fn is_unknown(&self) -> bool {
        *self == Self::Unknown
    }
}

/// One image that was offered, and what the device did: what it fetched, and which versions it then ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageTrial {
    pub case: ImageCase,
    pub sha256: Sha256Digest,
    pub bytes: u64,
    /// The version that the device would run.
    pub version: String,
    /// How often the device asked for the metadata meanwhile.
    #[serde(default, skip_serializing_if = "none")]
    pub asked: u32,
    /// Bytes from its beginning that the device took, and in how many requests.
    pub fetched: u64,
    pub fetches: u32,
    pub before: Option<String>,
    /// Every version that was read afterwards, in order, without repeats.
    pub seen: Vec<String>,
    /// How often the device itself was asked meanwhile and did not tell its version.
    #[serde(default, skip_serializing_if = "none")]
    pub unread: u32,
    /// `None`: it could not be read any more.
    pub after: Option<String>,
    pub waited_ms: u64,
    #[serde(default, skip_serializing_if = "Prompted::is_unknown")]
    pub prompted: Prompted,
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn none(n: &u32) -> bool {
    *n == 0
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
