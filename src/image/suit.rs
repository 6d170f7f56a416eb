//! SUIT envelopes (draft-ietf-suit-manifest, information model RFC 9124): CBOR, signed with COSE.
mod change;
pub use change::mutate;

use super::{
    error::ImageError,
    facts::{Facts, Format, Match, Material, Payload, Signed},
    key::{Hash, Numbers, Scheme},
    shown,
};
use crate::model::digest::hex;
use ciborium::{Value, value::Integer};

pub const FORMAT: &str = "SUIT";
/// Tag of an envelope, and its members (IANA, SUIT envelope elements).
const ENVELOPE: u64 = 107;
const AUTHENTICATION: i64 = 2;
const MANIFEST: i64 = 3;
/// Of a manifest.
const SEQUENCE: i64 = 2;
const COMMON: i64 = 3;
/// Of the common part.
const COMPONENTS: i64 = 2;
const SHARED: i64 = 4;
/// Members that may stand beside the manifest, which then holds their digest.
const SEVERABLE: [(i64, &str); 4] =
    [(15, "dependency-resolution"), (16, "payload-fetch"), (20, "install"), (23, "text")];
/// Sequences of commands within a manifest.
const SEQUENCES: [i64; 6] = [7, 8, 9, 15, 16, 20];
/// Parameters.
const VENDOR_ID: i64 = 1;
const CLASS_ID: i64 = 2;
const IMAGE_DIGEST: i64 = 3;
const URI: i64 = 21;
const DEVICE_ID: i64 = 24;
const ENCRYPTION_INFO: i64 = 19;
/// Commands.
const IMAGE_MATCH: i64 = 3;
const TRY_EACH: i64 = 15;
const OVERRIDE: i64 = 20;
const RUN_SEQUENCE: i64 = 32;
const MOST_DEPTH: usize = 8;

/// With the tag; or, as the envelope may come without it, a map whose first member is 2 or 1 (delegation).
pub fn is(bytes: &[u8]) -> bool {
    let body = bytes.strip_prefix(&[0xd8, 0x6b]);
    let map = |b: &[u8]| matches!(b, [0xa1..=0xb7, ..] | [0xb8, ..] | [0xbf, ..]);
    let bare = matches!(bytes, [0xa2..=0xb7, 1 | 2, 0x40..=0x5b, ..]);
    body.is_some_and(map) || bare
}

type Map = Vec<(Value, Value)>;

pub struct Envelope {
    tagged: bool,
    members: Map,
}

/// A CBOR item that is all of these bytes.
fn item(bytes: &[u8], what: &str) -> Result<Value, ImageError> {
    let mut left = bytes;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut left, 32).map_err(|e| match e {
        ciborium::de::Error::Io(_) => ImageError::Truncated { format: FORMAT, what: what.to_owned(), missing: 1 },
        _ => ImageError::malformed(FORMAT, format!("{what} is no CBOR that is known here")),
    })?;
    if left.is_empty() { Ok(value) } else { Err(ImageError::malformed(FORMAT, format!("bytes follow {what}"))) }
}

fn written(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory has no way to fail.
    let _ = ciborium::into_writer(value, &mut out);
    out
}

fn number(n: i64) -> Value {
    Value::Integer(Integer::from(n))
}

fn get(map: &[(Value, Value)], key: i64) -> Option<&Value> {
    let key = number(key);
    map.iter().find(|(k, _)| *k == key).map(|(_, v)| v)
}

fn put(map: &mut Map, key: i64, value: Value) {
    let key = number(key);
    if let Some((_, old)) = map.iter_mut().find(|(k, _)| *k == key) {
        *old = value;
    }
}

fn bytes_of<'a>(map: &'a [(Value, Value)], key: i64, what: &str) -> Result<&'a [u8], ImageError> {
    let value = get(map, key).and_then(Value::as_bytes).map(Vec::as_slice);
    value.ok_or_else(|| ImageError::malformed(FORMAT, format!("no {what}")))
}

fn map_of(bytes: &[u8], what: &str) -> Result<Map, ImageError> {
    let inner = match item(bytes, what)? {
        Value::Tag(_, inner) => *inner,
        other => other,
    };
    inner.into_map().map_err(|_| ImageError::malformed(FORMAT, format!("{what} is no map")))
}

fn list_of(bytes: &[u8], what: &str) -> Result<Vec<Value>, ImageError> {
    item(bytes, what)?.into_array().map_err(|_| ImageError::malformed(FORMAT, format!("{what} is no list")))
}

/// A SUIT_Digest: algorithm (COSE) and value.
struct Stated {
    algorithm: i64,
    value: Vec<u8>,
}

