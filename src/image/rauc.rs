//! RAUC bundles: a squashfs, then (but for the oldest kind) a hash tree, then a CMS signature and its length.
use super::{
    cms,
    error::ImageError,
    facts::{Facts, Format, Match, Material, Payload, Signed},
    key::PublicKey,
    mutate::{Mutation, lower, no_model, no_signature, no_version, other},
    secrets::Unseen,
    shown,
    sign::PrivateKey,
    squashfs,
    unpack::MOST_BYTES,
};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const FORMAT: &str = "RAUC";
const MANIFEST: &str = "manifest.raucm";
/// Of the hash tree.
const BLOCK: usize = 4096;

/// The parts: everything before the signature, and the signature.
struct Bundle<'a> {
    content: &'a [u8],
    signature: Option<&'a [u8]>,
}

pub fn is(bytes: &[u8]) -> bool {
    squashfs::is(bytes) || split(bytes).is_some_and(|(_, s)| cms::kind(s).is_some())
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (rest, length) = bytes.split_last_chunk::<8>()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok().filter(|l| *l > 0)?;
    rest.split_at_checked(rest.len().checked_sub(length)?)
}

fn read(bytes: &[u8]) -> Result<Bundle<'_>, ImageError> {
    if let Some((content, signature)) = split(bytes).filter(|(_, s)| cms::kind(s).is_some()) {
        return Ok(Bundle { content, signature: Some(signature) });
    }
    let used = squashfs::length(bytes)?;
    let missing = used.saturating_sub(bytes.len());
    if missing > 0 {
        return Err(ImageError::Truncated { format: FORMAT, what: "the file system".to_owned(), missing });
    }
    if bytes.len() > used.next_multiple_of(BLOCK) {
        let what = "what follows the file system does not end in a signature and its length; the end may be missing";
        return Err(ImageError::malformed(FORMAT, what));
    }
    Ok(Bundle { content: bytes, signature: None })
}

/// `section.key` of a manifest and its value.
type Manifest = BTreeMap<String, String>;

fn manifest(text: &str) -> Manifest {
    let mut section = String::new();
    let mut all = Manifest::new();
    for line in text.lines().map(str::trim).filter(|l| !l.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = line.split_once('=') {
            all.insert(format!("{section}.{}", key.trim()), value.trim().to_owned());
        }
    }
    all
}

pub fn facts(bytes: &[u8]) -> Result<Facts, ImageError> {
    let bundle = read(bytes)?;
    let mut facts = Facts::new(Format::Rauc);
    let mut inside = None;
    if let Some(der) = bundle.signature {
        if cms::kind(der) == Some(cms::ENVELOPED_DATA) {
            facts.kind = Some("crypt".to_owned());
            facts.encrypted = Some("bundle and manifest, for named recipients".to_owned());
            let why = "it is encrypted for its recipients; who signed is inside".to_owned();
            let material = Material::Opaque { name: "CMS for named recipients".to_owned(), why };
            let place = "end of the bundle".to_owned();
            facts.signed.push(Signed { place, material, key_id: None, carried: None, covers: String::new() });
            facts.unseen.push(Unseen { path: ".".to_owned(), why: "it is encrypted".to_owned() });
            return Ok(facts);
        }
        let parsed = cms::parse(der)?;
        inside = parsed.content().map(|c| String::from_utf8_lossy(c).into_owned());
        let content = inside.is_none().then(|| bundle.content.to_vec());
        let covers = if inside.is_some() {
            "the manifest, and by its root hash the file system"
        } else {
            "the whole file system"
        };
        let carried = parsed.certificate().and_then(|c| PublicKey::of(c).ok());
        let material = Material::Cms { der: der.to_vec(), content };
        let place = "end of the bundle".to_owned();
        facts.signed.push(Signed { place, material, key_id: None, carried, covers: covers.to_owned() });
    }
    let files = if squashfs::is(bundle.content) { squashfs::files(bundle.content, MOST_BYTES)? } else { None };
    let own = files.as_ref().and_then(|f| f.get(MANIFEST)).map(|m| String::from_utf8_lossy(m).into_owned());
    if inside.is_none() && own.is_none() && files.is_some() {
        // A squashfs that is nobody's bundle.
        return Err(ImageError::Unknown);
    }
    let manifest = manifest(&inside.or(own).unwrap_or_default());
    describe(&manifest, &mut facts);
    tree(&manifest, bundle.content, &mut facts);
    match &files {
        Some(files) => payloads(&manifest, files, &mut facts),
        None => {
            let why =
                if facts.encrypted.is_some() { "it is encrypted" } else { "a squashfs that is not packed with zlib" };
            facts.unseen.push(Unseen { path: ".".to_owned(), why: why.to_owned() });
        }
    }
    Ok(facts)
}

