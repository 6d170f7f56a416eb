//! TLS for reading what is inside. Whether a version or certificate is any good is judged elsewhere, so
//! every certificate is accepted here; a server that rustls cannot speak to is a gap, not a verdict.
use super::wire::{Trouble, Wire};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::{
        ResolvesClientCert,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime},
    sign::CertifiedKey,
};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio_rustls::TlsConnector;

#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>, Arc<Noted>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        ocsp: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.1.stapled.store(!ocsp.is_empty(), Ordering::Relaxed);
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

fn config(noted: &Arc<Noted>, key: Option<&ClientKey>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AcceptAny(provider.clone(), noted.clone())))
        .with_no_client_auth();
    let own = key.map(|k| CertifiedKey::from_der(vec![k.certificate.clone()], k.secret.clone_key(), &provider));
    config.client_auth_cert_resolver = Arc::new(Shows(noted.clone(), own.transpose()?.map(Arc::new)));
    Ok(config)
}

/// A certificate that a client shows, and its key.
#[derive(Debug)]
pub struct ClientKey {
    certificate: CertificateDer<'static>,
    secret: PrivateKeyDer<'static>,
}

impl ClientKey {
    /// Made now; nobody has a reason to believe it.
    pub fn self_signed() -> Result<Self, String> {
        let made = rcgen::generate_simple_self_signed(["patuh.invalid".to_owned()]).map_err(|e| e.to_string())?;
        let secret = PrivateKeyDer::try_from(made.signing_key.serialize_der())?;
        Ok(Self { certificate: made.cert.der().clone(), secret })
    }
}

/// What a handshake shows beside its chain.
#[derive(Debug, Default)]
struct Noted {
    stapled: AtomicBool,
    asked: AtomicBool,
}

/// Notes that a certificate was asked for, and shows the one there is.
#[derive(Debug)]
struct Shows(Arc<Noted>, Option<Arc<CertifiedKey>>);

impl ResolvesClientCert for Shows {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.asked.store(true, Ordering::Relaxed);
        self.1.clone()
    }
    /// Else rustls would not ask.
    fn has_certs(&self) -> bool {
        true
    }
}

/// What a server showed in a whole handshake.
pub struct Shown {
    /// Leaf first, as DER.
    pub chain: Vec<Vec<u8>>,
    pub stapled: bool,
    pub asks_certificate: bool,
}

/// Goes on inside TLS with a site of the public network, whose certificate must be good for its name.
pub async fn of_a_site(wire: Wire, name: &str, wait: Duration) -> Result<Wire, Trouble> {
    let bad =
        |e: &dyn std::fmt::Display| Trouble::NotUnderstood(format!("the TLS handshake with `{name}` failed: {e}"));
    let of = ServerName::try_from(name.to_owned()).map_err(|e| bad(&e))?;
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| bad(&e))?;
    let config = builder.with_platform_verifier().map_err(|e| bad(&e))?.with_no_client_auth();
    let mut wire = wire
        .through(|io| async move {
            let connecting = TlsConnector::from(Arc::new(config)).connect(of, io);
            match tokio::time::timeout(wait, connecting).await {
                Err(_) => Err(Trouble::Silent(wait.as_millis())),
                Ok(done) => done.map_err(|e| bad(&e)),
            }
        })
        .await?;
    wire.tape.inside_tls();
    Ok(wire)
}

/// Goes on inside TLS. Returns the chain that the server showed, leaf first, as DER.
pub async fn inside(wire: Wire, wait: Duration) -> Result<(Wire, Vec<Vec<u8>>), Trouble> {
    shown(wire, wait, None).await.map(|(wire, shown)| (wire, shown.chain))
}

/// As [`inside`], perhaps with a certificate of the client's.
pub async fn shown(wire: Wire, wait: Duration, key: Option<&ClientKey>) -> Result<(Wire, Shown), Trouble> {
    let Wire { io, mut tape, permit } = wire;
    let noted = Arc::new(Noted::default());
    let config = config(&noted, key).map_err(|e| Trouble::NotUnderstood(e.to_string()))?;
    // Devices have no names here; without a name in the hello a server shows its default certificate.
    let name = ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into());
    let connecting = TlsConnector::from(Arc::new(config)).connect(name, io);
    let stream = match tokio::time::timeout(wait, connecting).await {
        Err(_) => {
            tape.close("no TLS handshake in time");
            return Err(Trouble::Silent(wait.as_millis()));
        }
        Ok(Err(e)) => {
            tape.close("TLS handshake failed");
            return Err(Trouble::NotUnderstood(format!("the TLS handshake failed: {e}")));
        }
        Ok(Ok(s)) => s,
    };
    tape.inside_tls();
    let chain = stream.get_ref().1.peer_certificates().unwrap_or_default().iter().map(|c| c.to_vec()).collect();
    let shown = Shown {
        chain,
        stapled: noted.stapled.load(Ordering::Relaxed),
        asks_certificate: noted.asked.load(Ordering::Relaxed),
    };
    Ok((Wire { io: Box::new(stream), tape, permit }, shown))
}
