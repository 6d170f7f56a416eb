//! Whether a certificate leads to an authority in the reader's own records.
use rustls_pki_types::{CertificateDer, UnixTime, pem::PemObject};
use std::time::Duration;
use thiserror::Error;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, anchor_from_trusted_cert};

#[derive(Debug, Error)]
pub enum TrustError {
    #[error("the certificate does not lead to your anchors: {0}")]
    Untrusted(String),
    #[error("the anchors are not PEM certificates: {0}; name the authority's CA certificates")]
    Anchors(String),
}

/// A certificate, and others that lead from it to an authority.
pub struct Chain<'a> {
    pub own: &'a [u8],
    pub others: &'a [Vec<u8>],
}

/// Checks that one of the anchors (PEM) vouches for the certificate at that time (since 1970).
pub fn vouched(
    anchors: &[u8],
    chain: &Chain<'_>,
    at: Duration,
    usage: impl ExtendedKeyUsageValidator,
) -> Result<(), TrustError> {
    let untrusted = |e: webpki::Error| TrustError::Untrusted(e.to_string());
    let read: Result<Vec<CertificateDer<'_>>, _> = CertificateDer::pem_slice_iter(anchors).collect();
    let read = read.map_err(|e| TrustError::Anchors(format!("{e:?}")))?;
    if read.is_empty() {
        return Err(TrustError::Anchors("the file holds none".to_owned()));
    }
    let anchors: Result<Vec<_>, _> = read.iter().map(anchor_from_trusted_cert).collect();
    let anchors = anchors.map_err(|e| TrustError::Anchors(e.to_string()))?;
    let own = CertificateDer::from(chain.own);
    let others: Vec<CertificateDer<'_>> = chain.others.iter().map(|c| CertificateDer::from(c.as_slice())).collect();
    let leaf = EndEntityCert::try_from(&own).map_err(untrusted)?;
    let (known, at) = (webpki::ALL_VERIFICATION_ALGS, UnixTime::since_unix_epoch(at));
    leaf.verify_for_usage(known, &anchors, &others, at, usage, None, None).map_err(untrusted)?;
    Ok(())
}

/// Whether the key of a certificate made the signature.
pub fn signed(certificate: &[u8], message: &[u8], signature: &[u8]) -> Result<bool, TrustError> {
    let der = CertificateDer::from(certificate);
    let leaf = EndEntityCert::try_from(&der).map_err(|e| TrustError::Untrusted(e.to_string()))?;
    // Each algorithm names one kind of key and one hash: at most one can fit, and none fits by chance.
    let fits = |a: &&dyn rustls_pki_types::SignatureVerificationAlgorithm| {
        leaf.verify_signature(*a, message, signature).is_ok()
    };
    Ok(webpki::ALL_VERIFICATION_ALGS.iter().any(fits))
}
