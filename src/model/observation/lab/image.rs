//! One update image that a laboratory offered, and what the device made of it.
use crate::model::digest::Sha256Digest;
use serde::{Deserialize, Serialize};

/// The device fetches from an update server.
pub const PULL: &str = "pull";
/// The image is sent to a page of the device.
pub const UPLOAD: &str = "upload";

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
    /// Genuine, by a server whose certificate is over, while the device was told a time in which it was in force.
    ClockMoved,
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
            Self::ClockMoved => {
                "the genuine image by a server whose certificate is over, and a time that makes up for it"
            }
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
            Self::ClockMoved => "clock-moved",
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
    /// The plan's trigger was run, or the image was handed to it.
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
    /// How it came to the device, in the words of table 7-UpdMech (`x-delivery`): `pull`, `upload`, or the protocol of a tool.
    #[serde(default = "pull", skip_serializing_if = "is_pull")]
    pub delivery: String,
    /// What the device, or the tool that handed it over, said to it. It proves nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn none(n: &u32) -> bool {
    *n == 0
}

fn pull() -> String {
    PULL.to_owned()
}

fn is_pull(delivery: &String) -> bool {
    delivery == PULL
}
