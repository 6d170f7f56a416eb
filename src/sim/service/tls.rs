//! TLS for services that offer it: a fresh self-signed certificate per start, with the dates that the device file wants.

use std::error::Error;
use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::Date;
use rcgen::{CertificateParams, CertifiedKey, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion, version};
use serde::Deserialize;
use tokio_rustls::TlsAcceptor;

use crate::sim::fill::fill;
use crate::sim::{SimError, Stage};

/// What a service speaks below its own protocol.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Versions offered; for older ones see [`OldTls`](super::oldtls::OldTls).
    #[serde(default = "both")]
    pub versions: Vec<TlsVersion>,
    #[serde(default)]
    pub certificate: Certificate,
    #[serde(default)]
    pub client: ClientCertificate,
}

/// A self-signed certificate, made anew at each start.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Certificate {
    /// Common name; the serial number of the device if absent.
    pub name: Option<String>,
    /// Subject alternative names, DNS or IP; the host is always among them.
    pub names: Vec<String>,
    /// First day of validity, `YYYY-MM-DD`; thirty days ago if absent.
    pub not_before: Option<Day>,
    /// Last day of validity; 365 days from now if absent.
    pub not_after: Option<Day>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificate {
    #[default]
    None,
    /// Nobody has one that this server would believe.
    Required,
}

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Day(Date);

impl TryFrom<String> for Day {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self).map_err(|_| "a day is written `YYYY-MM-DD`")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum TlsVersion {
    #[serde(rename = "1.2")]
    Tls12,
    #[serde(rename = "1.3")]
    Tls13,
}

fn both() -> Vec<TlsVersion> {
    vec![TlsVersion::Tls12, TlsVersion::Tls13]
}

impl Tls {
    pub(in crate::sim) fn acceptor(&self, service: &str, stage: &Stage) -> Result<TlsAcceptor, SimError> {
        let made = self.certificate.make(service, stage)?;
        let config = self.config(&made).map_err(|problem| setup(service, problem.as_ref()))?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn config(&self, made: &CertifiedKey<KeyPair>) -> Result<ServerConfig, Box<dyn Error>> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let own = made.cert.der().clone();
        let secret = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&self.protocol_versions())?;
        let builder = match self.client {
            ClientCertificate::None => builder.with_no_client_auth(),
            ClientCertificate::Required => {
                let mut roots = RootCertStore::empty();
                roots.add(own.clone())?;
                builder.with_client_cert_verifier(
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?,
                )
            }
        };
        Ok(builder.with_single_cert(vec![own], secret)?)
    }

    fn protocol_versions(&self) -> Vec<&'static SupportedProtocolVersion> {
        let pick = |version: &TlsVersion| match version {
            TlsVersion::Tls12 => &version::TLS12,
            TlsVersion::Tls13 => &version::TLS13,
        };
        self.versions.iter().map(pick).collect()
    }
}

fn setup(service: &str, problem: &dyn Error) -> SimError {
    SimError::Setup { service: service.to_owned(), problem: problem.to_string() }
}

impl Certificate {
    pub(super) fn make(&self, service: &str, stage: &Stage) -> Result<CertifiedKey<KeyPair>, SimError> {
        let make = || {
            let signing_key = KeyPair::generate()?;
            let cert = self.parameters(stage)?.self_signed(&signing_key)?;
            Ok(CertifiedKey { cert, signing_key })
        };
        make().map_err(|problem: rcgen::Error| setup(service, &problem))
    }

    fn parameters(&self, stage: &Stage) -> Result<CertificateParams, rcgen::Error> {
        let mut names: Vec<String> = self.names.iter().map(|name| fill(name, stage)).collect();
        names.push(stage.host.to_string());
        let mut parameters = CertificateParams::new(names)?;
        let name = self.name.as_deref().unwrap_or("{serial}");
        parameters.distinguished_name.push(DnType::CommonName, fill(name, stage));
        parameters.distinguished_name.push(DnType::OrganizationName, stage.identity.manufacturer.clone());
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let today = crate::sim::clock::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let first = self.not_before.map_or_else(|| today.saturating_sub(30.days()), |day| day.0);
        let last = self.not_after.map_or_else(|| today.saturating_add(365.days()), |day| day.0);
        let midnight =
            |day: Date| date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs());
        parameters.not_before = midnight(first);
        parameters.not_after = midnight(last);
        Ok(parameters)
    }
}
