//! Public keys that a package is verified with, and the schemes in which packages are signed.
use super::error::ImageError;
use base64::{Engine, engine::general_purpose::STANDARD};
use cms::cert::x509::Certificate;
use der::{Decode, DecodePem, Encode};
use rsa::{
    RsaPublicKey, pkcs1::DecodeRsaPublicKey, pkcs8::DecodePublicKey, signature::hazmat::PrehashVerifier,
    traits::PublicKeyParts,
};
use sha2::{Digest, Sha256, Sha384, Sha512};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// `None` for SHA-1, in which nothing is verified here.
    pub fn of(self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Sha1 => None,
            Self::Sha256 => Some(Sha256::digest(bytes).to_vec()),
            Self::Sha384 => Some(Sha384::digest(bytes).to_vec()),
            Self::Sha512 => Some(Sha512::digest(bytes).to_vec()),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }
}

/// How the two numbers of an ECDSA signature are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    Der,
    Fixed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    RsaPkcs1(Hash),
    RsaPss(Hash),
    Ecdsa(Hash, Numbers),
    Ed25519,
    /// The format does not say which; the key decides.
    Any(Hash, Numbers),
    /// A key shared by those who make and those who check.
    Mac,
    /// Recognised, not verified here.
    Other(&'static str),
}

impl Scheme {
    pub fn name(self) -> String {
        match self {
            Self::RsaPkcs1(h) => format!("RSA PKCS#1 v1.5 with {}", h.name()),
            Self::RsaPss(h) => format!("RSA-PSS with {}", h.name()),
            Self::Ecdsa(h, _) => format!("ECDSA with {}", h.name()),
            Self::Ed25519 => "Ed25519".to_owned(),
            Self::Any(h, _) => format!("raw signature over {} (RSA or ECDSA: the key decides)", h.name()),
            Self::Mac => "MAC with a shared key".to_owned(),
            Self::Other(name) => name.to_owned(),
        }
    }

    pub fn hash(self) -> Option<Hash> {
        match self {
            Self::RsaPkcs1(h) | Self::RsaPss(h) | Self::Ecdsa(h, _) | Self::Any(h, _) => Some(h),
            Self::Ed25519 | Self::Mac | Self::Other(_) => None,
        }
    }
}

#[derive(Clone)]
pub enum PublicKey {
    Rsa(Box<RsaPublicKey>),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

/// What `--key` named: a key, and the certificate that it came in, if it did.
#[derive(Clone)]
pub struct Trusted {
    pub key: PublicKey,
    pub certificate: Option<Box<Certificate>>,
}

impl Trusted {
    /// PEM (public key, RSA public key or certificate), DER, or a key of minisign or signify.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let bare = |key| Ok(Self { key, certificate: None });
        if super::secrets::find(bytes, b"PRIVATE KEY-----").is_some() {
            let what = "this is a private key; give its public half (openssl pkey -in KEY -pubout)";
            return Err(ImageError::Key(what.to_owned()));
        }
        let text = std::str::from_utf8(bytes).unwrap_or_default();
        if text.contains("BEGIN CERTIFICATE") {
            let first = text.find("-----BEGIN CERTIFICATE").and_then(|at| text.get(at..)).unwrap_or_default();
            let end = "-----END CERTIFICATE-----";
            let first = first.find(end).and_then(|at| first.get(..at + end.len())).unwrap_or(first);
            let certificate = Certificate::from_pem(first).map_err(|e| unreadable(&e.to_string()))?;
            return Self::certified(certificate);
        }
        if let Ok(certificate) = Certificate::from_der(bytes) {
            return Self::certified(certificate);
        }
        if let Some(key) = stamped(text) {
            return bare(key?);
        }
        if text.contains("BEGIN RSA PUBLIC KEY") {
            let key = RsaPublicKey::from_pkcs1_pem(text).map_err(|e| unreadable(&e.to_string()))?;
            return bare(PublicKey::Rsa(Box::new(key)));
        }
        if text.contains("BEGIN PUBLIC KEY") {
            let (_, der) = der::Document::from_pem(text).map_err(|e| unreadable(&e.to_string()))?;
            return bare(PublicKey::from_der(der.as_bytes())?);
        }
        bare(PublicKey::from_der(bytes)?)
    }

    fn certified(certificate: Certificate) -> Result<Self, ImageError> {
        Ok(Self { key: PublicKey::of(&certificate)?, certificate: Some(Box::new(certificate)) })
    }
}

/// The public key file of minisign or signify: a comment, and `Ed`, a key number and the key in Base64.
fn stamped(text: &str) -> Option<Result<PublicKey, ImageError>> {
    let line = text.strip_prefix("untrusted comment:")?.lines().nth(1)?;
    let bytes = STANDARD.decode(line.trim()).ok()?;
    let key: [u8; 32] = bytes.get(10..42)?.try_into().ok()?;
    Some(PublicKey::ed25519(&key))
}

fn unreadable(why: &str) -> ImageError {
    ImageError::Key(format!(
        "no public key that is known here ({why}); give PEM with an RSA, P-256, P-384 or Ed25519 key"
    ))
}

