//! The statement signed with an X.509 key: detached CMS (RFC 5652) with the attributes of CAdES-BES (RFC 5126).
//!
//! There is one way to write it, and reading demands that: the statement names the certificates, so that nothing but
//! the signature's own value is left to the file.
use super::{
    statement::Claims,
    trust::{self, Chain, TrustError},
};
use crate::model::Sha256Digest;
use cms::{
    cert::{CertificateChoices, IssuerAndSerialNumber, x509, x509::Certificate},
    content_info::{CmsVersion, ContentInfo},
    signed_data::{EncapsulatedContentInfo, SignedAttributes, SignedData, SignerIdentifier, SignerInfo},
};
use der::{
    Any, Decode, Encode,
    asn1::{GeneralizedTime, ObjectIdentifier, OctetString, SetOfVec, UtcTime},
};
use rcgen::{KeyPair, PublicKeyData, SigningKey as _};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use sha2::{Digest, Sha256, Sha384};
use std::time::Duration;
use thiserror::Error;
use webpki::{ExtendedKeyUsageValidator, KeyPurposeIdIter};
use x509::{attr::Attribute, spki::AlgorithmIdentifierOwned};

const fn oid(text: &str) -> ObjectIdentifier {
    ObjectIdentifier::new_unwrap(text)
}

const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
const DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.1");
const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");
const SIGNING_TIME: ObjectIdentifier = oid("1.2.840.113549.1.9.5");
/// ESS signing-certificate-v2 (RFC 5035): the signature names its certificate.
const SIGNING_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.47");

#[derive(Debug, Error)]
pub enum CmsError {
    #[error(
        "the certificates are not PEM: {0}; name the laboratory's certificate, and those that lead to its authority"
    )]
    Certificates(String),
    #[error("the key cannot be read: {0}; give it unlocked in PKCS #8 form, see `openssl pkcs8 -topk8 -nodes`")]
    Key(String),
    #[error("the key does not belong to the first certificate; name the certificate of this key first")]
    OtherKey,
    #[error("this kind of key is not known here; use an RSA key or one on P-256 or P-384")]
    Kind,
    #[error("the CMS signature could not be written: {0}; please report this")]
    Write(der::Error),
    #[error("it is not a CMS signature as this tool writes it")]
    Form,
    #[error("it does not hold the certificates that the statement names")]
    OtherCertificates,
    #[error("the CMS signature does not fit the statement")]
    Signature,
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// An X.509 key of the laboratory, with its certificate first and those that lead to its authority.
#[derive(Debug)]
pub struct CmsKey {
    key: KeyPair,
    certificates: Vec<Vec<u8>>,
}

impl CmsKey {
    /// Reads certificates and an unlocked PKCS #8 key, both PEM.
    pub fn read(certificates: &[u8], key: &str) -> Result<Self, CmsError> {
        let pem: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificates).collect();
        let certificates: Vec<Vec<u8>> =
            pem.map_err(|e| CmsError::Certificates(format!("{e:?}")))?.iter().map(|c| c.to_vec()).collect();
        let first = certificates.first().ok_or_else(|| CmsError::Certificates("the file holds none".to_owned()))?;
        let first = Certificate::from_der(first).map_err(|e| CmsError::Certificates(e.to_string()))?;
        let own = first.tbs_certificate.subject_public_key_info;
        Kind::of(&own)?;
        let key = KeyPair::from_pem(key).map_err(|e| CmsError::Key(e.to_string()))?;
        if own.to_der().map_err(CmsError::Write)? != key.subject_public_key_info() {
            return Err(CmsError::OtherKey);
        }
        Ok(Self { key, certificates })
    }

    /// SHA-256 of each certificate, the signer's first, as the statement names them.
    pub fn digests(&self) -> Vec<String> {
        self.certificates.iter().map(|c| Sha256Digest::of(c).hex()).collect()
    }

    pub fn sign(&self, statement: &[u8], sealed_at: &str) -> Result<Vec<u8>, CmsError> {
        let first = self.certificates.first().map(Vec::as_slice).unwrap_or_default();
        let attributes = attributes(first, statement, sealed_at)?.to_der().map_err(CmsError::Write)?;
        let signature = self.key.sign(&attributes).map_err(|e| CmsError::Key(e.to_string()))?;
        encode(&self.certificates, statement, sealed_at, signature)
    }
}

