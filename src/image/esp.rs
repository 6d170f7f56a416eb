//! ESP-IDF application images: segments, a description of the program, and up to three signature blocks.
use super::{
    cursor::Cursor,
    error::ImageError,
    facts::{Facts, Format, Payload, Signed},
    key::{Hash, Numbers, PublicKey, Scheme},
    mutate::{Mutation, flipped, lower, no_model, no_signature, no_version},
    shown,
    sign::PrivateKey,
};
use crate::model::digest::hex;
use rsa::{BigUint, RsaPublicKey};
use sha2::{Digest, Sha256};

const FORMAT: &str = "ESP-IDF";
const MAGIC: u8 = 0xe9;
const HEADER: usize = 24;
/// Where the description begins: after the header and the first segment's.
const DESCRIPTION: usize = HEADER + 8;
const DESCRIPTION_MAGIC: u32 = 0xabcd_5432;
const CHIP: usize = 12;
const SECTOR: usize = 4096;
const BLOCK: usize = 1216;
const BLOCK_MAGIC: u8 = 0xe7;
const CHIPS: &[(u16, &str)] = &[
    (0, "ESP32"),
    (2, "ESP32-S2"),
    (5, "ESP32-C3"),
    (9, "ESP32-S3"),
    (12, "ESP32-C2"),
    (13, "ESP32-C6"),
    (16, "ESP32-H2"),
    (18, "ESP32-P4"),
    (20, "ESP32-C61"),
    (23, "ESP32-C5"),
];

struct Layout {
    /// Of the segments' data, in order.
    segments: Vec<std::ops::Range<usize>>,
    /// Those that are loaded or mapped; the others are padding.
    loaded: Vec<std::ops::Range<usize>>,
    checksum: usize,
    /// Where the appended SHA-256 begins, if there is one.
    hash: Option<usize>,
    end: usize,
    /// Signature blocks of version 2.
    blocks: Vec<usize>,
    /// The 68 bytes of version 1.
    first: Option<usize>,
}

/// The magic number is a single byte; the header must make sense too.
pub fn is(bytes: &[u8]) -> bool {
    let segments = bytes.get(1).copied().unwrap_or(0);
    let flash = bytes.get(2).copied().unwrap_or(255);
    let appended = bytes.get(HEADER - 1).copied().unwrap_or(255);
    bytes.first() == Some(&MAGIC) && (1..=16).contains(&segments) && flash <= 5 && appended <= 1
}

fn layout(bytes: &[u8]) -> Result<Layout, ImageError> {
    let mut c = Cursor::new(FORMAT, bytes);
    let header = c.take(HEADER, "the header")?;
    let count = header.get(1).copied().unwrap_or(0);
    let (mut segments, mut loaded) = (Vec::new(), Vec::new());
    for n in 1..=count {
        let what = format!("segment {n} of {count}");
        let address = c.u32(&what)?;
        let length = c.length(&what)?;
        let start = c.position();
        c.take(length, &what)?;
        segments.push(start..start + length);
        if address != 0 {
            loaded.push(start..start + length);
        }
    }
    // The sum stands in the last byte of a line of sixteen.
    let checksum = c.position() | 15;
    let mut c = Cursor::at(FORMAT, bytes, checksum);
    c.u8("the sum after the segments")?;
    let mut hash = None;
    if header.last() == Some(&1) {
        hash = Some(c.position());
        c.take(32, "the appended SHA-256")?;
    }
    let end = c.position();
    let sector = end.next_multiple_of(SECTOR);
    let is_block = |at: &usize| bytes.get(*at) == Some(&BLOCK_MAGIC) && bytes.len() >= *at + BLOCK;
    let blocks: Vec<usize> = (0..3).map(|n| sector + n * BLOCK).take_while(is_block).collect();
    // Version 1 appends four zero bytes and a raw P-256 signature right after the image.
    let tail = bytes.len().checked_sub(68).filter(|t| *t >= end && blocks.is_empty());
    let first = tail.filter(|t| bytes.get(*t..*t + 4) == Some(&[0; 4]) && bytes.get(*t + 4..).is_some_and(any));
    Ok(Layout { segments, loaded, checksum, hash, end, blocks, first })
}

