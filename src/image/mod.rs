//! Floor 1d: what an update package is. Pure parsing of a stranger's bytes: bounded, and nothing in them is believed.
//!
//! One file per format reads it into [`facts::Facts`]; [`inspect`] verifies, searches for private keys and concludes.
//! The same files know how to change one thing in a package ([`mutate()`]), so that a device can be shown it.
pub mod cms;
mod config;
mod cpio;
mod cursor;
mod detached;
mod error;
mod esp;
pub mod facts;
mod inspection;
mod key;
mod mcuboot;
mod mender;
mod mutate;
mod plain;
mod rauc;
mod secrets;
mod sign;
mod squashfs;
mod suit;
mod swupdate;
mod tar;
mod text;
mod unpack;

pub use error::ImageError;
pub use facts::Format;
pub use inspection::{Inspection, Outcome, Signature, State};
pub use key::Trusted;
pub use mutate::{Mutation, mutate};
pub use sign::PrivateKey;
pub use text::text;

/// No package that is inspected is larger.
pub const MOST_BYTES: usize = 2 << 30;

/// Whether bytes look like a format.
type Mark = fn(&[u8]) -> bool;

/// By its own marks; the stronger mark first.
pub fn detect(bytes: &[u8]) -> Option<Format> {
    let known: [(Mark, Format); 9] = [
        (swupdate::is, Format::Swupdate),
        (mender::is, Format::Mender),
        (mcuboot::is, Format::Mcuboot),
        (rauc::is, Format::Rauc),
        (|b| b.starts_with(b"PK\x03\x04"), Format::Zip),
        (|b| b.starts_with(&[0x1f, 0x8b, 8]), Format::Gzip),
        (tar::is, Format::Tar),
        (suit::is, Format::Suit),
        (esp::is, Format::EspIdf),
    ];
    known.iter().find(|(is, _)| is(bytes)).map(|(_, f)| *f)
}

/// Reads a package, with its signature if that is a file of its own, and verifies it with the key if one is given.
pub fn inspect(bytes: &[u8], signature: Option<&[u8]>, trusted: Option<&Trusted>) -> Result<Inspection, ImageError> {
    let format = detect(bytes);
    let mut facts = match (format, signature) {
        (Some(Format::Swupdate), _) => swupdate::facts(bytes)?,
        (Some(Format::Rauc), Some(s)) => rauc::facts(bytes).or_else(|_| detached::facts(bytes, s))?,
        (Some(Format::Rauc), None) => rauc::facts(bytes)?,
        (Some(Format::Mender), _) => mender::facts(bytes)?,
        (Some(Format::Mcuboot), _) => mcuboot::facts(bytes)?,
        (Some(Format::Suit), _) => suit::facts(bytes)?,
        (Some(Format::EspIdf), _) => esp::facts(bytes)?,
        (Some(f @ (Format::Zip | Format::Tar | Format::Gzip)), _) => plain::facts(f, bytes)?,
        (Some(Format::Raw) | None, Some(s)) => detached::facts(bytes, s)?,
        (Some(Format::Raw) | None, None) => return Err(ImageError::Unknown),
    };
    if let Some(s) = signature.filter(|_| facts.format != Format::Raw) {
        facts.signed.push(detached::signed(bytes, s)?);
    }
    let mut search = secrets::Search::default();
    unpack::Walk::new(&mut search).enter("", bytes, 0)?;
    if facts.format == Format::Suit {
        for (name, data) in suit::Envelope::read(bytes)?.integrated() {
            unpack::Walk::new(&mut search).enter(name, data, 1)?;
        }
    }
    let (found, unseen) = search.finish();
    facts.secrets = found;
    facts.unseen.extend(unseen);
    facts.unseen.sort();
    facts.unseen.dedup();
    inspection::conclude(bytes, facts, trusted)
}

/// A name from a package, fit to be shown.
fn shown(text: &str) -> String {
    crate::model::observation::clean(text, 160)
}
