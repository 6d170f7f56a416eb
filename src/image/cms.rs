//! CMS signatures (RFC 5652) with the signer's certificate inside, as RAUC and SWUpdate use them.
use super::{
    error::ImageError,
    key::{Hash, Numbers, PublicKey, Scheme, Trusted},
    sign::PrivateKey,
};
use cms::{
    cert::{CertificateChoices, x509::Certificate, x509::ext::pkix::BasicConstraints},
    content_info::ContentInfo,
    signed_data::{SignedData, SignerIdentifier, SignerInfo, SignerInfos},
};
use der::{
    Any, Decode, Encode,
    asn1::{ObjectIdentifier, OctetString, SetOfVec},
};

const FORMAT: &str = "CMS";
const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
pub const ENVELOPED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
/// Certificates between the signer's and the trusted one.
const MOST_STEPS: usize = 5;

pub struct Cms {
    signed: SignedData,
}

/// What kind of CMS this is.
pub fn kind(der: &[u8]) -> Option<ObjectIdentifier> {
    ContentInfo::from_der(der).ok().map(|c| c.content_type)
}

pub fn parse(der: &[u8]) -> Result<Cms, ImageError> {
    let form = |e: der::Error| ImageError::malformed(FORMAT, e.to_string());
    let info = ContentInfo::from_der(der).map_err(form)?;
    if info.content_type != SIGNED_DATA {
        return Err(ImageError::malformed(FORMAT, "not signed data"));
    }
    let signed = SignedData::from_der(&info.content.to_der().map_err(form)?).map_err(form)?;
    Ok(Cms { signed })
}

impl Cms {
    /// The content, where it is not detached.
    pub fn content(&self) -> Option<&[u8]> {
        self.signed.encap_content_info.econtent.as_ref().map(der::Any::value)
    }

    fn signer(&self) -> Option<&SignerInfo> {
        self.signed.signer_infos.0.as_slice().first()
    }

    pub fn signers(&self) -> usize {
        self.signed.signer_infos.0.len()
    }

    fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.signed.certificates.iter().flat_map(|c| c.0.as_slice()).filter_map(|c| match c {
            CertificateChoices::Certificate(c) => Some(c),
            CertificateChoices::Other(_) => None,
        })
    }

    pub fn certificate(&self) -> Option<&Certificate> {
        let sid = &self.signer()?.sid;
        self.certificates().find(|c| match sid {
            SignerIdentifier::IssuerAndSerialNumber(id) => {
                id.issuer == c.tbs_certificate.issuer && id.serial_number == c.tbs_certificate.serial_number
            }
            // The signature decides; a key identifier only names.
            SignerIdentifier::SubjectKeyIdentifier(_) => true,
        })
    }

    pub fn scheme(&self) -> Scheme {
        let Some(signer) = self.signer() else { return Scheme::Other("no signer") };
        let hash = hash(signer.digest_alg.oid);
        scheme(signer.signature_algorithm.oid, hash).unwrap_or(Scheme::Other("a CMS algorithm that is not known here"))
    }

    /// Whether the signer signed this content, and the trusted key or certificate stands behind the signer.
    pub fn verify(&self, detached: Option<&[u8]>, trusted: &Trusted) -> Result<Scheme, String> {
        let content = self.content().or(detached).ok_or("it names no content")?;
        let signer = self.signer().ok_or("it has no signer")?;
        let message = message(signer, content)?;
        let scheme = self.scheme();
        if matches!(scheme, Scheme::Other(_)) || scheme.hash() == Some(Hash::Sha1) {
            return Err(format!("{} is not verified here", scheme.name()));
        }
        let certificate = self.certificate();
        let own = certificate.map(PublicKey::of).transpose().map_err(|e| e.to_string())?;
        let key = own.as_ref().unwrap_or(&trusted.key);
        if key.verify(scheme, &message, signer.signature.as_bytes()).is_none() {
            return Err("its value does not fit the content and the signer's key".to_owned());
        }
        let Some(certificate) = certificate else { return Ok(scheme) };
        if key.same(&trusted.key) || self.leads(certificate, trusted) {
            return Ok(scheme);
        }
        Err("its certificate does not lead to the given key or certificate".to_owned())
    }

    /// Whether certificates lead from the signer's to the trusted one. Their days of validity are not looked at:
    /// a package is judged for what it is, not for today.
    fn leads(&self, from: &Certificate, trusted: &Trusted) -> bool {
        let mut at = from;
        for _ in 0..MOST_STEPS {
            let named = trusted
                .certificate
                .as_ref()
                .is_none_or(|c| c.tbs_certificate.subject == at.tbs_certificate.issuer && authority(c));
            if named && issued(&trusted.key, at) {
                return true;
            }
            let next = self.certificates().find(|c| {
                c.tbs_certificate.subject == at.tbs_certificate.issuer
                    && authority(c)
                    && PublicKey::of(c).is_ok_and(|k| issued(&k, at))
            });
            let Some(next) = next else { return false };
            at = next;
        }
        false
    }
}

fn authority(certificate: &Certificate) -> bool {
    matches!(certificate.tbs_certificate.get::<BasicConstraints>(), Ok(Some((_, b))) if b.ca)
}

fn issued(key: &PublicKey, certificate: &Certificate) -> bool {
    let oid = certificate.signature_algorithm.oid;
    let scheme = [Hash::Sha256, Hash::Sha384, Hash::Sha512].into_iter().find_map(|h| exact(oid, h));
    let message = certificate.tbs_certificate.to_der();
    let (Some(scheme), Ok(message)) = (scheme, message) else { return false };
    certificate.signature.as_bytes().is_some_and(|s| key.verify(scheme, &message, s).is_some())
}