fn any(bytes: &[u8]) -> bool {
    bytes.iter().any(|b| *b != 0 && *b != 0xff)
}

pub fn facts(bytes: &[u8]) -> Result<Facts, ImageError> {
    let layout = layout(bytes)?;
    let mut facts = Facts::new(Format::EspIdf);
    let chip = Cursor::at(FORMAT, bytes, CHIP).u16("the header")?;
    let known = CHIPS.iter().find(|(id, _)| *id == chip).map(|(_, name)| (*name).to_owned());
    facts.targets.push(format!("chip {}", known.unwrap_or_else(|| format!("0x{chip:04x}"))));
    describe(bytes, &mut facts);
    let sum = layout.segments.iter().filter_map(|s| bytes.get(s.clone())).flatten().fold(0xef, |s, b| s ^ b);
    if bytes.get(layout.checksum) != Some(&sum) {
        facts.weak("bad-digest", "the sum after the segments does not fit them");
    }
    let stated = layout.hash.and_then(|at| bytes.get(at..at + 32)).map(hex);
    let covered = bytes.get(..layout.hash.unwrap_or(layout.end)).unwrap_or_default();
    facts.payloads.push(Payload::sha256("program", covered, stated.as_deref()));
    for (n, at) in layout.blocks.iter().enumerate() {
        facts.kind = Some("secure boot v2".to_owned());
        facts.signed.extend(block(bytes, &layout, *at, n, &mut facts.weak));
    }
    if let Some(at) = layout.first {
        facts.kind = Some("secure boot v1".to_owned());
        let scheme = Scheme::Ecdsa(Hash::Sha256, Numbers::Fixed);
        let message = bytes.get(..at).unwrap_or_default().to_vec();
        let value = bytes.get(at + 4..).unwrap_or_default().to_vec();
        facts.signed.push(Signed::raw("last 68 bytes", scheme, message, value, "everything before it"));
    }
    Ok(facts)
}

fn describe(bytes: &[u8], facts: &mut Facts) {
    let mut c = Cursor::at(FORMAT, bytes, DESCRIPTION);
    if !c.u32("").is_ok_and(|m| m == DESCRIPTION_MAGIC) {
        facts.note("no-description", "no application description: neither version nor secure version are known");
        return;
    }
    let secure = c.u32("").unwrap_or(0);
    let mut text = |skip: usize| {
        let _ = c.take(skip, "");
        let raw = c.take(32, "").unwrap_or_default();
        let text = shown(&String::from_utf8_lossy(raw.split(|b| *b == 0).next().unwrap_or_default()));
        (!text.is_empty()).then_some(text)
    };
    facts.version = text(8);
    facts.name = text(0);
    facts.depends.extend(text(32).map(|v| format!("built with ESP-IDF {v}")));
    facts.rollback = Some(format!("secure version {secure}"));
    if secure == 0 {
        facts.note("rollback", "secure version 0 keeps no older image out");
    }
}

/// Everything before the signature's sector is signed, the padding too.
fn message(bytes: &[u8], layout: &Layout) -> Vec<u8> {
    bytes.get(..layout.end.next_multiple_of(SECTOR)).unwrap_or_default().to_vec()
}

fn block(bytes: &[u8], layout: &Layout, at: usize, n: usize, weak: &mut Vec<super::facts::Remark>) -> Option<Signed> {
    let block = bytes.get(at..at + BLOCK)?;
    let message = message(bytes, layout);
    let digest = Sha256::digest(&message);
    if block.get(4..36)? != digest.as_slice() {
        weak.push(super::facts::Remark::new("bad-digest", format!("signature block {n} is about another image")));
    }
    let (place, covers) = (format!("signature block {n}"), "the image and its padding");
    if block.get(1) == Some(&2) {
        let numbers = (BigUint::from_bytes_le(block.get(36..420)?), BigUint::from_bytes_le(block.get(420..424)?));
        let value: Vec<u8> = block.get(812..1196)?.iter().rev().copied().collect();
        let mut signed = Signed::raw(&place, Scheme::RsaPss(Hash::Sha256), message, value, covers);
        signed.key_id = Some(format!("sha256:{}", hex(&Sha256::digest(block.get(36..812)?))));
        signed.carried = RsaPublicKey::new(numbers.0, numbers.1).ok().map(|k| PublicKey::Rsa(Box::new(k)));
        return Some(signed);
    }
    let (curve, half) = (block.get(36)?, if block.get(36) == Some(&1) { 24 } else { 32 });
    let reversed = |from: usize| block.get(from..from + half).map(|b| b.iter().rev().copied().collect::<Vec<u8>>());
    let scheme = if *curve == 2 { Scheme::Ecdsa(Hash::Sha256, Numbers::Fixed) } else { Scheme::Other("ECDSA P-192") };
    let value = [reversed(101)?, reversed(101 + half)?].concat();
    let mut signed = Signed::raw(&place, scheme, message, value, covers);
    let point = [vec![4], reversed(37)?, reversed(37 + half)?].concat();
    signed.carried = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).ok().map(PublicKey::P256);
    Some(signed)
}

