//! What came out of looking at a package: its facts, whether its signatures hold, and what is weak.
use super::{
    cms,
    error::ImageError,
    facts::{Facts, Format, Match, Material, Payload, Remark, Signed},
    key::{Hash, PublicKey, Scheme, Trusted},
    secrets::{Secret, Unseen},
    shown,
};
use crate::model::digest::Sha256Digest;
use serde::Serialize;

/// Below this, an RSA key is broken by those who can pay (BSI TR-02102-1, ENISA: not since 2010).
const WEAK_RSA: usize = 2048;
/// Below this, it is tolerated for a while (BSI TR-02102-1: 3000 bits since 2024).
const GOOD_RSA: usize = 3000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Verified,
    /// No key was given.
    NotVerified,
    /// A key was given, and the kind of signature is not verified here.
    CannotVerify,
    DoesNotVerify,
}

#[derive(Clone, Debug, Serialize)]
pub struct Signature {
    pub place: String,
    pub scheme: String,
    /// Kind and length, as far as the package or the given key tells.
    pub key: Option<String>,
    pub key_id: Option<String>,
    pub covers: String,
    pub state: State,
    pub why: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Signed, verified with the given key, and nothing weak was found.
    Good,
    /// Unsigned, weak, a private key inside, or a digest or signature that does not fit.
    Weak,
    /// Nothing weak was found, but something was not verified or not looked into.
    Open,
}

#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    pub schema: &'static str,
    pub sha256: Sha256Digest,
    pub bytes: usize,
    pub format: Format,
    pub kind: Option<String>,
    pub name: Option<String>,
    pub version: Option<String>,
    pub targets: Vec<String>,
    pub rollback: Option<String>,
    pub depends: Vec<String>,
    pub encrypted: Option<String>,
    pub signatures: Vec<Signature>,
    pub payloads: Vec<Payload>,
    pub private_keys: Vec<Secret>,
    pub weak: Vec<Remark>,
    pub notes: Vec<Remark>,
    pub not_looked_into: Vec<Unseen>,
    pub outcome: Outcome,
}

pub fn conclude(bytes: &[u8], mut facts: Facts, trusted: Option<&Trusted>) -> Result<Inspection, ImageError> {
    let mut signatures = Vec::new();
    for signed in std::mem::take(&mut facts.signed) {
        signatures.push(check(&signed, trusted, &mut facts));
    }
    if signatures.is_empty() {
        facts.weak("unsigned", "nobody signed it: whoever can change it on its way can change the device");
    }
    match (facts.format, facts.targets.is_empty()) {
        (Format::Raw | Format::Zip | Format::Tar | Format::Gzip, _) | (_, false) => {}
        (_, true) if facts.weak.iter().any(|w| w.id == "no-target") => {}
        _ => facts.note("no-target", "it does not say for which model it is"),
    }
    payloads(&mut facts);
    for s in std::mem::take(&mut facts.secrets) {
        facts.weak("private-key-inside", format!("{} in `{}`: everybody who has the package has it", s.kind, s.path));
        facts.secrets.push(s);
    }
    let not_looked_into = facts.unseen;
    facts.weak.sort();
    facts.weak.dedup();
    let open = signatures.iter().all(|s| s.state != State::Verified) || !not_looked_into.is_empty();
    let outcome = match (facts.weak.is_empty(), open) {
        (false, _) => Outcome::Weak,
        (true, true) => Outcome::Open,
        (true, false) => Outcome::Good,
    };
    Ok(Inspection {
        schema: "update/1",
        sha256: Sha256Digest::of(bytes),
        bytes: bytes.len(),
        format: facts.format,
        kind: facts.kind,
        name: facts.name,
        version: facts.version,
        targets: facts.targets,
        rollback: facts.rollback,
        depends: facts.depends,
        encrypted: facts.encrypted,
        signatures,
        payloads: facts.payloads,
        private_keys: facts.secrets,
        weak: facts.weak,
        notes: facts.notes,
        not_looked_into,
        outcome,
    })
}

fn payloads(facts: &mut Facts) {
    let plain = matches!(facts.format, Format::Zip | Format::Tar | Format::Gzip | Format::Raw);
    for p in facts.payloads.clone() {
        match p.state {
            Match::Differs => {
                facts.weak("bad-digest", format!("`{}` does not have the digest that the package states", p.name))
            }
            Match::NoDigest if !plain && !whole(facts.format, facts.kind.as_deref()) => facts.weak(
                "payload-not-covered",
                format!("no digest is stated for `{}`, so that no signature covers it", p.name),
            ),
            Match::Matches | Match::NoDigest | Match::NotChecked => {}
        }
    }
}