/// The certificate that signed, and those that lead from it to an authority.
#[derive(Debug)]
pub struct Signed {
    own: Vec<u8>,
    others: Vec<Vec<u8>>,
    at: Duration,
}

/// Reads a signature over the statement and checks everything but whether its authority is known.
pub fn check(file: &[u8], statement: &[u8], claims: &Claims) -> Result<Signed, CmsError> {
    let form = |_: der::Error| CmsError::Form;
    let outer = ContentInfo::from_der(file).map_err(form)?;
    let data = SignedData::from_der(&outer.content.to_der().map_err(form)?).map_err(form)?;
    let mut there = Vec::new();
    for choice in data.certificates.iter().flat_map(|c| c.0.as_slice()) {
        there.push(choice.to_der().map_err(form)?);
    }
    let named = |digest: &String| there.iter().find(|c| Sha256Digest::of(c).hex() == *digest).cloned();
    let certificates: Option<Vec<Vec<u8>>> = claims.by.certificates.iter().map(named).collect();
    let certificates = certificates.ok_or(CmsError::OtherCertificates)?;
    let signer = data.signer_infos.0.as_slice().first().ok_or(CmsError::Form)?;
    let signature = signer.signature.as_bytes();
    if encode(&certificates, statement, &claims.sealed_at, signature.to_vec())? != file {
        return Err(CmsError::Form);
    }
    let (own, others) = certificates.split_first().ok_or(CmsError::OtherCertificates)?;
    let message = attributes(own, statement, &claims.sealed_at)?.to_der().map_err(form)?;
    if !trust::signed(own, &message, signature)? {
        return Err(CmsError::Signature);
    }
    Ok(Signed { own: own.clone(), others: others.to_vec(), at: seconds(&claims.sealed_at)? })
}

impl Signed {
    /// Whose certificate it says that it is.
    pub fn subject(&self) -> String {
        Certificate::from_der(&self.own).map(|c| c.tbs_certificate.subject.to_string()).unwrap_or_default()
    }

    /// Whether one of the reader's anchors (PEM) vouches for it at the time of the seal.
    pub fn trusted(&self, anchors: &[u8]) -> Result<(), TrustError> {
        trust::vouched(anchors, &Chain { own: &self.own, others: &self.others }, self.at, AnyPurpose)
    }
}

/// Certificates for seals name many purposes, or none.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        purposes.into_iter().try_for_each(|p| p.map(drop))
    }
}

/// A key's algorithm for signing, and its hash.
#[derive(Clone, Copy)]
enum Kind {
    Rsa,
    P256,
    P384,
}

impl Kind {
    fn of(key: &x509::spki::SubjectPublicKeyInfoOwned) -> Result<Self, CmsError> {
        const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
        const EC: ObjectIdentifier = oid("1.2.840.10045.2.1");
        const P256: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
        const P384: ObjectIdentifier = oid("1.3.132.0.34");
        let curve = key.algorithm.parameters.as_ref().and_then(|p| p.decode_as::<ObjectIdentifier>().ok());
        match (key.algorithm.oid, curve) {
            (RSA, _) => Ok(Self::Rsa),
            (EC, Some(P256)) => Ok(Self::P256),
            (EC, Some(P384)) => Ok(Self::P384),
            _ => Err(CmsError::Kind),
        }
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Rsa | Self::P256 => Sha256::digest(bytes).to_vec(),
            Self::P384 => Sha384::digest(bytes).to_vec(),
        }
    }

    fn algorithms(self) -> (AlgorithmIdentifierOwned, AlgorithmIdentifierOwned) {
        let plain = |text| AlgorithmIdentifierOwned { oid: oid(text), parameters: None };
        match self {
            Self::Rsa => (
                plain("2.16.840.1.101.3.4.2.1"),
                AlgorithmIdentifierOwned { oid: oid("1.2.840.113549.1.1.11"), parameters: Some(Any::null()) },
            ),
            Self::P256 => (plain("2.16.840.1.101.3.4.2.1"), plain("1.2.840.10045.4.3.2")),
            Self::P384 => (plain("2.16.840.1.101.3.4.2.2"), plain("1.2.840.10045.4.3.3")),
        }
    }
}