impl Stated {
    fn of(list: &[Value]) -> Option<Self> {
        let [algorithm, value] = list else { return None };
        let algorithm = i64::try_from(algorithm.as_integer()?).ok()?;
        Some(Self { algorithm, value: value.as_bytes()?.clone() })
    }

    fn hash(&self) -> Option<Hash> {
        match self.algorithm {
            -16 => Some(Hash::Sha256),
            -43 => Some(Hash::Sha384),
            -44 => Some(Hash::Sha512),
            -14 => Some(Hash::Sha1),
            _ => None,
        }
    }

    fn fits(&self, bytes: &[u8]) -> Match {
        match self.hash().and_then(|h| h.of(bytes)) {
            None => Match::NotChecked,
            Some(d) if d == self.value => Match::Matches,
            Some(_) => Match::Differs,
        }
    }

    fn text(&self) -> String {
        let name =
            self.hash().map_or_else(|| format!("cose{}", self.algorithm), |h| h.name().to_lowercase().replace('-', ""));
        format!("{name}:{}", hex(self.value.get(..self.value.len().min(64)).unwrap_or_default()))
    }
}

impl Envelope {
    pub fn read(bytes: &[u8]) -> Result<Self, ImageError> {
        let value = item(bytes, "the envelope")?;
        let (tagged, value) = match value {
            Value::Tag(ENVELOPE, inner) => (true, *inner),
            other => (false, other),
        };
        let members = value.into_map().map_err(|_| ImageError::malformed(FORMAT, "the envelope is no map"))?;
        bytes_of(&members, MANIFEST, "manifest")?;
        Ok(Self { tagged, members })
    }

    pub fn write(self) -> Vec<u8> {
        let map = Value::Map(self.members);
        written(&if self.tagged { Value::Tag(ENVELOPE, Box::new(map)) } else { map })
    }

    /// The manifest as the digest covers it: with the head of its byte string.
    fn wrapped(&self) -> Result<Vec<u8>, ImageError> {
        let manifest = bytes_of(&self.members, MANIFEST, "manifest")?;
        Ok(written(&Value::Bytes(manifest.to_vec())))
    }

    /// The digest of the manifest, and the signatures, each as its bytes.
    fn wrapper(&self) -> Result<Vec<Vec<u8>>, ImageError> {
        let Some(wrapper) = get(&self.members, AUTHENTICATION).and_then(Value::as_bytes) else { return Ok(Vec::new()) };
        Ok(list_of(wrapper, "the authentication wrapper")?.into_iter().filter_map(|v| v.into_bytes().ok()).collect())
    }

    /// Payloads that travel inside, by their name (`#...`).
    pub fn integrated(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.members.iter().filter_map(|(k, v)| Some((k.as_text()?, v.as_bytes()?.as_slice())))
    }
}

pub fn facts(bytes: &[u8]) -> Result<Facts, ImageError> {
    let envelope = Envelope::read(bytes)?;
    let mut facts = Facts::new(Format::Suit);
    let manifest = map_of(bytes_of(&envelope.members, MANIFEST, "manifest")?, "the manifest")?;
    match get(&manifest, SEQUENCE).and_then(Value::as_integer) {
        Some(n) => facts.rollback = Some(format!("sequence number {}", i128::from(n))),
        None => facts.weak("no-sequence-number", "the manifest has no sequence number"),
    }
    authentication(&envelope, &mut facts)?;
    severed(&envelope, &manifest, &mut facts);
    let mut found = Found::default();
    let common = bytes_of(&manifest, COMMON, "common part")?;
    let common = map_of(common, "the common part")?;
    let components = get(&common, COMPONENTS).and_then(Value::as_array).map_or(0, Vec::len);
    if let Some(shared) = get(&common, SHARED).and_then(Value::as_bytes) {
        found.commands(shared, 0)?;
    }
    for key in SEQUENCES {
        let own = get(&manifest, key).and_then(Value::as_bytes);
        if let Some(sequence) = own.or_else(|| get(&envelope.members, key).and_then(Value::as_bytes)) {
            found.commands(sequence, 0)?;
        }
    }
    found.report(&envelope, components, &mut facts);
    Ok(facts)
}

