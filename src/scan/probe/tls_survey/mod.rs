//! What a TLS server accepts and does, version by version, told from its first flights alone.
use super::{
    Probe,
    starttls::{self, Place},
};
use crate::model::{
    Observation, Touch, Why,
    observation::{
        TlsAnswer, TlsVersion,
        tls::{Standing, TlsFeature},
    },
};
use crate::scan::{
    net::tls,
    session::{Ctx, FIRST_BYTE},
};

mod ask;
mod chain;
mod client;
mod features;
mod lists;

use ask::{Asker, Over};
use lists::Taken;

pub const PROBE: Probe = Probe {
    id: "tls-survey",
    version: 1,
    title: "TLS suites, groups and properties",
    page: include_str!("tls_survey.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify", "tls-versions"],
    run: |ctx| Box::pin(run(ctx)),
};

async fn run(ctx: &Ctx) {
    ctx.each(starttls::places(ctx), |p| p.endpoint, |at| look(ctx, at)).await;
}

/// The versions that the server was seen to accept or to choose, the newest first.
fn versions(ctx: &Ctx, at: Place) -> Vec<TlsVersion> {
    let mut all: Vec<TlsVersion> = ctx
        .seen("tls-versions")
        .iter()
        .filter(|r| r.subject.endpoint() == Some(at.endpoint))
        .filter_map(|r| match &r.observation {
            Observation::Tls { version, answer: TlsAnswer::Accepted { .. } } => Some(*version),
            Observation::Tls { answer: TlsAnswer::OtherVersion { chosen }, .. } => TlsVersion::parse(chosen),
            _ => None,
        })
        .collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.dedup();
    all
}

async fn look(ctx: &Ctx, at: Place) {
    let versions = versions(ctx, at);
    let asker = Asker::new(ctx, at);
    if versions.is_empty() {
        let why = "it accepts no version that we know".to_owned();
        return ctx.gap(Some(at.endpoint.into()), Why::NotUnderstood(why));
    }
    // Where the asking ended early, the gap is written.
    if let Ok(asks) = survey(&asker, &versions).await
        && asks == Standing::Present
    {
        client::trials(ctx, at).await;
    }
}

/// Whether the server asks clients for a certificate.
async fn survey(asker: &Asker<'_>, versions: &[TlsVersion]) -> Result<Standing, Over> {
    let (mut asks, mut chain) = (Standing::Absent, None);
    for (n, version) in versions.iter().copied().enumerate() {
        let Taken { suites, .. } = lists::suites(asker, version).await?;
        if suites.is_empty() {
            continue;
        }
        if version > TlsVersion::Ssl3 {
            lists::groups(asker, version, &suites).await?;
        }
        if version == TlsVersion::Tls12 {
            lists::signatures(asker, &suites).await?;
        }
        if n == 1 && version > TlsVersion::Ssl3 {
            features::fallback(asker, version, &suites).await?;
        }
        if version < TlsVersion::Tls13 && chain.is_none() {
            if let Some(shown) = features::of_flight(asker, version, &suites).await? {
                asks = if shown.asks_certificate { Standing::Present } else { asks };
                certificates(asker, &shown.chain, Some(shown.tape.clone()));
                chain = Some(shown);
            }
            features::foreign_name(asker, version, &suites).await?;
        }
    }
    if chain.is_none() {
        return Ok(inside(asker).await);
    }
    features::ssl2(asker).await;
    Ok(asks)
}

fn certificates(asker: &Asker<'_>, chain: &[Vec<u8>], tape: Option<crate::model::Sha256Digest>) {
    match chain::links(chain) {
        // Suites with a shared key show none.
        Ok(links) if links.is_empty() => {}
        Ok(links) => asker.ctx.record(asker.at.endpoint, Observation::TlsChain { links }, tape),
        Err(why) => asker.ctx.gap(Some(asker.at.endpoint.into()), Why::NotUnderstood(why)),
    }
}

/// A server of TLS 1.3 alone shows its certificates inside a handshake only.
async fn inside(asker: &Asker<'_>) -> Standing {
    let wire = match starttls::open(asker.ctx, asker.at).await {
        Ok(wire) => tls::shown(wire, FIRST_BYTE, None).await,
        Err(t) => Err(t),
    };
    match wire {
        Ok((wire, shown)) => {
            let tape = wire.close().await;
            certificates(asker, &shown.chain, Some(tape.clone()));
            let standing = |there| if there { Standing::Present } else { Standing::Absent };
            let (asks, version) = (standing(shown.asks_certificate), Some(TlsVersion::Tls13));
            let both = [(TlsFeature::ClientCertificate, asks), (TlsFeature::OcspStaple, standing(shown.stapled))];
            for (feature, standing) in both {
                let observation = Observation::TlsFeature { feature, version, standing };
                asker.ctx.record(asker.at.endpoint, observation, Some(tape.clone()));
            }
            asks
        }
        Err(t) => {
            asker.ctx.trouble(None, asker.at.endpoint, &t);
            Standing::Unclear
        }
    }
}