fn describe(manifest: &Manifest, facts: &mut Facts) {
    let get = |key: &str| manifest.get(key).map(|v| shown(v));
    facts.kind = Some(get("bundle.format").unwrap_or_else(|| "plain".to_owned()));
    facts.version = get("update.version");
    facts.name = get("update.description");
    facts.targets = get("update.compatible").into_iter().collect();
    if facts.kind.as_deref() == Some("plain") {
        facts.note(
            "plain-bundle",
            "a plain bundle must be checked as a whole before it is mounted; verity checks while reading",
        );
    }
    if facts.kind.as_deref() == Some("crypt") {
        facts.encrypted = Some("AES-256 (dm-crypt)".to_owned());
        if manifest.contains_key("bundle.crypt-key") {
            facts.weak("key-in-clear", "the key of the encrypted bundle stands in its manifest, readable by everybody");
        }
    }
    facts.note(
        "rollback",
        "the format has no counter against older bundles; the device must compare versions (min-bundle-version)",
    );
}

/// The root hash that the manifest states, against the file system (dm-verity, version 1).
fn tree(manifest: &Manifest, content: &[u8], facts: &mut Facts) {
    let Some(stated) = manifest.get("bundle.verity-hash") else { return };
    let size = manifest.get("bundle.verity-size").and_then(|s| s.parse::<usize>().ok()).unwrap_or(0);
    let salt = manifest.get("bundle.verity-salt").map(|s| unhex(s)).unwrap_or_default();
    let data = content.get(..content.len().saturating_sub(size)).unwrap_or_default();
    let state = match root(data, &salt) {
        Some(r) if r.eq_ignore_ascii_case(stated) => Match::Matches,
        Some(_) => Match::Differs,
        None => Match::NotChecked,
    };
    let digest = Some(format!("verity:{}", shown(stated)));
    facts.payloads.push(Payload { name: "file system".to_owned(), bytes: Some(data.len()), digest, state });
}

fn root(data: &[u8], salt: &[u8]) -> Option<String> {
    if data.is_empty() || !data.len().is_multiple_of(BLOCK) {
        return None;
    }
    let level = |bytes: &[u8]| -> Vec<u8> {
        let digests = bytes.chunks(BLOCK).flat_map(|b| Sha256::new().chain_update(salt).chain_update(b).finalize());
        let mut out: Vec<u8> = digests.collect();
        out.resize(out.len().next_multiple_of(BLOCK), 0);
        out
    };
    let mut hashes = level(data);
    while hashes.len() > BLOCK {
        hashes = level(&hashes);
    }
    Some(crate::model::digest::hex(&Sha256::new().chain_update(salt).chain_update(&hashes).finalize()))
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).filter_map(|p| u8::try_from(p.iter().fold(0, |n, d| n * 16 + d)).ok()).collect()
}