/// The digest of the manifest, and who signed it.
fn authentication(envelope: &Envelope, facts: &mut Facts) -> Result<(), ImageError> {
    let wrapper = envelope.wrapper()?;
    let Some((digest, blocks)) = wrapper.split_first() else { return Ok(()) };
    let stated = Stated::of(&list_of(digest, "the digest of the manifest")?);
    let stated = stated.ok_or_else(|| ImageError::malformed(FORMAT, "the digest of the manifest is unreadable"))?;
    let state = stated.fits(&envelope.wrapped()?);
    if stated.hash() == Some(Hash::Sha1) {
        facts.weak("weak-hash", "the manifest's digest is SHA-1 or shortened");
    }
    facts.payloads.push(Payload { name: "manifest".to_owned(), bytes: None, digest: Some(stated.text()), state });
    for block in blocks {
        facts.signed.push(signed(digest, block)?);
    }
    Ok(())
}

/// One COSE object over the digest (RFC 9052, 4.4).
fn signed(digest: &[u8], block: &[u8]) -> Result<Signed, ImageError> {
    let (tag, parts) = match item(block, "a signature")? {
        Value::Tag(tag, inner) => (tag, inner.into_array()),
        other => (18, other.into_array()),
    };
    let parts = parts.map_err(|_| ImageError::malformed(FORMAT, "a signature is no COSE object"))?;
    let covers = "the manifest, by its digest";
    let [protected, unprotected, payload, value] = parts.as_slice() else {
        return Err(ImageError::malformed(FORMAT, "a signature is no COSE object with one signer"));
    };
    let protected = protected.as_bytes().cloned().unwrap_or_default();
    let header = if protected.is_empty() { Vec::new() } else { map_of(&protected, "a signature's header")? };
    let content = payload.as_bytes().map_or(digest, Vec::as_slice);
    let value = value.as_bytes().cloned().unwrap_or_default();
    let algorithm = get(&header, 1).and_then(Value::as_integer).and_then(|i| i64::try_from(i).ok());
    let message = to_be_signed(&protected, content);
    let mut signed = match (tag, algorithm) {
        (18, Some(a)) if scheme(a).is_some() => {
            Signed::raw("COSE_Sign1", scheme(a).unwrap_or(Scheme::Mac), message, value, covers)
        }
        (17, _) => Signed::raw("COSE_Mac0", Scheme::Mac, message, value, covers),
        (_, a) => {
            let name = a.map_or_else(|| "COSE without an algorithm".to_owned(), |a| format!("COSE algorithm {a}"));
            let mut signed = Signed::raw("COSE", Scheme::Mac, Vec::new(), Vec::new(), covers);
            signed.material = Material::Opaque { name, why: "this algorithm is not known here".to_owned() };
            signed
        }
    };
    // A payload inside that is not the digest signs something else.
    if content != digest {
        let why = "its own payload is not the manifest's digest".to_owned();
        signed.material = Material::Opaque { name: "COSE".to_owned(), why };
    }
    let id = get(&header, 4).or_else(|| unprotected.as_map().and_then(|m| get(m, 4))).and_then(Value::as_bytes);
    signed.key_id = id.map(|id| hex(id.get(..id.len().min(64)).unwrap_or_default()));
    Ok(signed)
}

fn to_be_signed(protected: &[u8], content: &[u8]) -> Vec<u8> {
    let part = |b: &[u8]| Value::Bytes(b.to_vec());
    written(&Value::Array(vec![Value::Text("Signature1".to_owned()), part(protected), part(&[]), part(content)]))
}

/// COSE algorithms, also the newer numbers that name the curve.
fn scheme(algorithm: i64) -> Option<Scheme> {
    match algorithm {
        -7 | -9 => Some(Scheme::Ecdsa(Hash::Sha256, Numbers::Fixed)),
        -35 | -51 => Some(Scheme::Ecdsa(Hash::Sha384, Numbers::Fixed)),
        -8 | -19 => Some(Scheme::Ed25519),
        -37 => Some(Scheme::RsaPss(Hash::Sha256)),
        -38 => Some(Scheme::RsaPss(Hash::Sha384)),
        -257 => Some(Scheme::RsaPkcs1(Hash::Sha256)),
        -46 => Some(Scheme::Other("HSS-LMS")),
        -50..=-48 => Some(Scheme::Other("ML-DSA")),
        _ => None,
    }
}

/// Members beside the manifest are covered only by a digest within it.
fn severed(envelope: &Envelope, manifest: &Map, facts: &mut Facts) {
    for (key, name) in SEVERABLE {
        let Some(member) = get(&envelope.members, key).and_then(Value::as_bytes) else { continue };
        let stated = get(manifest, key).and_then(Value::as_array).and_then(|l| Stated::of(l));
        let state = stated.as_ref().map_or(Match::NoDigest, |s| s.fits(&written(&Value::Bytes(member.clone()))));
        let digest = stated.map(|s| s.text());
        facts.payloads.push(Payload { name: name.to_owned(), bytes: Some(member.len()), digest, state });
    }
}

