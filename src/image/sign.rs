//! Private keys of a test laboratory, with which changed packages are signed again.
use super::{
    error::ImageError,
    key::{Hash, Numbers, PublicKey, Scheme, pss},
};
use ed25519_dalek::Signer;
use rsa::{RsaPrivateKey, pkcs1::DecodeRsaPrivateKey, pkcs8::DecodePrivateKey, signature::hazmat::PrehashSigner};
use sha2::{Sha256, Sha384, Sha512};

pub enum PrivateKey {
    Rsa(Box<RsaPrivateKey>),
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl PrivateKey {
    /// PEM: PKCS#8, or the older forms of RSA and EC keys. Not under a passphrase.
    pub fn parse(bytes: &[u8]) -> Result<Self, ImageError> {
        let unreadable = || {
            ImageError::Key(
                "no private key that is known here; give PEM (PKCS#8, RSA or EC) without a passphrase, with an RSA, P-256, P-384 or Ed25519 key"
                    .to_owned(),
            )
        };
        let text = std::str::from_utf8(bytes).map_err(|_| unreadable())?;
        // `openssl ecparam -genkey` writes the curve's name before the key.
        let text = text.find("-----BEGIN EC PRIVATE KEY").and_then(|at| text.get(at..)).unwrap_or(text);
        if let Ok(key) =
            RsaPrivateKey::from_pkcs8_pem(text).or_else(|_| RsaPrivateKey::from_pkcs1_pem(text).map_err(|_| ()))
        {
            return Ok(Self::Rsa(Box::new(key)));
        }
        let p256 = p256::SecretKey::from_pkcs8_pem(text).ok().or_else(|| p256::SecretKey::from_sec1_pem(text).ok());
        if let Some(key) = p256 {
            return Ok(Self::P256(key.into()));
        }
        let p384 = p384::SecretKey::from_pkcs8_pem(text).ok().or_else(|| p384::SecretKey::from_sec1_pem(text).ok());
        if let Some(key) = p384 {
            return Ok(Self::P384(key.into()));
        }
        let key = ed25519_dalek::SigningKey::from_pkcs8_pem(text).map_err(|_| unreadable())?;
        Ok(Self::Ed25519(Box::new(key)))
    }

    pub fn public(&self) -> PublicKey {
        match self {
            Self::Rsa(k) => PublicKey::Rsa(Box::new(k.to_public_key())),
            Self::P256(k) => PublicKey::P256(*k.verifying_key()),
            Self::P384(k) => PublicKey::P384(*k.verifying_key()),
            Self::Ed25519(k) => PublicKey::Ed25519(k.verifying_key()),
        }
    }

    /// A detached signature, as `openssl dgst -sha256 -sign` makes it, or of Ed25519.
    pub fn sign_file(&self, message: &[u8]) -> Result<Vec<u8>, ImageError> {
        let scheme = match self {
            Self::Rsa(_) => Scheme::RsaPkcs1(Hash::Sha256),
            Self::P256(_) | Self::P384(_) => Scheme::Ecdsa(Hash::Sha256, Numbers::Der),
            Self::Ed25519(_) => Scheme::Ed25519,
        };
        self.sign(scheme, message)
    }

    pub fn sign(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, ImageError> {
        let scheme = self.settled(scheme);
        let misfit = || {
            let (key, wanted) = (self.public().name(), scheme.name());
            ImageError::Key(format!(
                "the key ({key}) does not fit the package's signature ({wanted}); give one of its kind"
            ))
        };
        let digest = scheme.hash().and_then(|h| h.of(message));
        let own = |_: rsa::Error| misfit();
        match (self, scheme, digest) {
            (Self::Rsa(key), Scheme::RsaPkcs1(h), Some(d)) => {
                let padding = match h {
                    Hash::Sha1 => return Err(misfit()),
                    Hash::Sha256 => rsa::Pkcs1v15Sign::new::<Sha256>(),
                    Hash::Sha384 => rsa::Pkcs1v15Sign::new::<Sha384>(),
                    Hash::Sha512 => rsa::Pkcs1v15Sign::new::<Sha512>(),
                };
                key.sign(padding, &d).map_err(own)
            }
            (Self::Rsa(key), Scheme::RsaPss(h), Some(d)) => {
                let padding = pss(h, d.len()).ok_or_else(misfit)?;
                key.sign_with_rng(&mut rsa::rand_core::OsRng, padding, &d).map_err(own)
            }
            (Self::P256(key), Scheme::Ecdsa(_, n), Some(d)) => {
                let made: p256::ecdsa::Signature = key.sign_prehash(&d).map_err(|_| misfit())?;
                Ok(if n == Numbers::Der { made.to_der().as_bytes().to_vec() } else { made.to_vec() })
            }
            (Self::P384(key), Scheme::Ecdsa(_, n), Some(d)) => {
                let made: p384::ecdsa::Signature = key.sign_prehash(&d).map_err(|_| misfit())?;
                Ok(if n == Numbers::Der { made.to_der().as_bytes().to_vec() } else { made.to_vec() })
            }
            (Self::Ed25519(key), Scheme::Ed25519, _) => Ok(key.sign(message).to_bytes().to_vec()),
            _ => Err(misfit()),
        }
    }

    /// Where the format leaves it open, the key decides.
    fn settled(&self, scheme: Scheme) -> Scheme {
        match (self, scheme) {
            (Self::Rsa(_), Scheme::Any(h, _)) => Scheme::RsaPkcs1(h),
            (Self::P256(_) | Self::P384(_), Scheme::Any(h, n)) => Scheme::Ecdsa(h, n),
            (Self::Ed25519(_), Scheme::Any(..)) => Scheme::Ed25519,
            (_, other) => other,
        }
    }
}
