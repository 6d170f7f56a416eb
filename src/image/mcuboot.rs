//! MCUboot images: a header, the program, and two areas of tagged values of which the first is signed.
use super::{
    cursor::Cursor,
    error::ImageError,
    facts::{Facts, Format, Match, Payload, Signed},
    key::{Hash, Numbers, PublicKey, Scheme},
    mutate::{Mutation, flipped, no_model, no_signature, no_version},
    secrets::Unseen,
    sign::PrivateKey,
};
use crate::model::digest::hex;

const FORMAT: &str = "MCUboot";
const MAGIC: [u8; 4] = 0x96f3_b83d_u32.to_le_bytes();
const PLAIN: u16 = 0x6907;
const PROTECTED: u16 = 0x6908;
const ENCRYPTED_128: u32 = 0x04;
const ENCRYPTED_256: u32 = 0x08;

const KEY_HASH: u16 = 0x01;
const PUBLIC_KEY: u16 = 0x02;
const SHA256: u16 = 0x10;
const SHA384: u16 = 0x11;
const SHA512: u16 = 0x12;
const SIG_PURE: u16 = 0x25;
const DEPENDENCY: u16 = 0x40;
const SECURITY_COUNTER: u16 = 0x50;
const VENDOR_ID: u16 = 0x74;
const CLASS_ID: u16 = 0x75;

#[derive(Clone)]
struct Tlv {
    kind: u16,
    value: Vec<u8>,
}

/// The parts of an image; written back, they give the same bytes.
struct Image {
    header: Vec<u8>,
    body: Vec<u8>,
    protected: Vec<Tlv>,
    plain: Vec<Tlv>,
    /// Padding of the slot.
    rest: Vec<u8>,
    flags: u32,
    version: (u8, u8, u16, u32),
}

pub fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC)
}

fn read(bytes: &[u8]) -> Result<Image, ImageError> {
    let mut c = Cursor::at(FORMAT, bytes, 8);
    let what = "the header";
    let (header_length, protected_length) = (usize::from(c.u16(what)?), c.u16(what)?);
    let (length, flags) = (c.length(what)?, c.u32(what)?);
    let version = (c.u8(what)?, c.u8(what)?, c.u16(what)?, c.u32(what)?);
    if header_length < 32 {
        return Err(ImageError::malformed(FORMAT, "a header of less than 32 bytes"));
    }
    let mut c = Cursor::new(FORMAT, bytes);
    let header = c.take(header_length, "the header")?.to_vec();
    let body = c.take(length, "the program")?.to_vec();
    let protected = if protected_length > 0 { tlvs(&mut c, PROTECTED)? } else { Vec::new() };
    let plain = tlvs(&mut c, PLAIN)?;
    let rest = c.take(c.left(), "the rest")?.to_vec();
    Ok(Image { header, body, protected, plain, rest, flags, version })
}

fn tlvs(c: &mut Cursor<'_>, magic: u16) -> Result<Vec<Tlv>, ImageError> {
    let what = if magic == PROTECTED { "the protected values" } else { "the values after the program" };
    let start = c.position();
    if c.u16(what)? != magic {
        return Err(ImageError::malformed(FORMAT, format!("{what} do not begin where they should")));
    }
    let end = start.saturating_add(usize::from(c.u16(what)?));
    let mut all = Vec::new();
    while c.position() < end {
        let (kind, length) = (c.u16(what)?, c.u16(what)?);
        all.push(Tlv { kind, value: c.take(usize::from(length), what)?.to_vec() });
    }
    if c.position() == end { Ok(all) } else { Err(ImageError::malformed(FORMAT, format!("{what} overlap their end"))) }
}

fn area(magic: u16, tlvs: &[Tlv]) -> Vec<u8> {
    let length = 4 + tlvs.iter().map(|t| t.value.len() + 4).sum::<usize>();
    let mut out = magic.to_le_bytes().to_vec();
    out.extend_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
    for t in tlvs {
        out.extend_from_slice(&t.kind.to_le_bytes());
        out.extend_from_slice(&u16::try_from(t.value.len()).unwrap_or(u16::MAX).to_le_bytes());
        out.extend_from_slice(&t.value);
    }
    out
}

impl Image {
    /// What hash and signature are made over.
    fn covered(&self) -> Vec<u8> {
        let mut out = [self.header.as_slice(), &self.body].concat();
        if !self.protected.is_empty() {
            out.extend(area(PROTECTED, &self.protected));
        }
        out
    }

