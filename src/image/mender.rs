//! Mender artefacts: a tar with `version`, `manifest`, its signature, a header and the payloads, each packed.
use super::{
    error::ImageError,
    facts::{Facts, Format, Match, Payload, Signed},
    key::{Hash, Numbers, Scheme},
    mutate::{Mutation, flipped, lower, no_model, no_signature, no_version, other},
    shown,
    sign::PrivateKey,
    tar::{self, Tar},
    unpack::{MOST_BYTES, gunzip},
};
use crate::model::digest::Sha256Digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;
use std::{collections::BTreeMap, io::Write};

const FORMAT: &str = "Mender";
const MANIFEST: &str = "manifest";
const SIGNATURE: &str = "manifest.sig";
const HEADER: &str = "header.tar.gz";
const HEADER_INFO: &str = "header-info";
/// An ECDSA value is two plain numbers; an RSA one is PKCS#1 v1.5 (mender-artifact).
const SCHEME: Scheme = Scheme::Any(Hash::Sha256, Numbers::Fixed);

pub fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(b"version\0")
        && tar::is(bytes)
        && super::secrets::find(bytes.get(512..1024).unwrap_or_default(), b"mender").is_some()
}

pub fn facts(bytes: &[u8]) -> Result<Facts, ImageError> {
    let package = tar::read(bytes)?;
    let mut facts = Facts::new(Format::Mender);
    let manifest = package.data(MANIFEST).ok_or_else(|| ImageError::malformed(FORMAT, "no manifest"))?;
    if let Some(value) = package.data(SIGNATURE) {
        let text: String = String::from_utf8_lossy(value).split_ascii_whitespace().collect();
        let value = STANDARD.decode(text).map_err(|_| ImageError::malformed(FORMAT, "manifest.sig is no Base64"))?;
        let covers = "manifest, and by its digests the header and the payloads";
        facts.signed.push(Signed::raw(SIGNATURE, SCHEME, manifest.to_vec(), value, covers));
    }
    let stated = digests(manifest);
    let found = found(&package, &mut facts)?;
    for (name, data) in &found {
        facts.payloads.push(Payload::sha256(name, data, stated.get(name.as_str()).map(String::as_str)));
    }
    for (name, digest) in stated.iter().filter(|(n, _)| !found.contains_key(*n)) {
        let unread = facts.unseen.iter().any(|u| name.starts_with("data/") && u.path.starts_with("data/"));
        if unread {
            let (digest, state) = (Some(format!("sha256:{}", shown(digest))), Match::NotChecked);
            facts.payloads.push(Payload { name: shown(name), bytes: None, digest, state });
        } else {
            facts.weak(
                "payload-missing",
                format!("the manifest names `{}`, and the package does not hold it", shown(name)),
            );
        }
    }
    for e in package.entries.iter().filter(|e| e.name.contains("-augment")) {
        facts.weak(
            "unprotected-metadata",
            format!("`{}` is read by the device and covered by no signature", shown(&e.name)),
        );
    }
    if let Some(header) = package.data(HEADER) {
        describe(header, &mut facts)?;
    } else {
        let why = "no header that is packed with gzip: name and device types are not known";
        facts.note("no-header", why);
    }
    facts.note("rollback", "the format has no counter against older packages; the device must compare versions");
    Ok(facts)
}

/// `sha256  name`, line by line.
fn digests(manifest: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(manifest).into_owned();
    text.lines().filter_map(|l| l.split_once("  ")).map(|(d, n)| (n.trim().to_owned(), d.to_owned())).collect()
}

