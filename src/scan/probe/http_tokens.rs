//! Whether sessions of web interfaces can be guessed: several log-ins, beside each other.
use super::{
    Probe,
    accounts::{Known, one},
    login::{
        Door, doors,
        session::{Session, has_sessions, open, way_out},
    },
};
use crate::model::{Observation, Touch, Why, scope::Pace};
use crate::scan::{
    clock,
    net::Trouble,
    session::Ctx,
    tokens::{Around, compare},
};
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "http-tokens",
    version: 1,
    title: "how sessions are made",
    page: include_str!("http_tokens.md"),
    touch: Touch::LogIn,
    subjects_from: &["tcp-ports", "service-identify", "http-surface", "json-logins", "logins"],
    run: |ctx| Box::pin(run(ctx)),
};

/// As many as an estimate needs.
const ENOUGH: usize = 40;
/// As many as a device may keep that shows no way out.
const FEW: usize = 8;

async fn run(ctx: &Ctx) {
    for door in doors(ctx).iter().filter(|d| has_sessions(d)) {
        let at = door.endpoint();
        if let Some(why) = ctx.leave(at).await {
            ctx.gap(Some(at.into()), why);
        } else if ctx.lock_signs() {
            ctx.gap(Some(at.into()), Why::NotUnderstood("another service showed signs of a lock".to_owned()));
        } else {
            match one(ctx, door) {
                Ok(Some(who)) => {
                    if let Err(t) = look(ctx, door, &who).await {
                        ctx.trouble(None, at, &t);
                    }
                }
                Ok(None) => ctx.gap(Some(at.into()), Why::NotSupplied),
                Err(t) => ctx.trouble(None, at, &t),
            }
        }
    }
}

fn seconds() -> i64 {
    clock::now().parse::<jiff::Timestamp>().map(|t| t.as_second()).unwrap_or_default()
}

async fn look(ctx: &Ctx, door: &Door, who: &Known) -> Result<(), Trouble> {
    let from = seconds();
    let first = open(ctx, door, who).await?;
    let names = carrying(ctx, door, &first).await?;
    let wanted = if way_out(&first.shown).is_some() || first.posted().is_none() { ENOUGH } else { FEW };
    let transcript = first.shown.transcript.clone();
    let mut tokens = vec![value(&first, &names)];
    first.leave(ctx, door).await;
    while tokens.len() < wanted && !ctx.session.stopped() {
        if ctx.session.scope.pace == Pace::Gentle {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
        let next = open(ctx, door, who).await?;
        tokens.push(value(&next, &names));
        next.leave(ctx, door).await;
    }
    let words = vec![door.endpoint().host.to_string()];
    let around = Around { user: who.user.clone(), words, from, to: seconds() };
    let tokens = compare(&door.path(), &tokens, &around);
    ctx.record(door.endpoint(), Observation::SessionTokens { tokens }, Some(transcript));
    Ok(())
}

/// The cookies without which the page closes again: others say nothing of a session.
async fn carrying(ctx: &Ctx, door: &Door, session: &Session) -> Result<Vec<String>, Trouble> {
    let all = session.cookies();
    if all.len() < 2 {
        return Ok(all.iter().map(|c| name(c)).collect());
    }
    let mut names = Vec::new();
    for cookie in &all {
        if !session.opens_without(ctx, door, cookie).await? {
            names.push(name(cookie));
        }
    }
    match names.is_empty() {
        true => Err(Trouble::NotUnderstood("no cookie alone carries the session".to_owned())),
        false => Ok(names),
    }
}

fn name(cookie: &str) -> String {
    cookie.split('=').next().unwrap_or_default().to_owned()
}

fn value(session: &Session, names: &[String]) -> String {
    let all = session.cookies();
    let carrying = all.iter().filter_map(|c| c.split_once('=')).filter(|(n, _)| names.iter().any(|k| k == n));
    carrying.map(|(_, v)| v).collect::<Vec<_>>().join("")
}
