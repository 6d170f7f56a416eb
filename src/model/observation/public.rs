//! What a maker publishes, as it was fetched from outside or handed over as a copy.
use crate::model::digest::Sha256Digest;
use serde::{Deserialize, Serialize};

/// How a document came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Whence {
    /// By an ordinary visitor's request, without a session.
    Fetched,
    /// From a directory: it shows what was published, not that it can be reached.
    Saved,
}

/// What stood between a visitor and the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wall {
    Nothing,
    /// An account is asked for.
    LogIn,
    /// The server told that it takes us for a machine, or that it has had enough.
    Robots,
}

/// One document. Its text is the maker's own publication, so that it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// The field of the IXIT that names it, or `statement`.
    pub name: String,
    /// As it was declared, or the file of the copy.
    pub url: String,
    pub whence: Whence,
    /// Where the redirects ended.
    pub ended: String,
    /// Of a copy there is none.
    pub status: Option<u16>,
    pub wall: Wall,
    /// The site sends the same for a path that cannot exist.
    pub same_as_missing: bool,
    pub content_type: String,
    /// What the page says of its language.
    pub language: String,
    pub bytes: u64,
    pub sha256: Sha256Digest,
    /// Nothing where no text could be read, as of a picture or a PDF.
    pub text: Option<String>,
    /// There is more text than was kept.
    pub cut: bool,
}

/// A pointer that machines follow: to advisories, to a bill of materials, to a usage description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pointer {
    /// CSAF provider-metadata.json (OASIS CSAF 2.0, section 7.1.8).
    Advisories,
    /// `/.well-known/sbom` (RFC 9472).
    Sbom,
    /// A URL of a manufacturer usage description in a certificate (RFC 8520, section 11).
    Mud,
}

impl Pointer {
    pub fn words(self) -> &'static str {
        match self {
            Self::Advisories => "a list of security advisories",
            Self::Sbom => "a bill of materials",
            Self::Mud => "a usage description (MUD)",
        }
    }
}