/// Everything that the manifest can name, by its name there: the payloads' files as they are unpacked.
fn found(package: &Tar, facts: &mut Facts) -> Result<BTreeMap<String, Vec<u8>>, ImageError> {
    let mut all = BTreeMap::new();
    for e in &package.entries {
        let Some(number) = e.name.strip_prefix("data/").and_then(|n| n.split('.').next()) else {
            if !e.name.is_empty() && e.name != MANIFEST && e.name != SIGNATURE && !e.name.contains("augment") {
                all.insert(e.name.clone(), e.data.clone());
            }
            continue;
        };
        let inner = if e.data.starts_with(&[0x1f, 0x8b]) {
            gunzip(&e.data, MOST_BYTES, &e.name)?
        } else if tar::is(&e.data) || e.data.iter().all(|b| *b == 0) {
            e.data.clone()
        } else {
            let why = "not packed with gzip".to_owned();
            facts.unseen.push(super::secrets::Unseen { path: shown(&e.name), why });
            continue;
        };
        for file in tar::read(&inner)?.entries.into_iter().filter(|f| !f.name.is_empty()) {
            all.insert(format!("data/{number}/{}", file.name), file.data);
        }
    }
    Ok(all)
}

fn describe(header: &[u8], facts: &mut Facts) -> Result<(), ImageError> {
    let header = tar::read(&gunzip(header, MOST_BYTES, HEADER)?)?;
    let info = header.data(HEADER_INFO).ok_or_else(|| ImageError::malformed(FORMAT, "no header-info"))?;
    let info: Value =
        serde_json::from_slice(info).map_err(|_| ImageError::malformed(FORMAT, "header-info is no JSON"))?;
    let text = |v: &Value| v.as_str().map(shown);
    facts.version =
        info.pointer("/artifact_provides/artifact_name").or_else(|| info.get("artifact_name")).and_then(text);
    let types = info.pointer("/artifact_depends/device_type").or_else(|| info.get("device_types_compatible"));
    facts.targets = types.and_then(Value::as_array).into_iter().flatten().filter_map(text).collect();
    let types = info.get("payloads").or_else(|| info.get("updates")).and_then(Value::as_array);
    let types: Vec<String> = types.into_iter().flatten().filter_map(|p| p.get("type").and_then(text)).collect();
    facts.kind = (!types.is_empty()).then(|| types.join(", "));
    let depends = info.get("artifact_depends").and_then(Value::as_object);
    for (key, value) in depends.into_iter().flatten().filter(|(k, _)| *k != "device_type") {
        facts.depends.push(shown(&format!("{key} {value}")));
    }
    for file in header.entries.iter().filter(|e| e.name.starts_with("scripts/")) {
        facts.note(
            "script",
            format!("`{}` runs on the device; the manifest covers it with the header", shown(&file.name)),
        );
    }
    Ok(())
}

pub fn mutate(bytes: &[u8], kind: Mutation, key: Option<&PrivateKey>) -> Result<Vec<u8>, ImageError> {
    let mut package = tar::read(bytes)?;
    if !package.entries.iter().any(|e| e.name == SIGNATURE)
        && (key.is_some() || matches!(kind, Mutation::SignatureBit | Mutation::Stripped))
    {
        return Err(no_signature(FORMAT));
    }
    match kind {
        Mutation::Stripped => package.entries.retain(|e| e.name != SIGNATURE),
        Mutation::PayloadBit => {
            let data = package.entries.iter_mut().filter(|e| e.name.starts_with("data/"));
            let data = data.max_by_key(|e| e.data.len());
            let data = data.ok_or_else(|| ImageError::unchangeable(FORMAT, "it holds no payload"))?;
            data.data = repacked(&data.data, |inner| {
                let largest = inner.entries.iter_mut().max_by_key(|e| e.data.len()).filter(|e| !e.data.is_empty());
                let largest = largest.ok_or_else(|| ImageError::unchangeable(FORMAT, "its payload is empty"))?;
                largest.data = flipped(&largest.data);
                Ok(())
            })?;
        }
        Mutation::Older | Mutation::OtherModel => {
            let header = package.entries.iter_mut().find(|e| e.name == HEADER);
            let header =
                header.ok_or_else(|| ImageError::unchangeable(FORMAT, "its header is not packed with gzip"))?;
            header.data = repacked(&header.data, |inner| edit(inner, kind))?;
            let digest = Sha256Digest::of(&header.data);
            restate(&mut package, HEADER, &digest, key)?;
        }
        Mutation::SignatureBit | Mutation::OtherKey | Mutation::Truncated => {}
    }
    let manifest = package.data(MANIFEST).unwrap_or_default().to_vec();
    if let Some(signature) = package.entries.iter_mut().find(|e| e.name == SIGNATURE) {
        let text: String = String::from_utf8_lossy(&signature.data).split_ascii_whitespace().collect();
        let old = STANDARD.decode(text).map_err(|_| ImageError::malformed(FORMAT, "manifest.sig is no Base64"))?;
        match (kind, key) {
            (Mutation::SignatureBit, _) => signature.data = STANDARD.encode(flipped(&old)).into_bytes(),
            (_, Some(key)) => signature.data = STANDARD.encode(key.sign(SCHEME, &manifest)?).into_bytes(),
            (_, None) => {}
        }
    }
    Ok(tar::write(&package))
}

