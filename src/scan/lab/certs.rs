//! Certificates of a laboratory: its own CA, kept for installing in devices, and one chain per case, made anew each time.
use super::LabError;
use crate::model::observation::lab::ServerCase;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_RSA_SHA256, PublicKeyData, SignatureAlgorithm, date_time_ymd,
};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPublicKey};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use std::{io::Write, os::unix::fs::OpenOptionsExt, path::Path, sync::Arc};

pub const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca.key";

/// The laboratory's CA. Its key never leaves the directory.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
}

/// A chain whose RSA key the hand-made flights need, as rustls signs with no such key.
pub struct RsaChain {
    pub key: RsaPrivateKey,
    pub chain: Vec<Vec<u8>>,
}

impl Ca {
    /// The CA in `dir`, or a new one where there is none.
    pub fn kept(dir: &Path) -> Result<Self, LabError> {
        let fail = |e: &dyn std::fmt::Display| LabError::Ca { dir: dir.display().to_string(), why: e.to_string() };
        let (certificate, key) = (dir.join(CERTIFICATE), dir.join(KEY));
        if let Ok(text) = std::fs::read_to_string(&key) {
            let pair = KeyPair::from_pem(&text).map_err(|e| fail(&e))?;
            if !certificate.exists() {
                return Err(fail(&"ca.key is there and ca.pem is not; take both away to have new ones made"));
            }
            return Ok(Self { issuer: Issuer::new(parameters("Patuh laboratory CA"), pair) });
        }
        std::fs::create_dir_all(dir).map_err(|e| fail(&e))?;
        let pair = KeyPair::generate().map_err(|e| fail(&e))?;
        let made = parameters("Patuh laboratory CA").self_signed(&pair).map_err(|e| fail(&e))?;
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&key).map_err(|e| fail(&e))?;
        file.write_all(pair.serialize_pem().as_bytes()).map_err(|e| fail(&e))?;
        std::fs::write(&certificate, made.pem()).map_err(|e| fail(&e))?;
        Ok(Self { issuer: Issuer::new(parameters("Patuh laboratory CA"), pair) })
    }

    /// What rustls presents in a case.
    pub fn config(&self, case: ServerCase, names: &[String]) -> Result<Arc<ServerConfig>, rcgen::Error> {
        let key = KeyPair::generate()?;
        let chain = match case {
            ServerCase::SelfSigned => vec![leaf(case, names)?.self_signed(&key)?],
            ServerCase::UnknownCa => {
                let stranger = Issuer::new(parameters("Patuh laboratory CA"), KeyPair::generate()?);
                vec![leaf(case, names)?.signed_by(&key, &stranger)?]
            }
            ServerCase::NotACa => {
                let between = KeyPair::generate()?;
                let parameters = leaf(ServerCase::Genuine, &["other.invalid".to_owned()])?;
                let end = parameters.signed_by(&between, &self.issuer)?;
                vec![leaf(case, names)?.signed_by(&key, &Issuer::new(parameters, between))?, end]
            }
            ServerCase::Genuine
            | ServerCase::WrongName
            | ServerCase::Expired
            | ServerCase::NotYetValid
            | ServerCase::WrongUsage
            | ServerCase::WeakKey
            | ServerCase::Tls11
            | ServerCase::Tls10
            | ServerCase::HttpsRefused
            | ServerCase::RedirectToHttp
            | ServerCase::Away => vec![leaf(case, names)?.signed_by(&key, &self.issuer)?],
        };
        let chain = chain.into_iter().map(|c| c.der().clone()).collect::<Vec<CertificateDer<'static>>>();
        let secret = PrivateKeyDer::try_from(key.serialize_der()).map_err(|_| rcgen::Error::CouldNotParseKeyPair)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|b| b.with_no_client_auth().with_single_cert(chain, secret));
        let mut config = config.map_err(|e| rcgen::Error::PemError(e.to_string()))?;
        // Each connection has its own case: none may be resumed, for then no certificate is shown.
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    /// A genuine chain around an RSA key of so many bits.
    pub fn rsa(&self, bits: usize, names: &[String]) -> Result<RsaChain, rcgen::Error> {
        let own = |e: &dyn std::fmt::Display| rcgen::Error::PemError(e.to_string());
        let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).map_err(|e| own(&e))?;
        let public = key.to_public_key().to_pkcs1_der().map_err(|e| own(&e))?;
        let mut parameters = leaf(ServerCase::Genuine, names)?;
        // With it, a suite that encrypts to the key may be used, too.
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        let made = parameters.signed_by(&RsaKey(public.as_bytes().to_vec()), &self.issuer)?;
        Ok(RsaChain { key, chain: vec![made.der().to_vec()] })
    }
}

struct RsaKey(Vec<u8>);

impl PublicKeyData for RsaKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }
    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

fn parameters(name: &str) -> CertificateParams {
    let mut p = CertificateParams::default();
    p.distinguished_name = rcgen::DistinguishedName::new();
    p.distinguished_name.push(DnType::CommonName, name);
    p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    p.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    (p.not_before, p.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2045, 1, 1));
    p
}

/// When an expired certificate was in force, and how many hours from now a genuine one is over, before clocks of 32 bits are.
pub const IN_FORCE: &str = "2021-07-01T00:00:00Z";
pub const OVER_HOURS: i64 = 5 * 365 * 24;

fn next_year() -> i32 {
    crate::scan::clock::now().get(..4).and_then(|y| y.parse::<i32>().ok()).map_or(2030, |y| y + 1)
}

fn leaf(case: ServerCase, names: &[String]) -> Result<CertificateParams, rcgen::Error> {
    let names = if case == ServerCase::WrongName { vec!["other.invalid".to_owned()] } else { names.to_vec() };
    let common = names.first().cloned().unwrap_or_default();
    let mut p = CertificateParams::new(names)?;
    p.distinguished_name = rcgen::DistinguishedName::new();
    p.distinguished_name.push(DnType::CommonName, common);
    p.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    p.use_authority_key_identifier_extension = true;
    p.extended_key_usages = vec![match case {
        ServerCase::WrongUsage => ExtendedKeyUsagePurpose::ClientAuth,
        _ => ExtendedKeyUsagePurpose::ServerAuth,
    }];
    let (from, to) = match case {
        ServerCase::Expired => (2021, 2022),
        ServerCase::NotYetValid => (2043, 2044),
        _ => (2021, next_year() + 1),
    };
    (p.not_before, p.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
    Ok(p)
}
