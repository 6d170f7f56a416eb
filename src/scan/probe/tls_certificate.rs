//! The certificate that a server shows.
use super::{Probe, starttls};
use crate::model::{
    Observation, Sha256Digest, Touch,
    observation::{Certificate, clean},
};
use crate::scan::{
    net::tls,
    session::{Ctx, FIRST_BYTE},
};
use x509_parser::{prelude::*, public_key::PublicKey};

pub const PROBE: Probe = Probe {
    id: "tls-certificate",
    version: 1,
    title: "TLS certificates",
    page: include_str!("tls_certificate.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

async fn run(ctx: &Ctx) {
    ctx.each(
        starttls::places(ctx),
        |p| p.endpoint,
        |at| async move {
            let e = at.endpoint;
            let result = match starttls::open(ctx, at).await {
                Ok(wire) => tls::inside(wire, FIRST_BYTE).await,
                Err(t) => Err(t),
            };
            match result {
                Err(t) => ctx.trouble(None, e, &t),
                Ok((wire, chain)) => {
                    let tape = wire.close().await;
                    match chain
                        .first()
                        .ok_or("no certificate was shown".to_owned())
                        .and_then(|leaf| read(leaf, chain.len()))
                    {
                        Ok(certificate) => {
                            ctx.record(e, Observation::Certificate { certificate: Box::new(certificate) }, Some(tape))
                        }
                        Err(why) => ctx.gap(Some(e.into()), crate::model::Why::NotUnderstood(why)),
                    }
                }
            }
        },
    )
    .await;
}

fn read(der: &[u8], chain_length: usize) -> Result<Certificate, String> {
    let (_, c) = X509Certificate::from_der(der).map_err(|e| format!("the certificate is not readable: {e}"))?;
    let names = c.subject_alternative_name().ok().flatten().map(|s| s.value.general_names.iter().map(name).collect());
    let time = |t: ASN1Time| jiff::Timestamp::from_second(t.timestamp()).map(|t| t.to_string()).unwrap_or_default();
    Ok(Certificate {
        subject: clean(&c.subject().to_string(), 200),
        issuer: clean(&c.issuer().to_string(), 200),
        names: names.unwrap_or_default(),
        not_before: time(c.validity().not_before),
        not_after: time(c.validity().not_after),
        key: key(c.public_key()),
        signature: c.signature_algorithm.algorithm.to_id_string(),
        self_signed: c.subject() == c.issuer(),
        is_ca: c.is_ca(),
        chain_length,
        sha256: Sha256Digest::of(der),
        spki_sha256: Sha256Digest::of(c.public_key().raw),
    })
}

fn name(n: &GeneralName<'_>) -> String {
    match n {
        GeneralName::DNSName(d) => clean(d, 200),
        GeneralName::IPAddress([a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
        other => clean(&other.to_string(), 200),
    }
}

pub(super) fn key(k: &SubjectPublicKeyInfo<'_>) -> String {
    match k.parsed() {
        Ok(PublicKey::RSA(r)) => format!("rsa{}", r.key_size()),
        Ok(PublicKey::EC(e)) => format!("ec{}", e.key_size()),
        Ok(PublicKey::DSA(_)) => "dsa".to_owned(),
        _ => k.algorithm.algorithm.to_id_string(),
    }
}
