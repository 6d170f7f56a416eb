//! Time that the laboratory does not tell itself: RFC 3161 tokens over the plan, the recording's end and the seal's
//! first signature.
//!
//! A token is checked from the bytes up: it names our file, its signer's certificate leads to an
//! authority in the reader's own records, and was meant for stamping time when it did so.
use super::trust::{self, Chain, TrustError};
use cms::{
    cert::CertificateChoices,
    content_info::ContentInfo,
    signed_data::{SignedData, SignerIdentifier, SignerInfo},
};
use der::{
    Any, Decode, Encode,
    asn1::{ObjectIdentifier, OctetString},
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::time::Duration;
use thiserror::Error;
use webpki::KeyUsage;
use x509_tsp::{MessageImprint, TimeStampReq, TimeStampResp, TspVersion, TstInfo};

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");
/// id-kp-timeStamping (RFC 3161, 2.3).
const TIME_STAMPING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 8];
/// PKIStatus granted and grantedWithMods (RFC 3161, 2.4.2).
const GRANTED: [u8; 2] = [0, 1];

#[derive(Debug, Error)]
pub enum TimestampError {
    #[error("the time-stamp query could not be written: {0}; please report this")]
    Query(der::Error),
    #[error("the time-stamping authority refused (status {0}); ask it why, or another one")]
    Refused(u8),
    #[error("not a time-stamp response (RFC 3161): {0}; take it from the authority again")]
    Form(String),
    #[error("the time-stamp token is for another file; make the query with `patuh timestamp`")]
    OtherFile,
    #[error("the time-stamp token does not hold what its authority signed; take it from the authority again")]
    Signature,
    #[error("the time-stamp token uses an algorithm that is not known here (SHA-256, SHA-384 or SHA-512 are)")]
    Algorithm,
    #[error("the time-stamp token lacks its signer's certificate; ask for it in the query (certReq)")]
    NoCertificate,
    #[error(transparent)]
    Trust(#[from] TrustError),
}

/// A token that holds what its authority signed over this file.
#[derive(Debug)]
pub struct Token {
    /// RFC 3339, UTC, to the second.
    pub time: String,
    pub serial: String,
    at: Duration,
    certificate: Vec<u8>,
    others: Vec<Vec<u8>>,
}

/// The query that an authority answers: a hash, and the wish for its certificate. No nonce, so that the same
/// bundle gives the same query; the answer is bound to the signature that the hash names.
pub fn query(stamped: &[u8]) -> Result<Vec<u8>, TimestampError> {
    let hash_algorithm = cms::cert::x509::spki::AlgorithmIdentifier { oid: SHA_256, parameters: Some(Any::null()) };
    let hashed_message = OctetString::new(Sha256::digest(stamped).to_vec()).map_err(TimestampError::Query)?;
    let request = TimeStampReq {
        version: TspVersion::V1,
        message_imprint: MessageImprint { hash_algorithm, hashed_message },
        req_policy: None,
        nonce: None,
        cert_req: true,
        extensions: None,
    };
    request.to_der().map_err(TimestampError::Query)
}

/// Reads an authority's response and checks everything but whether the authority is known.
pub fn read(response: &[u8], stamped: &[u8]) -> Result<Token, TimestampError> {
    let form = |e: der::Error| TimestampError::Form(e.to_string());
    let response = TimeStampResp::from_der(response).map_err(form)?;
    let status = response.status.status as u8;
    if !GRANTED.contains(&status) {
        return Err(TimestampError::Refused(status));
    }
    let token = response.time_stamp_token.ok_or_else(|| TimestampError::Form("no token".to_owned()))?;
    let signed = signed_data(&token)?;
    let content = signed.encap_content_info.econtent.as_ref().map(|c| c.value().to_vec());
    let content = content.ok_or_else(|| TimestampError::Form("no content".to_owned()))?;
    let info = TstInfo::from_der(&content).map_err(form)?;
    let imprint = &info.message_imprint;
    if digest(imprint.hash_algorithm.oid, stamped)?.as_slice() != imprint.hashed_message.as_bytes() {
        return Err(TimestampError::OtherFile);
    }
    let [signer] = signed.signer_infos.0.as_slice() else {
        return Err(TimestampError::Form("not exactly one signer".to_owned()));
    };
    let mut certificates = certificates(&signed)?;
    let own = certificates.iter().position(|c| c.1).ok_or(TimestampError::NoCertificate)?;
    let (certificate, _) = certificates.remove(own);
    verify(signer, &content, &certificate)?;
    let at = info.gen_time.to_unix_duration();
    let seconds = i64::try_from(at.as_secs()).map_err(|_| TimestampError::Form("no such time".to_owned()))?;
    let time = jiff::Timestamp::from_second(seconds).map_err(|e| TimestampError::Form(e.to_string()))?;
    Ok(Token {
        time: time.to_string(),
        serial: crate::model::digest::hex(info.serial_number.as_bytes()),
        at,
        certificate,
        others: certificates.into_iter().map(|(der, _)| der).collect(),
    })
}

impl Token {
    /// Whether one of the reader's anchors (PEM) vouches for the authority at the time that it stamped.
    pub fn trusted(&self, anchors: &[u8]) -> Result<(), TrustError> {
        let chain = Chain { own: &self.certificate, others: &self.others };
        trust::vouched(anchors, &chain, self.at, KeyUsage::required(TIME_STAMPING))
    }
}

fn signed_data(token: &ContentInfo) -> Result<SignedData, TimestampError> {
    let form = |e: der::Error| TimestampError::Form(e.to_string());
    if token.content_type != SIGNED_DATA {
        return Err(TimestampError::Form("not signed data".to_owned()));
    }
    let signed = SignedData::from_der(&token.content.to_der().map_err(form)?).map_err(form)?;
    if signed.encap_content_info.econtent_type != TST_INFO {
        return Err(TimestampError::Form("not a time-stamp token".to_owned()));
    }
    Ok(signed)
}

/// Every certificate in the token, and whether it is the signer's.
fn certificates(signed: &SignedData) -> Result<Vec<(Vec<u8>, bool)>, TimestampError> {
    let form = |e: der::Error| TimestampError::Form(e.to_string());
    let signer = signed.signer_infos.0.as_slice().first().map(|s| &s.sid);
    let mut all = Vec::new();
    for choice in signed.certificates.iter().flat_map(|c| c.0.as_slice()) {
        let CertificateChoices::Certificate(c) = choice else { continue };
        let own = match signer {
            Some(SignerIdentifier::IssuerAndSerialNumber(id)) => {
                id.issuer == c.tbs_certificate.issuer && id.serial_number == c.tbs_certificate.serial_number
            }
            // The signature decides; a key identifier only names.
            Some(SignerIdentifier::SubjectKeyIdentifier(_)) => all.is_empty(),
            None => false,
        };
        all.push((c.to_der().map_err(form)?, own));
    }
    Ok(all)
}

/// The signature covers the attributes, and the attributes name the content (RFC 5652, 5.4).
fn verify(signer: &SignerInfo, content: &[u8], certificate: &[u8]) -> Result<(), TimestampError> {
    let attributes = signer.signed_attrs.as_ref().ok_or(TimestampError::Signature)?;
    let value = |oid: ObjectIdentifier| {
        let mut of = attributes.iter().filter(|a| a.oid == oid);
        let (first, second) = (of.next(), of.next());
        first.filter(|a| second.is_none() && a.values.len() == 1).and_then(|a| a.values.get(0)).cloned()
    };
    let kind = value(CONTENT_TYPE).and_then(|v| v.decode_as::<ObjectIdentifier>().ok());
    let named = value(MESSAGE_DIGEST).and_then(|v| v.decode_as::<OctetString>().ok());
    let found = digest(signer.digest_alg.oid, content)?;
    if kind != Some(TST_INFO) || named.is_none_or(|n| n.as_bytes() != found.as_slice()) {
        return Err(TimestampError::Signature);
    }
    let message = attributes.to_der().map_err(|_| TimestampError::Signature)?;
    let signed = trust::signed(certificate, &message, signer.signature.as_bytes())?;
    if signed { Ok(()) } else { Err(TimestampError::Signature) }
}

fn digest(oid: ObjectIdentifier, bytes: &[u8]) -> Result<Vec<u8>, TimestampError> {
    match oid {
        SHA_256 => Ok(Sha256::digest(bytes).to_vec()),
        SHA_384 => Ok(Sha384::digest(bytes).to_vec()),
        SHA_512 => Ok(Sha512::digest(bytes).to_vec()),
        _ => Err(TimestampError::Algorithm),
    }
}
