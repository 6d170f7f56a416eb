//! Which TLS versions and suite families a server really accepts.
use super::{
    Probe,
    starttls::{self, Place},
};
use crate::model::{
    Observation, Sha256Digest, Touch,
    observation::{TlsAnswer, TlsVersion},
};
use crate::scan::{
    codec::tls::{Answer, Offer, answer, client_hello, suite},
    net::Trouble,
    session::{Ctx, FIRST_BYTE},
};
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "tls-versions",
    version: 1,
    title: "TLS versions and suites",
    page: include_str!("tls_versions.md"),
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
            for version in TlsVersion::ALL {
                let mut offers = vec![Offer::All];
                if version == TlsVersion::Tls12 {
                    offers.insert(0, Offer::Modern);
                }
                for offer in offers {
                    match ask(ctx, at, version, offer).await {
                        Ok((answer, tape)) => {
                            let accepted = matches!(answer, TlsAnswer::Accepted { .. });
                            // A refused modern-only offer says nothing yet: the wide one follows.
                            if accepted || offer == Offer::All {
                                ctx.record(e, Observation::Tls { version, answer }, Some(tape));
                            }
                            if accepted {
                                break;
                            }
                        }
                        Err(t) => ctx.trouble(None, e, &t),
                    }
                }
            }
        },
    )
    .await;
}

/// Sends one hello and reads the first answer.
pub async fn ask(
    ctx: &Ctx,
    at: Place,
    version: TlsVersion,
    offer: Offer,
) -> Result<(TlsAnswer, Sha256Digest), Trouble> {
    let mut wire = starttls::open(ctx, at).await?;
    let sent = wire.send(&client_hello(version, offer, &rand::random())).await;
    let whole = |b: &[u8]| answer(b) != Answer::More;
    let got = match sent {
        Ok(()) => wire.collect(FIRST_BYTE, Duration::from_secs(10), 64 * 1024, whole).await,
        Err(t) => Err(t),
    };
    let tape = wire.close().await;
    let answer = match got {
        Err(Trouble::Closed | Trouble::Refused) => TlsAnswer::Closed,
        Err(Trouble::Silent(_)) => TlsAnswer::Silent,
        Err(other) => return Err(other),
        Ok(bytes) => match answer(&bytes) {
            Answer::Hello { version: Some(v), suite: number } if v == version => {
                let (suite, forward_secrecy, aead) = suite(number);
                TlsAnswer::Accepted { suite, forward_secrecy, aead }
            }
            Answer::Hello { version: other, .. } => {
                TlsAnswer::OtherVersion { chosen: other.map_or("unknown", TlsVersion::word).to_owned() }
            }
            Answer::Alert { description } => TlsAnswer::Alert { description },
            Answer::NotTls => TlsAnswer::NotTls,
            Answer::More => TlsAnswer::Closed,
        },
    };
    Ok((answer, tape))
}