fn payloads(manifest: &Manifest, files: &BTreeMap<String, Vec<u8>>, facts: &mut Facts) {
    let images = manifest.iter().filter(|(k, _)| k.starts_with("image.") && k.ends_with(".filename"));
    let mut named = Vec::new();
    for (key, name) in images {
        let section = key.trim_end_matches(".filename");
        let stated = manifest.get(&format!("{section}.sha256")).map(String::as_str);
        named.push(name.as_str());
        match files.get(name) {
            Some(data) => facts.payloads.push(Payload::sha256(name, data, stated)),
            None => facts.weak(
                "payload-missing",
                format!("the manifest names `{}`, and the bundle does not hold it", shown(name)),
            ),
        }
    }
    for name in files.keys().filter(|n| *n != MANIFEST && !named.contains(&n.as_str())) {
        facts.note("not-described", format!("`{}` is in the bundle, and no image section names it", shown(name)));
    }
}

pub fn mutate(bytes: &[u8], kind: Mutation, key: Option<&PrivateKey>) -> Result<Vec<u8>, ImageError> {
    let bundle = read(bytes)?;
    let der = bundle.signature.ok_or_else(|| no_signature(FORMAT))?;
    if cms::kind(der) == Some(cms::ENVELOPED_DATA) {
        return Err(ImageError::unchangeable(FORMAT, "it is encrypted for its recipients"));
    }
    let mut content = bundle.content.to_vec();
    let mut der = der.to_vec();
    match kind {
        Mutation::Stripped => {
            content.truncate(squashfs::length(&content)?.next_multiple_of(BLOCK));
            return Ok(content);
        }
        Mutation::SignatureBit => der = cms::change(&der, &cms::Change::Bit)?,
        Mutation::PayloadBit => flip_stored(&mut content)?,
        Mutation::Older | Mutation::OtherModel => {
            let parsed = cms::parse(&der)?;
            let why = "the manifest of a plain bundle is packed inside its file system; take a verity bundle";
            let inside = parsed.content().ok_or_else(|| ImageError::unchangeable(FORMAT, why))?;
            let edited = edited(&String::from_utf8_lossy(inside), kind)?;
            der = cms::change(&der, &cms::Change::Content(edited.as_bytes()))?;
        }
        Mutation::OtherKey | Mutation::Truncated => {}
    }
    if let Some(key) = key {
        let inside = cms::parse(&der)?.content().map(<[u8]>::to_vec);
        let signed = inside.unwrap_or_else(|| content.clone());
        der = cms::change(&der, &cms::Change::Resign(key, &signed))?;
    }
    let length = u64::try_from(der.len()).unwrap_or(u64::MAX).to_be_bytes();
    Ok([content, der, length.to_vec()].concat())
}

/// A bit of a file that is stored unpacked: a packed one would fail to unpack, which is another refusal.
fn flip_stored(content: &mut [u8]) -> Result<(), ImageError> {
    let before = squashfs::files(content, MOST_BYTES)?;
    let end = squashfs::length(content)?;
    for step in 1..16 {
        let at = end / 16 * step;
        let Some(byte) = content.get_mut(at) else { continue };
        *byte ^= 1;
        let now = squashfs::files(content, MOST_BYTES);
        if now.is_ok_and(|n| n.is_some() && n != before) {
            return Ok(());
        }
        if let Some(byte) = content.get_mut(at) {
            *byte ^= 1;
        }
    }
    Err(ImageError::unchangeable(
        FORMAT,
        "all its files are packed; take a bundle with an image that is packed already",
    ))
}

/// The manifest with one value changed in as many characters.
fn edited(text: &str, kind: Mutation) -> Result<String, ImageError> {
    let (wanted, change, none): (_, fn(&str) -> Option<String>, _) = match kind {
        Mutation::Older => ("version", lower, no_version(FORMAT)),
        _ => ("compatible", other, no_model(FORMAT)),
    };
    let mut changed = false;
    let lines = text.split_inclusive('\n').map(|line| {
        let new = line.split_once('=').filter(|(k, _)| k.trim() == wanted && !changed);
        match new.and_then(|(k, v)| Some(format!("{k}={}", change(v)?))) {
            Some(new) => {
                changed = true;
                new
            }
            None => line.to_owned(),
        }
    });
    let out = lines.collect();
    if changed { Ok(out) } else { Err(none) }
}
