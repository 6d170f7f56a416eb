//! Log-ins that take JSON: which path takes one, and what stays closed without it.
use super::{Probe, login::json::post};
use crate::model::{Observation, Touch, observation::clean};
use crate::scan::{
    data::builtin,
    net::{
        Trouble,
        http::{Reply, Request},
    },
    session::{Ctx, Identified},
};
use serde::Deserialize;
use std::sync::LazyLock;

pub const PROBE: Probe = Probe {
    id: "json-logins",
    version: 1,
    title: "log-ins that take JSON",
    page: include_str!("json_logins.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify", "http-surface"],
    run: |ctx| Box::pin(run(ctx)),
};

/// Closed paths kept as proof of a session.
const MOST_CLOSED: usize = 4;

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "login")]
    logins: Vec<Login>,
    #[serde(rename = "closed")]
    closed: Vec<Closed>,
}

#[derive(Deserialize)]
struct Login {
    path: String,
    user_field: String,
    password_field: String,
}

#[derive(Deserialize)]
struct Closed {
    path: String,
}

static LIST: LazyLock<Written> =
    LazyLock::new(|| builtin("api-logins.toml", include_str!("../../../profiles/data/api-logins.toml")));

async fn run(ctx: &Ctx) {
    ctx.each(ctx.services_named(&["http"]), |s| s.endpoint, |s| look(ctx, s)).await;
}

async fn look(ctx: &Ctx, s: Identified) {
    if let Err(t) = ask(ctx, &s).await {
        ctx.trouble(Some("http-json"), s.endpoint, &t);
    }
}

/// Posts an empty object: no user and no secret, so that no account counts it.
async fn empty(ctx: &Ctx, s: &Identified, path: &str) -> Result<Reply, Trouble> {
    ctx.http(s, post(s.endpoint.addr().to_string(), path, b"{}".to_vec()), &[]).await
}

async fn ask(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let nowhere = empty(ctx, s, &format!("/api/patuh-{:016x}", rand::random::<u64>())).await?;
    for login in &LIST.logins {
        let reply = empty(ctx, s, &login.path).await?;
        if !takes_json(&reply) || (nowhere.status == reply.status && nowhere.body == reply.body) {
            continue;
        }
        let closed = closed(ctx, s).await?;
        let (user_field, password_field) = (login.user_field.clone(), login.password_field.clone());
        let (path, status) = (clean(&login.path, 200), reply.status);
        let found = Observation::JsonLogin { path, status, user_field, password_field, closed };
        ctx.record(s.endpoint, found, Some(reply.transcript));
        return Ok(());
    }
    Ok(())
}

/// An object in JSON that asks for more than an empty one.
fn takes_json(reply: &Reply) -> bool {
    let object = serde_json::from_slice::<serde_json::Value>(&reply.body).is_ok_and(|v| v.is_object());
    object && matches!(reply.status, 200 | 400 | 401 | 403 | 422)
}

/// Paths that are closed to somebody without a session: those that were seen, then likely ones.
async fn closed(ctx: &Ctx, s: &Identified) -> Result<Vec<String>, Trouble> {
    let page = |r: crate::model::Record| match r.observation {
        Observation::Http { page } if matches!(page.status, 401 | 403) && r.subject == s.endpoint.into() => {
            Some(page.path)
        }
        _ => None,
    };
    let mut found: Vec<String> = ctx.seen("http-surface").into_iter().filter_map(page).take(MOST_CLOSED).collect();
    for row in &LIST.closed {
        if found.len() >= MOST_CLOSED {
            break;
        }
        if found.contains(&row.path) {
            continue;
        }
        let reply = ctx.http(s, Request::get(s.endpoint.addr().to_string(), &row.path), &[]).await?;
        if matches!(reply.status, 401 | 403) {
            found.push(row.path.clone());
        }
    }
    Ok(found)
}
