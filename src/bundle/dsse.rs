//! The DSSE envelope: the statement once more, in the form that supply-chain tools read (secure-systems-lab/dsse, v1).
//!
//! Its signatures are raw, so that stock `openssl` checks them with the same keys.
use super::{
    sign::{KeyError, SignatureError, SigningKey, fingerprint},
    statement::canonical,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use signature::Verifier;
use ssh_key::{Algorithm, HashAlg, PublicKey, Signature};

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The envelope of `statement`, signed by every key in turn.
pub fn write(statement: &[u8], keys: &[SigningKey]) -> Result<Vec<u8>, KeyError> {
    let bytes = encoded(statement);
    let mut signatures = Vec::new();
    for key in keys {
        let signature = plain(&key.signature(&bytes)?).ok_or(KeyError::Kind)?;
        signatures.push(json!({"keyid": key.fingerprint(), "sig": STANDARD.encode(signature)}));
    }
    Ok(envelope(statement, signatures))
}

/// The envelope holds this statement and a signature by every key, in their order, and nothing else.
pub fn check(bytes: &[u8], statement: &[u8], keys: &[PublicKey]) -> Result<(), SignatureError> {
    let value: Value = serde_json::from_slice(bytes).map_err(|_| SignatureError::Envelope)?;
    let written = value.get("signatures").and_then(Value::as_array).ok_or(SignatureError::Envelope)?;
    if written.len() != keys.len() {
        return Err(SignatureError::Envelope);
    }
    let mut again = Vec::new();
    for (key, entry) in keys.iter().zip(written) {
        let id = fingerprint(key).to_string();
        let sig = entry.get("sig").and_then(Value::as_str).ok_or(SignatureError::Envelope)?;
        let raw = STANDARD.decode(sig).map_err(|_| SignatureError::Envelope)?;
        let good = of_plain(&key.algorithm(), &raw).is_some_and(|s| {
            plain(&s).is_some_and(|p| p == raw) && key.key_data().verify(&encoded(statement), &s).is_ok()
        });
        if !good {
            return Err(SignatureError::EnvelopeSignature(id));
        }
        again.push(json!({"keyid": id, "sig": sig}));
    }
    if envelope(statement, again) == bytes { Ok(()) } else { Err(SignatureError::Envelope) }
}

fn envelope(statement: &[u8], signatures: Vec<Value>) -> Vec<u8> {
    let payload = STANDARD.encode(statement);
    canonical(&json!({"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": signatures})).into_bytes()
}

/// Pre-authentication encoding: what is signed names its own type and lengths.
fn encoded(payload: &[u8]) -> Vec<u8> {
    let mut out = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
    out.extend(payload);
    out
}

/// A signature as `openssl` takes it: ECDSA's two numbers stand in DER, the others as they are.
fn plain(signature: &Signature) -> Option<Vec<u8>> {
    match signature.algorithm() {
        Algorithm::Ed25519 | Algorithm::Rsa { .. } => Some(signature.as_bytes().to_vec()),
        Algorithm::Ecdsa { .. } => {
            let (r, rest) = mpint(signature.as_bytes())?;
            let (s, rest) = mpint(rest)?;
            let body: Vec<u8> = [r, s].iter().flat_map(|n| tagged(0x02, n)).flatten().collect();
            rest.is_empty().then(|| tagged(0x30, &body)).flatten()
        }
        _ => None,
    }
}

fn of_plain(algorithm: &Algorithm, raw: &[u8]) -> Option<Signature> {
    let (algorithm, data) = match algorithm {
        Algorithm::Ed25519 => (Algorithm::Ed25519, raw.to_vec()),
        Algorithm::Rsa { .. } => (Algorithm::Rsa { hash: Some(HashAlg::Sha512) }, raw.to_vec()),
        Algorithm::Ecdsa { curve } => {
            let (body, rest) = untagged(0x30, raw)?;
            let (r, more) = untagged(0x02, body)?;
            let (s, more) = untagged(0x02, more)?;
            if !rest.is_empty() || !more.is_empty() {
                return None;
            }
            let part = |n: &[u8]| Some([&u32::try_from(n.len()).ok()?.to_be_bytes(), n].concat());
            (Algorithm::Ecdsa { curve: *curve }, [part(r)?, part(s)?].concat())
        }
        _ => return None,
    };
    Signature::new(algorithm, data).ok()
}

/// The first of SSH's length-led integers, whose bytes are those of a DER integer.
fn mpint(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*head)).ok()?)
}

/// DER with a length of one byte, which is all that a P-256 signature needs.
fn tagged(tag: u8, body: &[u8]) -> Option<Vec<u8>> {
    let length = u8::try_from(body.len()).ok().filter(|n| *n < 128)?;
    Some([&[tag, length], body].concat())
}

fn untagged(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [found, length, rest @ ..] = bytes else { return None };
    (*found == tag && *length < 128).then(|| rest.split_at_checked(usize::from(*length))).flatten()
}
