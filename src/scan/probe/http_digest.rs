//! How servers use Digest: whether challenges are new each time, and an answer is taken once.
use super::{
    Probe,
    accounts::{Known, one},
    login::{
        Door,
        digest::{answer, parameter},
        doors,
    },
};
use crate::model::{
    Observation, Sha256Digest, Touch, Why,
    observation::{
        Mechanism,
        access::{DigestUse, Replay},
        clean,
    },
};
use crate::scan::{
    net::{Trouble, http::Request},
    session::Ctx,
};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;

pub const PROBE: Probe = Probe {
    id: "http-digest",
    version: 1,
    title: "how Digest is used",
    page: include_str!("http_digest.md"),
    touch: Touch::LogIn,
    subjects_from: &["tcp-ports", "service-identify", "http-surface", "logins"],
    run: |ctx| Box::pin(run(ctx)),
};

const CHALLENGES: u32 = 10;

async fn run(ctx: &Ctx) {
    for door in doors(ctx).iter().filter(|d| d.mechanism() == Mechanism::HttpDigest) {
        if let Some(why) = ctx.leave(door.endpoint()).await {
            ctx.gap(Some(door.endpoint().into()), why);
        } else if let Err(t) = look(ctx, door).await {
            ctx.trouble(None, door.endpoint(), &t);
        }
    }
}

async fn look(ctx: &Ctx, door: &Door) -> Result<(), Trouble> {
    let mut seen = DigestUse { path: door.path(), tls: door.tls(), qop: true, ..DigestUse::default() };
    let (mut nonces, mut algorithms, mut tape) = (BTreeSet::new(), BTreeSet::new(), None);
    for _ in 0..CHALLENGES {
        let (challenge, transcript) = challenge(ctx, door).await?;
        nonces.insert(parameter(&challenge, "nonce"));
        let algorithm = parameter(&challenge, "algorithm");
        algorithms.insert(if algorithm.is_empty() { "MD5".to_owned() } else { clean(&algorithm, 20) });
        seen.qop &= parameter(&challenge, "qop").split(',').any(|q| q.trim() == "auth");
        tape = Some(transcript);
    }
    (seen.challenges, seen.distinct) = (CHALLENGES, u32::try_from(nonces.len()).unwrap_or(u32::MAX));
    seen.algorithms = algorithms.into_iter().collect();
    if ctx.lock_signs() {
        ctx.gap_of("replay", Some(door.endpoint().into()), Why::NotUnderstood("signs of a lock".to_owned()));
    } else if let Some(who) = one(ctx, door)? {
        seen.replays = replays(ctx, door, &who).await?;
    }
    ctx.record(door.endpoint(), Observation::DigestUse { digest: seen }, tape);
    Ok(())
}

async fn challenge(ctx: &Ctx, door: &Door) -> Result<(String, Sha256Digest), Trouble> {
    let reply = ctx.http(door.at(), Request::get(door.host(), &door.path()), &[]).await?;
    let mut all = reply.headers.get_all("www-authenticate").iter().filter_map(|v| v.to_str().ok());
    match all.find(|h| h.to_ascii_lowercase().starts_with("digest")) {
        Some(found) => Ok((found.to_owned(), reply.transcript)),
        None => Err(Trouble::NotUnderstood("no Digest challenge this time".to_owned())),
    }
}

/// Shows one right answer, and the same again: after a second, and after the time that the scope gives.
async fn replays(ctx: &Ctx, door: &Door, who: &Known) -> Result<Vec<Replay>, Trouble> {
    let (challenge, _) = challenge(ctx, door).await?;
    let Some(right) = answer(&challenge, "GET", &door.path(), &who.user, &who.secret) else {
        return Err(Trouble::NotUnderstood("the challenge could not be answered".to_owned()));
    };
    let ticket = who.charge(ctx)?;
    let hidden = [right.response.clone().into_bytes()];
    let show = async || {
        let path = door.path();
        let mut request = Request::get(door.host(), &path);
        request.headers.push(("authorization", right.header.clone()));
        ctx.http(door.at(), request, &hidden).await
    };
    if !matches!(show().await?.status, 200..=399) {
        return Err(Trouble::NotUnderstood(format!("{} was not accepted", who.words())));
    }
    who.accepted(ctx, ticket);
    let since = Instant::now();
    let mut all = Vec::new();
    for wait in [Some(1), ctx.session.scope.idle_seconds].into_iter().flatten() {
        tokio::time::sleep(Duration::from_secs(wait.into())).await;
        // A refused replay may count as a failure.
        let ticket = who.charge(ctx)?;
        let taken = matches!(show().await?.status, 200..=399);
        if taken {
            who.accepted(ctx, ticket);
        }
        all.push(Replay { after_ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX), taken });
        if !taken {
            break;
        }
    }
    Ok(all)
}