fn seconds(sealed_at: &str) -> Result<Duration, CmsError> {
    let at: jiff::Timestamp = sealed_at.parse().map_err(|_| CmsError::Form)?;
    Ok(Duration::from_secs(u64::try_from(at.as_second()).map_err(|_| CmsError::Form)?))
}

/// What is signed: the kind and digest of the statement, the time, and the certificate.
fn attributes(certificate: &[u8], statement: &[u8], sealed_at: &str) -> Result<SignedAttributes, CmsError> {
    let form = |_: der::Error| CmsError::Form;
    let read = Certificate::from_der(certificate).map_err(form)?;
    let kind = Kind::of(&read.tbs_certificate.subject_public_key_info)?;
    let at = seconds(sealed_at)?;
    // UTCTime until 2049, then GeneralizedTime (RFC 5652, 11.3).
    let time = match UtcTime::from_unix_duration(at) {
        Ok(time) => Any::encode_from(&time),
        Err(_) => Any::encode_from(&GeneralizedTime::from_unix_duration(at).map_err(form)?),
    };
    let mut named = vec![0x30, 0x26, 0x30, 0x24, 0x30, 0x22, 0x04, 0x20];
    named.extend(Sha256::digest(certificate));
    let digest = OctetString::new(kind.digest(statement)).map_err(form)?;
    let values = [
        (CONTENT_TYPE, Any::encode_from(&DATA)),
        (MESSAGE_DIGEST, Any::encode_from(&digest)),
        (SIGNING_TIME, time),
        (SIGNING_CERTIFICATE, Any::from_der(&named)),
    ];
    let mut all = Vec::new();
    for (oid, value) in values {
        let values = SetOfVec::try_from(vec![value.map_err(form)?]).map_err(form)?;
        all.push(Attribute { oid, values });
    }
    SetOfVec::try_from(all).map_err(form)
}

/// The one way to write it.
fn encode(
    certificates: &[Vec<u8>],
    statement: &[u8],
    sealed_at: &str,
    signature: Vec<u8>,
) -> Result<Vec<u8>, CmsError> {
    let form = |_: der::Error| CmsError::Form;
    let read: Result<Vec<Certificate>, _> = certificates.iter().map(|c| Certificate::from_der(c)).collect();
    let read = read.map_err(form)?;
    let (own, first) = read.first().zip(certificates.first()).ok_or(CmsError::OtherCertificates)?;
    let tbs = &own.tbs_certificate;
    let (digest_alg, signature_algorithm) = Kind::of(&tbs.subject_public_key_info)?.algorithms();
    let signer = SignerInfo {
        version: CmsVersion::V1,
        sid: SignerIdentifier::IssuerAndSerialNumber(IssuerAndSerialNumber {
            issuer: tbs.issuer.clone(),
            serial_number: tbs.serial_number.clone(),
        }),
        digest_alg: digest_alg.clone(),
        signed_attrs: Some(attributes(first, statement, sealed_at)?),
        signature_algorithm,
        signature: OctetString::new(signature).map_err(form)?,
        unsigned_attrs: None,
    };
    let choices: Vec<_> = read.iter().cloned().map(CertificateChoices::Certificate).collect();
    let data = SignedData {
        version: CmsVersion::V1,
        digest_algorithms: SetOfVec::try_from(vec![digest_alg]).map_err(form)?,
        encap_content_info: EncapsulatedContentInfo { econtent_type: DATA, econtent: None },
        certificates: Some(choices.try_into().map_err(form)?),
        crls: None,
        signer_infos: vec![signer].try_into().map_err(form)?,
    };
    let content = Any::encode_from(&data).map_err(CmsError::Write)?;
    ContentInfo { content_type: SIGNED_DATA, content }.to_der().map_err(CmsError::Write)
}
