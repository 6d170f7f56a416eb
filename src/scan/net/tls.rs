//! TLS for reading what is inside. Whether a version or certificate is any good is judged elsewhere, so
//! every certificate is accepted here; a server that rustls cannot speak to is a gap, not a verdict.
use super::wire::{Trouble, Wire};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::BuilderVerifierExt;
use std::{sync::Arc, time::Duration};
use tokio_rustls::TlsConnector;

#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
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

fn config() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
        .with_no_client_auth())
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
    let Wire { io, mut tape, permit } = wire;
    let config = config().map_err(|e| Trouble::NotUnderstood(e.to_string()))?;
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
    Ok((Wire { io: Box::new(stream), tape, permit }, chain))
}