pub fn mutate(bytes: &[u8], kind: Mutation, key: Option<&PrivateKey>) -> Result<Vec<u8>, ImageError> {
    let layout = layout(bytes)?;
    let mut out = bytes.to_vec();
    let value = match (layout.blocks.first(), layout.first) {
        // The value of a block stands little end first, after the key.
        (Some(at), _) => Some(if bytes.get(at + 1) == Some(&2) { at + 812..at + 1196 } else { at + 101..at + 165 }),
        (None, Some(at)) => Some(at + 4..at + 68),
        (None, None) => None,
    };
    match kind {
        Mutation::PayloadBit => {
            let longest = layout.loaded.iter().max_by_key(|s| s.len()).cloned().unwrap_or_default();
            put(&mut out, longest.clone(), &flipped(bytes.get(longest).unwrap_or_default()));
        }
        Mutation::Older => older(&mut out)?,
        Mutation::OtherModel => other_chip(&mut out)?,
        Mutation::SignatureBit => {
            let place = value.clone().ok_or_else(|| no_signature(FORMAT))?;
            put(&mut out, place.clone(), &flipped(bytes.get(place).unwrap_or_default()));
            checked_blocks(&mut out, &layout);
        }
        Mutation::Stripped => {
            let at = layout.blocks.first().copied().or(layout.first).ok_or_else(|| no_signature(FORMAT))?;
            out.truncate(at);
        }
        Mutation::OtherKey | Mutation::Truncated => {}
    }
    resum(&mut out, &layout);
    match (key, value) {
        (Some(key), Some(_)) => resign(&mut out, &layout, key)?,
        (Some(_), None) => return Err(no_signature(FORMAT)),
        (None, _) => {}
    }
    Ok(out)
}

fn put(out: &mut [u8], place: std::ops::Range<usize>, bytes: &[u8]) {
    if let Some(target) = out.get_mut(place).filter(|t| t.len() == bytes.len()) {
        target.copy_from_slice(bytes);
    }
}

fn older(out: &mut [u8]) -> Result<(), ImageError> {
    let mut c = Cursor::at(FORMAT, out, DESCRIPTION);
    if c.u32("the description")? != DESCRIPTION_MAGIC {
        return Err(no_version(FORMAT));
    }
    let secure = c.u32("the description")?;
    c.take(8, "the description")?;
    let raw = c.take(32, "the description")?;
    let text = String::from_utf8_lossy(raw.split(|b| *b == 0).next().unwrap_or_default()).into_owned();
    let lowered = lower(&text).filter(|l| l.len() == text.len());
    if lowered.is_none() && secure == 0 {
        return Err(no_version(FORMAT));
    }
    let at = DESCRIPTION + 16;
    if let Some(lowered) = lowered {
        put(out, at..at + lowered.len(), lowered.as_bytes());
    }
    put(out, DESCRIPTION + 4..DESCRIPTION + 8, &secure.saturating_sub(1).to_le_bytes());
    Ok(())
}

fn other_chip(out: &mut [u8]) -> Result<(), ImageError> {
    let chip = Cursor::at(FORMAT, out, CHIP).u16("the header")?;
    let next = CHIPS.iter().find(|(id, _)| *id != chip).ok_or_else(|| no_model(FORMAT))?;
    put(out, CHIP..CHIP + 2, &next.0.to_le_bytes());
    Ok(())
}