#[derive(Default)]
struct Found {
    vendors: Vec<String>,
    classes: Vec<String>,
    devices: Vec<String>,
    uris: Vec<String>,
    digests: Vec<Stated>,
    matched: bool,
    encrypted: bool,
}

impl Found {
    fn commands(&mut self, sequence: &[u8], depth: usize) -> Result<(), ImageError> {
        if depth > MOST_DEPTH {
            return Err(ImageError::malformed(FORMAT, "commands within commands, too deep"));
        }
        let list = list_of(sequence, "a sequence of commands")?;
        for pair in list.chunks(2) {
            let [command, argument] = pair else { continue };
            match command.as_integer().and_then(|i| i64::try_from(i).ok()) {
                Some(IMAGE_MATCH) => self.matched = true,
                Some(TRY_EACH) => {
                    for branch in argument.as_array().into_iter().flatten().filter_map(Value::as_bytes) {
                        self.commands(branch, depth + 1)?;
                    }
                }
                Some(RUN_SEQUENCE) => {
                    if let Some(inner) = argument.as_bytes() {
                        self.commands(inner, depth + 1)?;
                    }
                }
                Some(19 | OVERRIDE) => self.parameters(argument.as_map().map(Vec::as_slice).unwrap_or_default()),
                _ => {}
            }
        }
        Ok(())
    }

    fn parameters(&mut self, map: &[(Value, Value)]) {
        let id =
            |key| get(map, key).and_then(Value::as_bytes).map(|b| hex(b.get(..b.len().min(32)).unwrap_or_default()));
        self.vendors.extend(id(VENDOR_ID));
        self.classes.extend(id(CLASS_ID));
        self.devices.extend(id(DEVICE_ID));
        self.uris.extend(get(map, URI).and_then(Value::as_text).map(str::to_owned));
        self.encrypted |= get(map, ENCRYPTION_INFO).is_some();
        let digest = get(map, IMAGE_DIGEST).and_then(|d| match d {
            Value::Bytes(b) => item(b, "an image's digest").ok()?.into_array().ok(),
            Value::Array(a) => Some(a.clone()),
            _ => None,
        });
        self.digests.extend(digest.and_then(|d| Stated::of(&d)));
    }

    fn report(self, envelope: &Envelope, components: usize, facts: &mut Facts) {
        facts.name = Some(format!("{components} components"));
        let named = |kind: &str, ids: &[String]| ids.iter().map(|i| format!("{kind} {i}")).collect::<Vec<_>>();
        for (kind, ids) in [("vendor", &self.vendors), ("class", &self.classes), ("device", &self.devices)] {
            facts.targets.extend(named(kind, ids));
        }
        facts.targets.dedup();
        if self.vendors.is_empty() || self.classes.is_empty() {
            facts.weak("no-target", "the manifest does not say for which vendor and class it is");
        }
        if self.digests.is_empty() {
            facts.weak("payload-not-covered", "the manifest states no digest of an image");
        } else if !self.matched {
            facts.weak("no-image-match", "the manifest states a digest, and no command compares it");
        }
        if self.digests.iter().any(|d| d.hash() == Some(Hash::Sha1)) {
            facts.weak("weak-hash", "an image's digest is SHA-1 or shortened");
        }
        if self.encrypted {
            facts.encrypted = Some("the payload (SUIT_Encryption_Info)".to_owned());
        }
        let mut used = vec![false; self.digests.len()];
        for (name, data) in envelope.integrated() {
            let fits = self.digests.iter().position(|d| d.fits(data) == Match::Matches);
            if let Some(u) = fits.and_then(|n| used.get_mut(n)) {
                *u = true;
            }
            let state = match fits {
                Some(_) => Match::Matches,
                None if self.encrypted => Match::NotChecked,
                None => Match::Differs,
            };
            let digest = fits.and_then(|n| self.digests.get(n)).map(Stated::text);
            facts.payloads.push(Payload { name: shown(name), bytes: Some(data.len()), digest, state });
        }
        let elsewhere: Vec<&str> = self.uris.iter().map(String::as_str).filter(|u| !u.starts_with('#')).collect();
        let missing = self.digests.iter().zip(used).filter(|(_, u)| !u).map(|(d, _)| d);
        let mut names = elsewhere.into_iter();
        for digest in missing {
            let name = names.next().map_or_else(|| "image outside the envelope".to_owned(), shown);
            let state = Match::NotChecked;
            facts.payloads.push(Payload { name, bytes: None, digest: Some(digest.text()), state });
        }
    }
}