impl PublicKey {
    pub fn from_der(spki: &[u8]) -> Result<Self, ImageError> {
        if let Ok(key) = RsaPublicKey::from_public_key_der(spki) {
            return Ok(Self::Rsa(Box::new(key)));
        }
        if let Ok(key) = p256::ecdsa::VerifyingKey::from_public_key_der(spki) {
            return Ok(Self::P256(key));
        }
        if let Ok(key) = p384::ecdsa::VerifyingKey::from_public_key_der(spki) {
            return Ok(Self::P384(key));
        }
        let key = ed25519_dalek::VerifyingKey::from_public_key_der(spki);
        key.map(Self::Ed25519).map_err(|_| unreadable("none of these kinds"))
    }

    pub fn ed25519(key: &[u8; 32]) -> Result<Self, ImageError> {
        ed25519_dalek::VerifyingKey::from_bytes(key).map(Self::Ed25519).map_err(|e| unreadable(&e.to_string()))
    }

    pub fn of(certificate: &Certificate) -> Result<Self, ImageError> {
        let spki = certificate.tbs_certificate.subject_public_key_info.to_der();
        Self::from_der(&spki.map_err(|e| unreadable(&e.to_string()))?)
    }

    pub fn bits(&self) -> usize {
        match self {
            Self::Rsa(k) => k.n().bits(),
            Self::P256(_) | Self::Ed25519(_) => 256,
            Self::P384(_) => 384,
        }
    }

    pub fn name(&self) -> String {
        match self {
            Self::Rsa(k) => format!("RSA {} bits", k.n().bits()),
            Self::P256(_) => "ECDSA P-256".to_owned(),
            Self::P384(_) => "ECDSA P-384".to_owned(),
            Self::Ed25519(_) => "Ed25519".to_owned(),
        }
    }

    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Rsa(a), Self::Rsa(b)) => a == b,
            (Self::P256(a), Self::P256(b)) => a == b,
            (Self::P384(a), Self::P384(b)) => a == b,
            (Self::Ed25519(a), Self::Ed25519(b)) => a == b,
            _ => false,
        }
    }

    /// The scheme in which this key made the signature, if it did.
    pub fn verify(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> Option<Scheme> {
        let hash = scheme.hash();
        let digest = hash.and_then(|h| h.of(message));
        let candidates = match (self, scheme) {
            (Self::Rsa(_), Scheme::Any(h, _)) => vec![Scheme::RsaPkcs1(h), Scheme::RsaPss(h)],
            (Self::P256(_) | Self::P384(_), Scheme::Any(h, n)) => vec![Scheme::Ecdsa(h, n)],
            (Self::Ed25519(_), Scheme::Any(..)) => vec![Scheme::Ed25519],
            (_, other) => vec![other],
        };
        candidates.into_iter().find(|s| self.made(*s, message, digest.as_deref(), signature))
    }

    fn made(&self, scheme: Scheme, message: &[u8], digest: Option<&[u8]>, signature: &[u8]) -> bool {
        match (self, scheme, digest) {
            (Self::Rsa(key), Scheme::RsaPkcs1(h), Some(d)) => {
                let padding = match h {
                    Hash::Sha1 => return false,
                    Hash::Sha256 => rsa::Pkcs1v15Sign::new::<Sha256>(),
                    Hash::Sha384 => rsa::Pkcs1v15Sign::new::<Sha384>(),
                    Hash::Sha512 => rsa::Pkcs1v15Sign::new::<Sha512>(),
                };
                key.verify(padding, d, signature).is_ok()
            }
            (Self::Rsa(key), Scheme::RsaPss(h), Some(d)) => salts(key.size(), d.len())
                .into_iter()
                .filter_map(|salt| pss(h, salt))
                .any(|padding| key.verify(padding, d, signature).is_ok()),
            (Self::P256(key), Scheme::Ecdsa(_, n), Some(d)) => {
                let parsed = match n {
                    Numbers::Der => p256::ecdsa::Signature::from_der(signature),
                    Numbers::Fixed => p256::ecdsa::Signature::from_slice(signature),
                };
                parsed.is_ok_and(|s| key.verify_prehash(d, &s).is_ok())
            }
            (Self::P384(key), Scheme::Ecdsa(_, n), Some(d)) => {
                let parsed = match n {
                    Numbers::Der => p384::ecdsa::Signature::from_der(signature),
                    Numbers::Fixed => p384::ecdsa::Signature::from_slice(signature),
                };
                parsed.is_ok_and(|s| key.verify_prehash(d, &s).is_ok())
            }
            (Self::Ed25519(key), Scheme::Ed25519, _) => {
                ed25519_dalek::Signature::from_slice(signature).is_ok_and(|s| key.verify_strict(message, &s).is_ok())
            }
            _ => false,
        }
    }
}

pub fn pss(hash: Hash, salt: usize) -> Option<rsa::Pss> {
    match hash {
        Hash::Sha1 => None,
        Hash::Sha256 => Some(rsa::Pss::new_with_salt::<Sha256>(salt)),
        Hash::Sha384 => Some(rsa::Pss::new_with_salt::<Sha384>(salt)),
        Hash::Sha512 => Some(rsa::Pss::new_with_salt::<Sha512>(salt)),
    }
}

/// Salts that signers use: as long as the hash, or as long as fits (OpenSSL's default when signing).
fn salts(size: usize, digest: usize) -> Vec<usize> {
    let longest = size.checked_sub(digest + 2);
    std::iter::once(digest).chain(longest).chain([0, 20]).collect()
}
