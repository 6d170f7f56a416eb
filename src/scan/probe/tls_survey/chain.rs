//! The certificates that a server shows, each as far as its strength goes.
use crate::model::{
    Sha256Digest,
    digest::hex,
    observation::{clean, tls::ChainLink},
};
use crate::scan::{codec::tls_names::roca, probe::tls_certificate};
use sha1::{Digest as _, Sha1};
use x509_parser::{prelude::*, public_key::PublicKey};

pub fn links(chain: &[Vec<u8>]) -> Result<Vec<ChainLink>, String> {
    chain.iter().map(|der| link(der)).collect()
}

fn link(der: &[u8]) -> Result<ChainLink, String> {
    let (_, c) = X509Certificate::from_der(der).map_err(|e| format!("a certificate is not readable: {e}"))?;
    let (exponent, roca) = match c.public_key().parsed() {
        Ok(PublicKey::RSA(r)) => (Some(hex(strip(r.exponent))), roca(strip(r.modulus))),
        _ => (None, false),
    };
    Ok(ChainLink {
        subject: clean(&c.subject().to_string(), 200),
        key: tls_certificate::key(c.public_key()),
        exponent,
        roca,
        signature: c.signature_algorithm.algorithm.to_id_string(),
        self_signed: c.subject() == c.issuer(),
        sha1: hex(&Sha1::digest(der)),
        sha256: Sha256Digest::of(der),
        spki_sha256: Sha256Digest::of(c.public_key().raw),
    })
}

/// Without the zero that DER puts before a number whose top bit is set.
fn strip(number: &[u8]) -> &[u8] {
    number.strip_prefix(&[0]).unwrap_or(number)
}