/// Whether the signature is over all bytes, whatever digests are stated.
fn whole(format: Format, kind: Option<&str>) -> bool {
    match format {
        Format::EspIdf | Format::Mcuboot => true,
        Format::Rauc => kind == Some("plain"),
        Format::Swupdate | Format::Mender | Format::Suit | Format::Zip | Format::Tar | Format::Gzip | Format::Raw => {
            false
        }
    }
}

fn check(signed: &Signed, trusted: Option<&Trusted>, facts: &mut Facts) -> Signature {
    let (scheme, result) = verified(signed, trusted);
    let key = signed.carried.as_ref().or(trusted.map(|t| &t.key));
    strength(signed, scheme, key, facts);
    let (state, why) = match result {
        _ if matches!(signed.material, Material::Opaque { .. }) => (State::CannotVerify, opaque(signed)),
        None => (State::NotVerified, None),
        Some(Ok(())) => (State::Verified, None),
        Some(Err(_)) if matches!(scheme, Scheme::Other(_) | Scheme::Mac) => {
            (State::CannotVerify, Some("this kind is not verified here".to_owned()))
        }
        Some(Err(why)) => {
            facts.weak("bad-signature", format!("{}: the signature does not verify: {why}", signed.place));
            (State::DoesNotVerify, Some(why))
        }
    };
    let name = match &signed.material {
        Material::Cms { .. } => format!("CMS, {}", scheme.name()),
        Material::Opaque { name, .. } => name.clone(),
        Material::Raw { .. } => scheme.name(),
    };
    Signature {
        place: signed.place.clone(),
        scheme: shown(&name),
        key: key.map(PublicKey::name),
        key_id: signed.key_id.clone(),
        covers: signed.covers.clone(),
        state,
        why,
    }
}

fn opaque(signed: &Signed) -> Option<String> {
    match &signed.material {
        Material::Opaque { why, .. } => Some(why.clone()),
        Material::Raw { .. } | Material::Cms { .. } => None,
    }
}

/// The scheme, narrowed by what verified, and the answer if a key was given.
fn verified(signed: &Signed, trusted: Option<&Trusted>) -> (Scheme, Option<Result<(), String>>) {
    match &signed.material {
        Material::Opaque { .. } => (Scheme::Other(""), None),
        Material::Raw { scheme, message, value } => {
            let Some(trusted) = trusted else { return (*scheme, None) };
            match trusted.key.verify(*scheme, message, value) {
                Some(s) => (s, Some(Ok(()))),
                None => (*scheme, Some(Err(misfit(signed, trusted)))),
            }
        }
        Material::Cms { der, content } => match cms::parse(der) {
            Err(e) => (Scheme::Other("unreadable"), Some(Err(e.to_string()))),
            Ok(parsed) => {
                let scheme = parsed.scheme();
                let answer = trusted.map(|t| parsed.verify(content.as_deref(), t).map(|_| ()));
                (scheme, answer)
            }
        },
    }
}

fn misfit(signed: &Signed, trusted: &Trusted) -> String {
    match (&signed.carried, &signed.material) {
        (Some(carried), Material::Raw { scheme, message, value })
            if !carried.same(&trusted.key) && carried.verify(*scheme, message, value).is_some() =>
        {
            "it was made with another key, which the package carries".to_owned()
        }
        _ => format!("neither key nor content may have changed since (key given: {})", trusted.key.name()),
    }
}

fn strength(signed: &Signed, scheme: Scheme, key: Option<&PublicKey>, facts: &mut Facts) {
    let place = &signed.place;
    if scheme.hash() == Some(Hash::Sha1) {
        facts.weak("weak-hash", format!("{place}: SHA-1 lets two different files have one signature"));
    }
    if scheme == Scheme::Mac {
        facts.weak("shared-key", format!("{place}: whoever has one device's key can sign for all"));
    }
    if matches!(scheme, Scheme::Other("ECDSA P-192" | "ECDSA P-224")) {
        facts.weak("short-key", format!("{place}: {} is below 256 bits", scheme.name()));
    }
    // An RSA signature is as long as its key.
    let bits = match (key, &signed.material) {
        (Some(PublicKey::Rsa(_)), _) => key.map(PublicKey::bits),
        (None, Material::Raw { scheme: Scheme::Any(..), value, .. }) if value.len() >= 128 && value.len() % 64 == 0 => {
            Some(value.len() * 8)
        }
        (None, Material::Raw { scheme: Scheme::RsaPkcs1(_) | Scheme::RsaPss(_), value, .. }) => Some(value.len() * 8),
        _ => None,
    };
    match bits {
        Some(b) if b < WEAK_RSA => facts.weak("short-key", format!("{place}: RSA of {b} bits can be broken")),
        Some(b) if b < GOOD_RSA => {
            facts.note("rsa-length", format!("{place}: RSA of {b} bits; 3000 or more are asked for today"))
        }
        _ => {}
    }
}