/// What is signed: the attributes, which name the content, or the content itself (RFC 5652, 5.4).
fn message(signer: &SignerInfo, content: &[u8]) -> Result<Vec<u8>, String> {
    let Some(attributes) = &signer.signed_attrs else { return Ok(content.to_vec()) };
    let digest = hash(signer.digest_alg.oid).and_then(|h| h.of(content)).ok_or("its hash is not verified here")?;
    let mut named = attributes.iter().filter(|a| a.oid == MESSAGE_DIGEST).flat_map(|a| a.values.iter());
    let first = named.next().and_then(|v| v.decode_as::<OctetString>().ok());
    if first.is_none_or(|n| n.as_bytes() != digest) || named.next().is_some() {
        return Err("it is about other content".to_owned());
    }
    attributes.to_der().map_err(|e| e.to_string())
}

fn hash(oid: ObjectIdentifier) -> Option<Hash> {
    match oid.to_string().as_str() {
        "1.3.14.3.2.26" => Some(Hash::Sha1),
        "2.16.840.1.101.3.4.2.1" => Some(Hash::Sha256),
        "2.16.840.1.101.3.4.2.2" => Some(Hash::Sha384),
        "2.16.840.1.101.3.4.2.3" => Some(Hash::Sha512),
        _ => None,
    }
}

fn scheme(oid: ObjectIdentifier, hash: Option<Hash>) -> Option<Scheme> {
    match oid.to_string().as_str() {
        "1.2.840.113549.1.1.1" => Some(Scheme::RsaPkcs1(hash?)),
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" => Some(Scheme::RsaPkcs1(Hash::Sha1)),
        _ => exact(oid, hash?),
    }
}

/// The schemes whose name holds the hash, and PSS, whose hash is taken from beside it.
fn exact(oid: ObjectIdentifier, hash: Hash) -> Option<Scheme> {
    match oid.to_string().as_str() {
        "1.2.840.113549.1.1.11" => Some(Scheme::RsaPkcs1(Hash::Sha256)),
        "1.2.840.113549.1.1.12" => Some(Scheme::RsaPkcs1(Hash::Sha384)),
        "1.2.840.113549.1.1.13" => Some(Scheme::RsaPkcs1(Hash::Sha512)),
        "1.2.840.113549.1.1.10" => Some(Scheme::RsaPss(hash)),
        "1.2.840.10045.4.3.2" => Some(Scheme::Ecdsa(Hash::Sha256, Numbers::Der)),
        "1.2.840.10045.4.3.3" => Some(Scheme::Ecdsa(Hash::Sha384, Numbers::Der)),
        "1.2.840.10045.4.3.4" => Some(Scheme::Ecdsa(Hash::Sha512, Numbers::Der)),
        "1.3.101.112" => Some(Scheme::Ed25519),
        _ => None,
    }
}

/// A change of the first signer's value.
pub enum Change<'a> {
    Bit,
    /// Made again with this key over this content; certificates and names stay.
    Resign(&'a PrivateKey, &'a [u8]),
    /// The same, and the content that is inside replaced.
    Content(&'a [u8]),
}

pub fn change(der: &[u8], change: &Change<'_>) -> Result<Vec<u8>, ImageError> {
    let form = |e: der::Error| ImageError::malformed(FORMAT, e.to_string());
    let Cms { mut signed } = parse(der)?;
    let mut signers: Vec<SignerInfo> = signed.signer_infos.0.as_slice().to_vec();
    let signer = signers.first_mut().ok_or_else(|| ImageError::malformed(FORMAT, "no signer"))?;
    match change {
        Change::Bit => {
            let value = super::mutate::flipped(signer.signature.as_bytes());
            signer.signature = OctetString::new(value).map_err(form)?;
        }
        Change::Resign(key, content) => resign(signer, key, content)?,
        Change::Content(content) => {
            let inner = OctetString::new(*content).map_err(form)?;
            signed.encap_content_info.econtent = Some(Any::from_der(&inner.to_der().map_err(form)?).map_err(form)?);
        }
    }
    signed.signer_infos = SignerInfos(SetOfVec::try_from(signers).map_err(form)?);
    let content = Any::from_der(&signed.to_der().map_err(form)?).map_err(form)?;
    ContentInfo { content_type: SIGNED_DATA, content }.to_der().map_err(form)
}

fn resign(signer: &mut SignerInfo, key: &PrivateKey, content: &[u8]) -> Result<(), ImageError> {
    let form = |e: der::Error| ImageError::malformed(FORMAT, e.to_string());
    let hash = hash(signer.digest_alg.oid);
    if let Some(attributes) = signer.signed_attrs.take() {
        let digest =
            hash.and_then(|h| h.of(content)).ok_or_else(|| ImageError::malformed(FORMAT, "an unknown hash"))?;
        let mut all: Vec<_> = attributes.iter().cloned().collect();
        for attribute in all.iter_mut().filter(|a| a.oid == MESSAGE_DIGEST) {
            let value = OctetString::new(digest.as_slice()).and_then(|o| o.to_der()).map_err(form)?;
            attribute.values = SetOfVec::try_from(vec![Any::from_der(&value).map_err(form)?]).map_err(form)?;
        }
        signer.signed_attrs = Some(SetOfVec::try_from(all).map_err(form)?);
    }
    let message = match &signer.signed_attrs {
        Some(attributes) => attributes.to_der().map_err(form)?,
        None => content.to_vec(),
    };
    let scheme = scheme(signer.signature_algorithm.oid, hash);
    let scheme = scheme.ok_or_else(|| ImageError::malformed(FORMAT, "an algorithm that is not known here"))?;
    signer.signature = OctetString::new(key.sign(scheme, &message)?).map_err(form)?;
    Ok(())
}