    fn write(&self) -> Vec<u8> {
        let mut out = self.covered();
        out.extend(area(PLAIN, &self.plain));
        out.extend_from_slice(&self.rest);
        out
    }

    fn encrypted(&self) -> bool {
        self.flags & (ENCRYPTED_128 | ENCRYPTED_256) != 0
    }

    fn value(&self, kind: u16) -> Option<&[u8]> {
        self.protected.iter().chain(&self.plain).find(|t| t.kind == kind).map(|t| t.value.as_slice())
    }

    fn hash(&self) -> Option<(Hash, &[u8])> {
        let of = |kind, hash| self.plain.iter().find(|t| t.kind == kind).map(|t| (hash, t.value.as_slice()));
        of(SHA256, Hash::Sha256).or_else(|| of(SHA384, Hash::Sha384)).or_else(|| of(SHA512, Hash::Sha512))
    }

    fn scheme(&self, kind: u16) -> Option<Scheme> {
        let hash = self.hash().map_or(Hash::Sha256, |(h, _)| h);
        match kind {
            0x20 | 0x23 => Some(Scheme::RsaPss(hash)),
            0x21 => Some(Scheme::Other("ECDSA P-224")),
            0x22 => Some(Scheme::Ecdsa(hash, Numbers::Der)),
            0x24 => Some(Scheme::Ed25519),
            _ => None,
        }
    }

    /// Ed25519 is made over the hash, unless the image says that it is over the bytes themselves.
    fn message(&self, scheme: Scheme) -> Vec<u8> {
        let covered = self.covered();
        match (scheme, self.value(SIG_PURE), self.hash()) {
            (Scheme::Ed25519, None, Some((h, _))) => h.of(&covered).unwrap_or_default(),
            _ => covered,
        }
    }
}

pub fn facts(bytes: &[u8]) -> Result<Facts, ImageError> {
    let image = read(bytes)?;
    let mut facts = Facts::new(Format::Mcuboot);
    let (major, minor, revision, build) = image.version;
    facts.version = Some(format!("{major}.{minor}.{revision}+{build}"));
    let counter = image.protected.iter().find(|t| t.kind == SECURITY_COUNTER).map(|t| number(&t.value));
    match counter {
        Some(n) => facts.rollback = Some(format!("security counter {n}")),
        None => {
            facts.note("rollback", "no security counter among the signed values; an older signed image looks as good")
        }
    }
    if image.plain.iter().any(|t| [SECURITY_COUNTER, DEPENDENCY, VENDOR_ID, CLASS_ID].contains(&t.kind)) {
        facts.weak(
            "unprotected-metadata",
            "a counter, dependency or class stands among the values that no signature covers",
        );
    }
    for (kind, name) in [(VENDOR_ID, "vendor"), (CLASS_ID, "class")] {
        facts.targets.extend(image.value(kind).map(|v| format!("{name} {}", hex(v))));
    }
    facts.depends = image.protected.iter().filter(|t| t.kind == DEPENDENCY).map(|t| dependency(&t.value)).collect();
    let state = match image.hash() {
        _ if image.encrypted() => Match::NotChecked,
        Some((hash, stated)) if hash.of(&image.covered()).as_deref() == Some(stated) => Match::Matches,
        Some(_) => Match::Differs,
        None if image.value(SIG_PURE).is_some() => Match::NotChecked,
        None => Match::NoDigest,
    };
    let digest = image.hash().map(|(h, v)| format!("{}:{}", h.name().to_lowercase().replace('-', ""), hex(v)));
    facts.payloads.push(Payload { name: "program".to_owned(), bytes: Some(image.body.len()), digest, state });
    if image.encrypted() {
        let bits = if image.flags & ENCRYPTED_256 != 0 { 256 } else { 128 };
        facts.encrypted = Some(format!("AES-{bits}-CTR"));
        let why = "it is encrypted; hash and signature are over the plain text".to_owned();
        facts.unseen.push(Unseen { path: "program".to_owned(), why });
    }
    facts.signed = image.plain.iter().filter_map(|t| signed(&image, t)).collect();
    Ok(facts)
}

fn signed(image: &Image, tlv: &Tlv) -> Option<Signed> {
    let scheme = image.scheme(tlv.kind)?;
    let place = format!("value 0x{:02x}", tlv.kind);
    let covers = "header, program and protected values";
    let mut signed = Signed::raw(&place, scheme, image.message(scheme), tlv.value.clone(), covers);
    if image.encrypted() {
        let why = "the image is encrypted, and the signature is over the plain text; give the plain image".to_owned();
        signed.material = super::facts::Material::Opaque { name: scheme.name(), why };
    }
    signed.key_id = image.value(KEY_HASH).map(|h| format!("sha256:{}", hex(h)));
    signed.carried = image.value(PUBLIC_KEY).and_then(|k| PublicKey::from_der(k).ok());
    Some(signed)
}