/// The manifest is signed: it states another digest only in a package that is signed again, or has no signature.
fn restate(package: &mut Tar, name: &str, digest: &Sha256Digest, key: Option<&PrivateKey>) -> Result<(), ImageError> {
    let signed = package.entries.iter().any(|e| e.name == SIGNATURE);
    if signed && key.is_none() {
        return Ok(());
    }
    let manifest = package.entries.iter_mut().find(|e| e.name == MANIFEST);
    let manifest = manifest.ok_or_else(|| ImageError::malformed(FORMAT, "no manifest"))?;
    let text = String::from_utf8_lossy(&manifest.data).into_owned();
    let lines = text.lines().map(|l| match l.split_once("  ") {
        Some((_, n)) if n.trim() == name => format!("{}  {n}\n", digest.hex()),
        _ => format!("{l}\n"),
    });
    manifest.data = lines.collect::<String>().into_bytes();
    Ok(())
}

fn repacked(packed: &[u8], change: impl FnOnce(&mut Tar) -> Result<(), ImageError>) -> Result<Vec<u8>, ImageError> {
    let gzip = packed.starts_with(&[0x1f, 0x8b]);
    let inner = if gzip { gunzip(packed, MOST_BYTES, "payload")? } else { packed.to_vec() };
    let mut inner = tar::read(&inner)?;
    change(&mut inner)?;
    let out = tar::write(&inner);
    if !gzip {
        return Ok(out);
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let packed = encoder.write_all(&out).and_then(|()| encoder.finish());
    packed.map_err(|e| ImageError::malformed(FORMAT, e.to_string()))
}

/// How one text becomes another.
type Rename = fn(&str) -> Option<String>;

/// One text of `header-info`, in as many characters.
fn edit(header: &mut Tar, kind: Mutation) -> Result<(), ImageError> {
    let entry = header.entries.iter_mut().find(|e| e.name == HEADER_INFO);
    let entry = entry.ok_or_else(|| ImageError::malformed(FORMAT, "no header-info"))?;
    let info: Value =
        serde_json::from_slice(&entry.data).map_err(|_| ImageError::malformed(FORMAT, "header-info is no JSON"))?;
    let mut text = String::from_utf8_lossy(&entry.data).into_owned();
    let (old, new): (Vec<String>, Rename) = if kind == Mutation::Older {
        let name = info.pointer("/artifact_provides/artifact_name").or_else(|| info.get("artifact_name"));
        (name.and_then(Value::as_str).map(str::to_owned).into_iter().collect(), lower)
    } else {
        let types = info.pointer("/artifact_depends/device_type").or_else(|| info.get("device_types_compatible"));
        let types = types.and_then(Value::as_array).into_iter().flatten();
        (types.filter_map(|t| t.as_str().map(str::to_owned)).collect(), other)
    };
    let before = text.clone();
    for o in old {
        let Some(n) = new(&o) else { continue };
        text = text.replace(&format!("\"{o}\""), &format!("\"{n}\""));
    }
    if text == before {
        return Err(if kind == Mutation::Older { no_version(FORMAT) } else { no_model(FORMAT) });
    }
    entry.data = text.into_bytes();
    Ok(())
}