/// Sum and appended digest, which need no key.
fn resum(out: &mut [u8], layout: &Layout) {
    let sum = layout.segments.iter().filter_map(|s| out.get(s.clone())).flatten().fold(0xef, |s, b| s ^ b);
    put(out, layout.checksum..layout.checksum + 1, &[sum]);
    if let Some(at) = layout.hash {
        let digest = Sha256::digest(out.get(..at).unwrap_or_default());
        put(out, at..at + 32, &digest);
    }
    let digest = Sha256::digest(message(out, layout));
    for at in &layout.blocks {
        put(out, at + 4..at + 36, &digest);
    }
    checked_blocks(out, layout);
}

/// The CRC at the end of each block (over its first 1196 bytes).
fn checked_blocks(out: &mut [u8], layout: &Layout) {
    for at in &layout.blocks {
        let mut crc = flate2::Crc::new();
        crc.update(out.get(*at..at + 1196).unwrap_or_default());
        put(out, at + 1196..at + 1200, &crc.sum().to_le_bytes());
    }
}

/// Signed again; the block of version 2 also carries the key, which is replaced with it.
fn resign(out: &mut [u8], layout: &Layout, key: &PrivateKey) -> Result<(), ImageError> {
    if let Some(at) = layout.first {
        let scheme = Scheme::Ecdsa(Hash::Sha256, Numbers::Fixed);
        let value = key.sign(scheme, out.get(..at).unwrap_or_default())?;
        put(out, at + 4..at + 68, &value);
        return Ok(());
    }
    let message = message(out, layout);
    for at in &layout.blocks {
        let version = out.get(at + 1).copied();
        match (key.public(), version) {
            (PublicKey::Rsa(public), Some(2)) => {
                let mut value = key.sign(Scheme::RsaPss(Hash::Sha256), &message)?;
                value.reverse();
                put_rsa(out, *at, &public)?;
                put(out, at + 812..at + 1196, &value);
            }
            (PublicKey::P256(public), Some(3)) => {
                let value = key.sign(Scheme::Ecdsa(Hash::Sha256, Numbers::Fixed), &message)?;
                let point = public.to_encoded_point(false);
                let halves = point.as_bytes().get(1..).unwrap_or_default();
                for (from, both) in [(37, halves), (101, value.as_slice())] {
                    for (n, half) in both.chunks(32).enumerate() {
                        let reversed: Vec<u8> = half.iter().rev().copied().collect();
                        put(out, at + from + n * 32..at + from + n * 32 + 32, &reversed);
                    }
                }
            }
            _ => {
                return Err(ImageError::Key(
                    "the key does not fit the signature block; give RSA of 3072 bits or P-256, as it has".to_owned(),
                ));
            }
        }
    }
    checked_blocks(out, layout);
    Ok(())
}

/// Modulus, exponent and the two numbers that spare the chip a division (ESP-IDF, secure boot v2).
fn put_rsa(out: &mut [u8], at: usize, public: &RsaPublicKey) -> Result<(), ImageError> {
    use rsa::traits::PublicKeyParts;
    let n = public.n();
    if n.bits() != 3072 {
        return Err(ImageError::Key("the key has not 3072 bits, as the signature block has".to_owned()));
    }
    let one = BigUint::from(1u8);
    let word = BigUint::from(1u64 << 32);
    let r = (one.clone() << 6144usize) % n;
    // Newton's steps: the inverse of the lowest word, each step doubling the bits that are right.
    let low = (n % &word).to_bytes_le();
    let low = u32::from_le_bytes([0, 1, 2, 3].map(|i: usize| low.get(i).copied().unwrap_or(0)));
    let mut inverse = 1u32;
    for _ in 0..5 {
        inverse = inverse.wrapping_mul(2u32.wrapping_sub(low.wrapping_mul(inverse)));
    }
    let wide = |number: &BigUint, length: usize| {
        let mut bytes = number.to_bytes_le();
        bytes.resize(length, 0);
        bytes
    };
    put(out, at + 36..at + 420, &wide(n, 384));
    put(out, at + 420..at + 424, &wide(public.e(), 4));
    put(out, at + 424..at + 808, &wide(&r, 384));
    put(out, at + 808..at + 812, &inverse.wrapping_neg().to_le_bytes());
    Ok(())
}
