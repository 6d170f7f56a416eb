//! What a package says of itself, whatever its format.
use super::{
    key::{PublicKey, Scheme},
    secrets::{Secret, Unseen},
};
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    Swupdate,
    Rauc,
    Mender,
    Mcuboot,
    Suit,
    EspIdf,
    Zip,
    Tar,
    Gzip,
    Raw,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Self::Swupdate => "SWUpdate",
            Self::Rauc => "RAUC",
            Self::Mender => "Mender",
            Self::Mcuboot => "MCUboot",
            Self::Suit => "SUIT",
            Self::EspIdf => "ESP-IDF",
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Gzip => "gzip",
            Self::Raw => "raw",
        }
    }
}

/// What one signature was made over, and how.
pub enum Material {
    Raw {
        scheme: Scheme,
        message: Vec<u8>,
        value: Vec<u8>,
    },
    /// CMS SignedData (RFC 5652), and the content if it stands elsewhere.
    Cms {
        der: Vec<u8>,
        content: Option<Vec<u8>>,
    },
    /// Recognised; why it is not verified here.
    Opaque {
        name: String,
        why: String,
    },
}

pub struct Signed {
    /// Where it stands, such as `sw-description.sig`.
    pub place: String,
    pub material: Material,
    /// What the package says about the key: an identifier or a digest.
    pub key_id: Option<String>,
    /// A key that the package itself carries. It proves nothing about who signed.
    pub carried: Option<PublicKey>,
    pub covers: String,
}

impl Signed {
    pub fn raw(place: &str, scheme: Scheme, message: Vec<u8>, value: Vec<u8>, covers: &str) -> Self {
        let material = Material::Raw { scheme, message, value };
        Self { place: place.to_owned(), material, key_id: None, carried: None, covers: covers.to_owned() }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Match {
    Matches,
    Differs,
    /// The package states no digest of it.
    NoDigest,
    /// The digest is stated, but the bytes are elsewhere, encrypted or of an algorithm not known here.
    NotChecked,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Payload {
    pub name: String,
    pub bytes: Option<usize>,
    /// As the package states it.
    pub digest: Option<String>,
    pub state: Match,
}

impl Payload {
    /// A payload and the SHA-256 that the package states for it, in hexadecimal digits.
    pub fn sha256(name: &str, data: &[u8], stated: Option<&str>) -> Self {
        let own = crate::model::digest::Sha256Digest::of(data);
        let state = match stated {
            None => Match::NoDigest,
            Some(s) if s.eq_ignore_ascii_case(&own.hex()) => Match::Matches,
            Some(_) => Match::Differs,
        };
        let digest = stated.map(|s| format!("sha256:{}", super::shown(s)));
        Self { name: super::shown(name), bytes: Some(data.len()), digest, state }
    }
}

/// Something found; `id` is for scripts, `text` for people.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Remark {
    pub id: &'static str,
    pub text: String,
}

impl Remark {
    pub fn new(id: &'static str, text: impl Into<String>) -> Self {
        Self { id, text: text.into() }
    }
}

/// All texts have passed `shown`.
pub struct Facts {
    pub format: Format,
    /// Which kind of the format, such as `verity`.
    pub kind: Option<String>,
    pub name: Option<String>,
    pub version: Option<String>,
    /// Models, device types, classes that it says it is for.
    pub targets: Vec<String>,
    /// A number that only grows, against older packages.
    pub rollback: Option<String>,
    pub depends: Vec<String>,
    /// With what the payload is encrypted.
    pub encrypted: Option<String>,
    pub signed: Vec<Signed>,
    pub payloads: Vec<Payload>,
    pub weak: Vec<Remark>,
    pub notes: Vec<Remark>,
    pub secrets: Vec<Secret>,
    pub unseen: Vec<Unseen>,
}

impl Facts {
    pub fn new(format: Format) -> Self {
        Self {
            format,
            kind: None,
            name: None,
            version: None,
            targets: Vec::new(),
            rollback: None,
            depends: Vec::new(),
            encrypted: None,
            signed: Vec::new(),
            payloads: Vec::new(),
            weak: Vec::new(),
            notes: Vec::new(),
            secrets: Vec::new(),
            unseen: Vec::new(),
        }
    }

    pub fn note(&mut self, id: &'static str, text: impl Into<String>) {
        self.notes.push(Remark::new(id, text));
    }

    pub fn weak(&mut self, id: &'static str, text: impl Into<String>) {
        self.weak.push(Remark::new(id, text));
    }
}
