//! What a server does beside choosing a suite.
use super::ask::{Asker, Over, Said, Until};
use super::lists::{Usual, accepted, plain};
use crate::model::{
    Observation, Sha256Digest,
    observation::{
        TlsVersion,
        tls::{Standing, TlsFeature as F},
    },
};
use crate::scan::{
    codec::tls_flight::{self, Extras, FALLBACK, Hello, UNPADDED_HEARTBEAT},
    net::Trouble,
};
use std::time::Duration;

/// A name that no device has (RFC 6761).
const FOREIGN: &str = "patuh.invalid";
/// TLS_EMPTY_RENEGOTIATION_INFO_SCSV.
const SIGNAL: u16 = 0x00ff;
const INAPPROPRIATE_FALLBACK: u8 = 86;
/// A server that answers a heartbeat does so at once.
const BEAT: Duration = Duration::from_millis(600);

fn put(a: &Asker<'_>, feature: F, version: Option<TlsVersion>, standing: Standing, tape: &Sha256Digest) {
    a.ctx.record(a.at.endpoint, Observation::TlsFeature { feature, version, standing }, Some(tape.clone()));
}

fn yes(there: bool) -> Standing {
    if there { Standing::Present } else { Standing::Absent }
}

/// What else of a flight is of use.
pub struct Shown {
    pub chain: Vec<Vec<u8>>,
    pub asks_certificate: bool,
    pub tape: Sha256Digest,
}

/// All that one whole flight before TLS 1.3 shows. Returns its certificates, whether it asks for one, and the tape.
pub async fn of_flight(a: &Asker<'_>, version: TlsVersion, suites: &[u16]) -> Result<Option<Shown>, Over> {
    let usual = Usual::new(version);
    let mut offered = suites.to_vec();
    if version == TlsVersion::Ssl3 {
        // Its hello has no extensions, so that this suite stands for one (RFC 5746, 3.3).
        offered.push(SIGNAL);
    }
    let plain = plain(version, &offered, &usual.groups, &usual.schemes);
    let full = Hello { extras: Extras::All, compressions: &[1, 0], ..plain.clone() };
    let (said, tape) = match a.ask(&full, Until::Done).await? {
        // Some stacks cannot bear a hello with more than they know.
        (Said::Alert(_) | Said::Closed, _) => a.ask(&plain, Until::Done).await?,
        said => said,
    };
    let Some(flight) = accepted(&said, version) else { return Ok(None) };
    let has = |id: u16| flight.extensions.contains(&id);
    let all = [
        (F::Compression, flight.compression != 0),
        (F::SecureRenegotiation, has(0xff01)),
        (F::ExtendedMasterSecret, has(23)),
        (F::SessionTickets, has(35)),
        (F::OcspStaple, flight.stapled),
        (F::ClientCertificate, flight.asks_certificate),
        (F::Heartbeat, has(15)),
    ];
    for (feature, there) in all {
        // What comes late in the flight is absent only from a whole one.
        let late = matches!(feature, F::OcspStaple | F::ClientCertificate);
        let standing = if late && !there && !flight.done { Standing::Unclear } else { yes(there) };
        put(a, feature, Some(version), standing, &tape);
    }
    if has(15) {
        heartbeat(a, version, &full).await;
    }
    Ok(Some(Shown { chain: flight.certificates.clone(), asks_certificate: flight.asks_certificate, tape }))
}

/// A server that answers a heartbeat without padding does not know the lengths of what it reads (CVE-2014-0160).
async fn heartbeat(a: &Asker<'_>, version: TlsVersion, hello: &Hello<'_>) {
    let seen = async {
        let mut wire = super::super::starttls::open(a.ctx, a.at).await?;
        wire.send(&hello.record(&rand::random())).await?;
        let done = |b: &[u8]| matches!(tls_flight::reply(b, super::ask::kex), tls_flight::Reply::Flight(f) if f.done);
        wire.collect(BEAT * 4, BEAT * 8, 64 * 1024, done).await?;
        wire.send(UNPADDED_HEARTBEAT).await?;
        let got = wire.collect(BEAT, BEAT, 4096, tls_flight::has_heartbeat).await.unwrap_or_default();
        Ok::<_, Trouble>((tls_flight::has_heartbeat(&got), wire.close().await))
    };
    match seen.await {
        Ok((there, tape)) => put(a, F::UnpaddedHeartbeat, Some(version), yes(there), &tape),
        Err(t) => a.ctx.trouble(None, a.at.endpoint, &t),
    }
}

/// Whether a client with a foreign name gets on.
pub async fn foreign_name(a: &Asker<'_>, version: TlsVersion, suites: &[u16]) -> Result<(), Over> {
    let usual = Usual::new(version);
    let hello = Hello { name: Some(FOREIGN), ..plain(version, suites, &usual.groups, &usual.schemes) };
    let (said, tape) = a.ask(&hello, Until::Hello).await?;
    put(a, F::ForeignName, Some(version), yes(accepted(&said, version).is_some()), &tape);
    Ok(())
}

/// Whether a client that says that it fell back is refused (RFC 7507). Only asked where there is a version to fall from.
pub async fn fallback(a: &Asker<'_>, version: TlsVersion, suites: &[u16]) -> Result<(), Over> {
    let usual = Usual::new(version);
    let mut with = suites.to_vec();
    with.push(FALLBACK);
    let (said, tape) = a.ask(&plain(version, &with, &usual.groups, &usual.schemes), Until::Hello).await?;
    let standing = match said {
        Said::Alert(INAPPROPRIATE_FALLBACK) => Standing::Present,
        Said::Flight(_) => Standing::Absent,
        Said::Alert(_) | Said::Closed => Standing::Unclear,
    };
    put(a, F::FallbackScsv, Some(version), standing, &tape);
    Ok(())
}

/// Whether it takes a hello of SSL 2.0.
pub async fn ssl2(a: &Asker<'_>) {
    match a.talk(&tls_flight::ssl2_hello(&rand::random()), Until::Hello).await {
        Ok((bytes, tape)) => put(a, F::Ssl2, None, yes(tls_flight::is_ssl2(&bytes)), &tape),
        Err(Trouble::Silent(_)) => {
            let Ok((_, tape)) = a.talk(&[], Until::Hello).await else { return };
            put(a, F::Ssl2, None, Standing::Unclear, &tape);
        }
        Err(t) => a.ctx.trouble(None, a.at.endpoint, &t),
    }
}
