//! One wrong thing at a time: packages that a device must refuse, each for a single reason.
//!
//! Whatever anybody can recompute without a key, and no signature covers, is recomputed (lengths, sums, digests
//! beside the signed bytes), so that a refusal is about the named fact and nothing else.
use super::{Format, detect, error::ImageError, esp, mcuboot, mender, rauc, sign::PrivateKey, suit, swupdate};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// One bit in the middle of the payload.
    PayloadBit,
    /// One bit in the middle of the signature's value.
    SignatureBit,
    /// The signature is gone; everything else is as before.
    Stripped,
    /// The first half.
    Truncated,
    /// It says to be an older version.
    Older,
    /// It says to be for another model.
    OtherModel,
    /// Signed with a key that is not the maker's.
    OtherKey,
}

/// The changed package. With a key it is signed again afterwards, as a laboratory does that holds the maker's test
/// key; without one the old signature stays, and does not fit what was changed.
pub fn mutate(image: &[u8], kind: Mutation, key: Option<&PrivateKey>) -> Result<Vec<u8>, ImageError> {
    let format = detect(image).ok_or(ImageError::Unknown)?;
    match (kind, key) {
        (Mutation::OtherKey, None) => {
            return Err(ImageError::Key("name the other key with --key".to_owned()));
        }
        (Mutation::SignatureBit | Mutation::Stripped | Mutation::Truncated, Some(_)) => {
            return Err(ImageError::unchangeable(format.name(), "it would be signed again; leave out --key"));
        }
        _ => {}
    }
    if kind == Mutation::Truncated {
        return Ok(image.get(..image.len() / 2).unwrap_or_default().to_vec());
    }
    match format {
        Format::Swupdate => swupdate::mutate(image, kind, key),
        Format::Rauc => rauc::mutate(image, kind, key),
        Format::Mender => mender::mutate(image, kind, key),
        Format::Mcuboot => mcuboot::mutate(image, kind, key),
        Format::Suit => suit::mutate(image, kind, key),
        Format::EspIdf => esp::mutate(image, kind, key),
        Format::Zip | Format::Tar | Format::Gzip | Format::Raw => {
            let why = "only the ways to cut it are known here (--kind truncated)";
            Err(ImageError::unchangeable(format.name(), why))
        }
    }
}

/// The same bytes with one bit in the middle changed.
pub fn flipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let middle = out.len() / 2;
    if let Some(byte) = out.get_mut(middle) {
        *byte ^= 1;
    }
    out
}

/// A version below this one, in as many characters, so that nothing else moves.
pub fn lower(version: &str) -> Option<String> {
    let at = version.char_indices().find(|(_, c)| ('1'..='9').contains(c))?;
    let digit = char::from_digit(at.1.to_digit(10)?.checked_sub(1)?, 10)?;
    let mut out = version.to_owned();
    out.replace_range(at.0..at.0 + 1, digit.to_string().as_str());
    Some(out)
}

/// Another name in as many characters.
pub fn other(model: &str) -> Option<String> {
    let (at, last) = model.char_indices().rfind(|(_, c)| c.is_ascii_alphanumeric())?;
    let changed = match last {
        'z' => 'y',
        'Z' => 'Y',
        '9' => '8',
        c => char::from_u32(u32::from(c) + 1)?,
    };
    let mut out = model.to_owned();
    out.replace_range(at..=at, changed.to_string().as_str());
    Some(out)
}

pub fn no_version(format: &'static str) -> ImageError {
    ImageError::unchangeable(format, "it names no version above zero; take an older package of the maker")
}

pub fn no_model(format: &'static str) -> ImageError {
    ImageError::unchangeable(format, "it names no model; take a package for a sibling model")
}

pub fn no_signature(format: &'static str) -> ImageError {
    ImageError::unchangeable(format, "it has no signature")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_version_is_lower_and_as_long() {
        for (version, expected) in
            [("1.2.3", Some("0.2.3")), ("v0.10", Some("v0.00")), ("0.0", None), ("2025.1", Some("1025.1"))]
        {
            assert_eq!(lower(version).as_deref(), expected, "{version}");
        }
    }

    #[test]
    fn another_model_differs_in_one_character() {
        for (model, expected) in [("camera-x9", "camera-x8"), ("rev_a", "rev_b"), ("Z", "Y"), ("a.", "b.")] {
            assert_eq!(other(model).as_deref(), Some(expected));
        }
    }
}
