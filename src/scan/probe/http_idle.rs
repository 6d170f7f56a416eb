//! Whether a session that is left alone ends. Only where the scope says how long to wait.
use super::{
    Probe,
    accounts::one,
    login::{
        Door, doors,
        session::{Session, has_sessions, open},
    },
};
use crate::model::{Observation, Touch, Why, observation::access::SessionIdle};
use crate::scan::{net::Trouble, session::Ctx};
use std::time::Duration;
use tokio::time::Instant;

pub const PROBE: Probe = Probe {
    id: "http-idle",
    version: 1,
    title: "whether idle sessions end",
    page: include_str!("http_idle.md"),
    touch: Touch::LogIn,
    subjects_from: &["tcp-ports", "service-identify", "http-surface", "json-logins", "logins"],
    run: |ctx| Box::pin(run(ctx)),
};

async fn run(ctx: &Ctx) {
    let Some(seconds) = ctx.session.scope.idle_seconds else { return ctx.gap(None, Why::NotSupplied) };
    let mut left: Vec<(Door, Session, Instant)> = Vec::new();
    for door in doors(ctx).into_iter().filter(has_sessions) {
        let at = door.endpoint();
        if let Some(why) = ctx.leave(at).await {
            ctx.gap(Some(at.into()), why);
        } else if ctx.lock_signs() {
            ctx.gap(Some(at.into()), Why::NotUnderstood("another service showed signs of a lock".to_owned()));
        } else {
            match enter(ctx, &door).await {
                Ok(Some(session)) => left.push((door, session, Instant::now())),
                Ok(None) => ctx.gap(Some(at.into()), Why::NotSupplied),
                Err(t) => ctx.trouble(None, at, &t),
            }
        }
    }
    // All of them are left alone at once.
    if !left.is_empty() {
        tokio::time::sleep(Duration::from_secs(seconds.into())).await;
    }
    for (door, session, since) in left {
        let idle_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        match session.get(ctx, &door, &session.page).await {
            Ok(reply) => {
                let open = super::login::http::is_open(&reply);
                let idle = SessionIdle { path: door.path(), idle_ms, open };
                ctx.record(door.endpoint(), Observation::SessionIdle { idle }, Some(reply.transcript));
            }
            Err(t) => ctx.trouble(None, door.endpoint(), &t),
        }
        session.leave(ctx, &door).await;
    }
}

async fn enter(ctx: &Ctx, door: &Door) -> Result<Option<Session>, Trouble> {
    match one(ctx, door)? {
        Some(who) => open(ctx, door, &who).await.map(Some),
        None => Ok(None),
    }
}