fn number(value: &[u8]) -> u64 {
    value.iter().rev().take(8).fold(0, |n, b| n << 8 | u64::from(*b))
}

fn dependency(value: &[u8]) -> String {
    match value {
        [image, _, _, _, major, minor, r0, r1, b0, b1, b2, b3] => {
            let (r, b) = (u16::from_le_bytes([*r0, *r1]), u32::from_le_bytes([*b0, *b1, *b2, *b3]));
            format!("image {image} at least {major}.{minor}.{r}+{b}")
        }
        other => format!("(unreadable: {})", hex(other.get(..other.len().min(32)).unwrap_or_default())),
    }
}

pub fn mutate(bytes: &[u8], kind: Mutation, key: Option<&PrivateKey>) -> Result<Vec<u8>, ImageError> {
    let mut image = read(bytes)?;
    let is_signature = |image: &Image, t: &Tlv| image.scheme(t.kind).is_some();
    if !image.plain.iter().any(|t| is_signature(&image, t)) && (key.is_some() || kind == Mutation::SignatureBit) {
        return Err(no_signature(FORMAT));
    }
    match kind {
        Mutation::PayloadBit => image.body = flipped(&image.body),
        Mutation::Older => older(&mut image)?,
        Mutation::OtherModel => {
            let class = image.protected.iter_mut().find(|t| t.kind == CLASS_ID).ok_or_else(|| no_model(FORMAT))?;
            class.value = flipped(&class.value);
        }
        Mutation::Stripped => {
            let kept: Vec<Tlv> =
                image.plain.iter().filter(|t| !is_signature(&image, t) && t.kind != KEY_HASH).cloned().collect();
            if kept.len() == image.plain.len() {
                return Err(no_signature(FORMAT));
            }
            image.plain = kept;
        }
        Mutation::SignatureBit => {
            let at = image.plain.iter().position(|t| is_signature(&image, t));
            if let Some(t) = at.and_then(|at| image.plain.get_mut(at)) {
                t.value = flipped(&t.value);
            }
        }
        Mutation::OtherKey | Mutation::Truncated => {}
    }
    rehash(&mut image)?;
    if let Some(key) = key {
        resign(&mut image, key)?;
    }
    Ok(image.write())
}

/// The first number of the version that is not zero, one lower; the counter too, for it is what devices compare.
fn older(image: &mut Image) -> Result<(), ImageError> {
    let places = [(20, 1), (21, 1), (22, 2), (24, 4)];
    let lowered = places
        .into_iter()
        .any(|(at, length): (usize, usize)| image.header.get_mut(at..at + length).is_some_and(decrease));
    let counter = image.protected.iter_mut().find(|t| t.kind == SECURITY_COUNTER).map(|t| &mut t.value);
    let counter = counter.is_some_and(|v| decrease(v));
    if lowered || counter { Ok(()) } else { Err(no_version(FORMAT)) }
}

/// One less, little end first, unless it is zero.
fn decrease(number: &mut [u8]) -> bool {
    if number.iter().all(|b| *b == 0) {
        return false;
    }
    for byte in number {
        let (less, borrow) = byte.overflowing_sub(1);
        *byte = less;
        if !borrow {
            break;
        }
    }
    true
}

/// The digest beside the program, which needs no key.
fn rehash(image: &mut Image) -> Result<(), ImageError> {
    let Some((hash, _)) = image.hash() else { return Ok(()) };
    if image.encrypted() {
        return Err(ImageError::unchangeable(FORMAT, "it is encrypted, and its digest is over the plain text"));
    }
    let digest = hash.of(&image.covered()).unwrap_or_default();
    for t in image.plain.iter_mut().filter(|t| matches!(t.kind, SHA256 | SHA384 | SHA512)) {
        t.value.clone_from(&digest);
    }
    Ok(())
}

fn resign(image: &mut Image, key: &PrivateKey) -> Result<(), ImageError> {
    let places: Vec<(usize, Scheme)> =
        image.plain.iter().enumerate().filter_map(|(n, t)| Some((n, image.scheme(t.kind)?))).collect();
    for (at, scheme) in places {
        let value = key.sign(scheme, &image.message(scheme))?;
        if let Some(t) = image.plain.get_mut(at) {
            t.value = value;
        }
    }
    Ok(())
}
