//! A SUIT envelope with one thing changed, and its wrapper made to fit again.
use super::{
    AUTHENTICATION, COMMON, Envelope, FORMAT, Found, MANIFEST, Map, SEQUENCE, SHARED, Stated, bytes_of, get, item,
    list_of, map_of, number, put, scheme, to_be_signed, written,
};
use crate::image::{
    error::ImageError,
    mutate::{Mutation, flipped, no_model, no_signature, no_version},
    secrets,
    sign::PrivateKey,
};
use ciborium::Value;

pub fn mutate(bytes: &[u8], kind: Mutation, key: Option<&PrivateKey>) -> Result<Vec<u8>, ImageError> {
    let mut envelope = Envelope::read(bytes)?;
    let manifest = bytes_of(&envelope.members, MANIFEST, "manifest")?.to_vec();
    match kind {
        Mutation::PayloadBit => {
            let payload =
                envelope.members.iter_mut().filter(|(k, _)| k.is_text()).filter_map(|(_, v)| v.as_bytes_mut());
            let largest = payload.max_by_key(|b| b.len()).filter(|b| !b.is_empty());
            let why = "its payload is elsewhere; change that file";
            let largest = largest.ok_or_else(|| ImageError::unchangeable(FORMAT, why))?;
            *largest = flipped(largest);
        }
        Mutation::Older => {
            let mut map = map_of(&manifest, "the manifest")?;
            let old = get(&map, SEQUENCE).and_then(Value::as_integer).and_then(|i| u64::try_from(i).ok());
            let older = old.and_then(|o| o.checked_sub(1)).ok_or_else(|| no_version(FORMAT))?;
            put(&mut map, SEQUENCE, Value::Integer(older.into()));
            put(&mut envelope.members, MANIFEST, Value::Bytes(rewrap(&manifest, map)));
        }
        Mutation::OtherModel => {
            let class = class_in(&manifest)?.ok_or_else(|| no_model(FORMAT))?;
            let at = secrets::find(&manifest, &class).ok_or_else(|| no_model(FORMAT))?;
            let mut changed = manifest.clone();
            if let Some(place) = changed.get_mut(at..at + class.len()) {
                place.copy_from_slice(&flipped(&class));
            }
            put(&mut envelope.members, MANIFEST, Value::Bytes(changed));
        }
        Mutation::SignatureBit | Mutation::Stripped | Mutation::OtherKey | Mutation::Truncated => {}
    }
    reseal(&mut envelope, kind, key)?;
    Ok(envelope.write())
}

/// The manifest again, with the tag that it had.
fn rewrap(before: &[u8], map: Map) -> Vec<u8> {
    match item(before, "the manifest") {
        Ok(Value::Tag(tag, _)) => written(&Value::Tag(tag, Box::new(Value::Map(map)))),
        _ => written(&Value::Map(map)),
    }
}

fn class_in(manifest: &[u8]) -> Result<Option<Vec<u8>>, ImageError> {
    let map = map_of(manifest, "the manifest")?;
    let common = map_of(bytes_of(&map, COMMON, "common part")?, "the common part")?;
    let Some(shared) = get(&common, SHARED).and_then(Value::as_bytes) else { return Ok(None) };
    let mut found = Found::default();
    found.commands(shared, 0)?;
    let class = found.classes.first().or(found.devices.first()).map(String::as_str).unwrap_or_default();
    let pairs: Vec<char> = class.chars().collect();
    let bytes = pairs.chunks(2).map(|p| u8::from_str_radix(&p.iter().collect::<String>(), 16));
    let bytes: Vec<u8> = bytes.filter_map(Result::ok).collect();
    Ok((!bytes.is_empty()).then_some(bytes))
}

/// The wrapper follows the manifest's digest, which needs no key; the signatures follow only a key.
fn reseal(envelope: &mut Envelope, kind: Mutation, key: Option<&PrivateKey>) -> Result<(), ImageError> {
    let wrapper = envelope.wrapper()?;
    let Some((digest, blocks)) = wrapper.split_first() else { return Err(no_signature(FORMAT)) };
    let stated = Stated::of(&list_of(digest, "the digest of the manifest")?);
    let mut stated = stated.ok_or_else(|| ImageError::malformed(FORMAT, "the digest of the manifest is unreadable"))?;
    if let Some(own) = stated.hash().and_then(|h| h.of(&envelope.wrapped().ok()?)) {
        stated.value = own;
    }
    let digest = written(&Value::Array(vec![number(stated.algorithm), Value::Bytes(stated.value)]));
    let needs = matches!(kind, Mutation::SignatureBit | Mutation::Stripped) || key.is_some();
    if blocks.is_empty() && needs {
        return Err(no_signature(FORMAT));
    }
    let mut out = vec![Value::Bytes(digest.clone())];
    for block in blocks.iter().filter(|_| kind != Mutation::Stripped) {
        out.push(Value::Bytes(resign(block, &digest, kind, key)?));
    }
    let out = written(&Value::Array(out));
    put(&mut envelope.members, AUTHENTICATION, Value::Bytes(out));
    Ok(())
}

fn resign(block: &[u8], digest: &[u8], kind: Mutation, key: Option<&PrivateKey>) -> Result<Vec<u8>, ImageError> {
    let (tag, parts) = match item(block, "a signature")? {
        Value::Tag(tag, inner) => (Some(tag), inner.into_array()),
        other => (None, other.into_array()),
    };
    let mut parts = parts.map_err(|_| ImageError::malformed(FORMAT, "a signature is no COSE object"))?;
    let protected = parts.first().and_then(Value::as_bytes).cloned().unwrap_or_default();
    let header = map_of(&protected, "a signature's header")?;
    let algorithm = get(&header, 1).and_then(Value::as_integer).and_then(|i| i64::try_from(i).ok());
    if let Some(value) = parts.get_mut(3) {
        let old = value.as_bytes().cloned().unwrap_or_default();
        let new = match (kind, key) {
            (Mutation::SignatureBit, _) => flipped(&old),
            (_, Some(key)) => {
                let scheme = algorithm.and_then(scheme);
                let scheme =
                    scheme.ok_or_else(|| ImageError::unchangeable(FORMAT, "its algorithm is not known here"))?;
                key.sign(scheme, &to_be_signed(&protected, digest))?
            }
            (_, None) => old,
        };
        *value = Value::Bytes(new);
    }
    let list = Value::Array(parts);
    Ok(written(&match tag {
        Some(tag) => Value::Tag(tag, Box::new(list)),
        None => list,
    }))
}
