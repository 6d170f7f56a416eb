//! SWUpdate packages, as a small device reads them: a cpio archive with `sw-description`, its RSA signature and one image.
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub struct Package {
    pub description: Vec<u8>,
    pub signature: Option<Vec<u8>>,
    pub version: String,
    pub model: String,
    /// The image's digest is the stated one.
    pub intact: bool,
    /// What the image does when it is started, as makers build one to test with.
    pub starts: bool,
}

/// `None`: it is cut off, or no package at all.
pub fn read(bytes: &[u8]) -> Option<Package> {
    let mut files = entries(bytes)?;
    let description = files.remove("sw-description")?;
    let signature = files.remove("sw-description.sig");
    let text = String::from_utf8(description.clone()).ok()?;
    let stated = quoted(&text, "sha256")?;
    let image = files.get(&quoted(&text, "filename")?)?;
    let intact = Sha256::digest(image).iter().map(|b| format!("{b:02x}")).collect::<String>() == stated;
    let (version, model) = (quoted(&text, "version")?, quoted(&text, "hardware-compatibility")?);
    let starts = quoted(&text, "self-test").is_none_or(|t| t != "fails");
    Some(Package { description, signature, version, model, intact, starts })
}

pub fn verify(key: &RsaPublicKey, description: &[u8], signature: &[u8]) -> bool {
    key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(description), signature).is_ok()
}

/// A version to compare: its numbers.
pub fn number(version: &str) -> Vec<u64> {
    version.split('.').map(|n| n.parse().unwrap_or(0)).collect()
}

/// The first text in quotes after a key.
fn quoted(text: &str, key: &str) -> Option<String> {
    let (_, rest) = text.split_once(key)?;
    Some(rest.split('"').nth(1)?.to_owned())
}

/// The files of a cpio archive in the format newc, with or without sums.
fn entries(mut bytes: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let mut all = BTreeMap::new();
    let padded = |n: usize| n.next_multiple_of(4);
    loop {
        let header = bytes.get(..110)?;
        let number = |n: usize| {
            let digits = std::str::from_utf8(header.get(6 + 8 * n..14 + 8 * n)?).ok()?;
            usize::from_str_radix(digits, 16).ok()
        };
        if !header.starts_with(b"07070") {
            return None;
        }
        let (size, name) = (number(6)?, number(11)?);
        let label = bytes.get(110..(110 + name).checked_sub(1)?)?;
        let label = String::from_utf8_lossy(label).into_owned();
        if label == "TRAILER!!!" {
            return Some(all);
        }
        let start = padded(110 + name);
        all.insert(label, bytes.get(start..start.checked_add(size)?)?.to_vec());
        bytes = bytes.get(start + padded(size)..)?;
    }
}
