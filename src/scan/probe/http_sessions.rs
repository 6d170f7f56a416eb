//! Sessions of log-in forms: what carries them, whether a log-in renews them and a logout ends them.
use super::{
    Probe,
    accounts::{Known, one},
    html,
    login::{
        Door, doors,
        http::{Entered, enter, is_open, with_cookies},
    },
    web::policy::cookies,
};
use crate::model::{
    Observation, Touch, Why,
    observation::{
        Mechanism, clean,
        web::{Cookie, Logout, WebSession},
    },
};
use crate::scan::{net::Trouble, session::Ctx};

pub const PROBE: Probe = Probe {
    id: "http-sessions",
    version: 1,
    title: "sessions of log-in forms",
    page: include_str!("http_sessions.md"),
    touch: Touch::LogIn,
    subjects_from: &["tcp-ports", "service-identify", "http-surface", "json-logins", "rtsp-streams", "logins"],
    run: |ctx| Box::pin(run(ctx)),
};

async fn run(ctx: &Ctx) {
    for door in doors(ctx).iter().filter(|d| d.mechanism() == Mechanism::HttpForm) {
        if let Some(why) = ctx.leave(door.endpoint()).await {
            ctx.gap(Some(door.endpoint().into()), why);
        } else if ctx.lock_signs() {
            let why = "another service showed signs of a lock".to_owned();
            ctx.gap(Some(door.endpoint().into()), Why::NotUnderstood(why));
        } else {
            match one(ctx, door) {
                Ok(Some(who)) => {
                    if let Err(t) = look(ctx, door, &who).await {
                        ctx.trouble(None, door.endpoint(), &t);
                    }
                }
                Ok(None) => ctx.gap(Some(door.endpoint().into()), Why::NotSupplied),
                Err(t) => ctx.trouble(None, door.endpoint(), &t),
            }
        }
    }
}

async fn look(ctx: &Ctx, door: &Door, who: &Known) -> Result<(), Trouble> {
    let unread = |why: &str| Err(Trouble::NotUnderstood(why.to_owned()));
    let ticket = who.charge(ctx)?;
    let Ok(entered) = enter(ctx, door, &who.user, &who.secret).await? else {
        return unread("the login form was not shown");
    };
    let Entered { posted, before, jar, target } = entered;
    let inside = with_cookies(ctx, door, &target, &jar).await?;
    if !is_open(&inside) || is_open(&with_cookies(ctx, door, &target, &[]).await?) {
        return unread("no page tells a session from none");
    }
    who.accepted(ctx, ticket);
    let mut carrying = Vec::new();
    for cookie in &jar {
        let others: Vec<String> = jar.iter().filter(|c| *c != cookie).cloned().collect();
        if !is_open(&with_cookies(ctx, door, &target, &others).await?) {
            carrying.push(cookie.clone());
        }
    }
    let logout = leave(ctx, door, &target, &jar, &inside.text()).await?;
    let session = WebSession {
        path: clean(&door.path(), 200),
        tls: door.tls(),
        cookies: carrying.iter().map(|c| described(c, &cookies(&posted))).collect(),
        kept: !carrying.is_empty() && carrying.iter().all(|c| before.contains(c)),
        logout,
    };
    ctx.record(door.endpoint(), Observation::WebSession { session }, Some(posted.transcript));
    Ok(())
}

/// What the log-in said of a cookie; nothing where it had been set before.
fn described(cookie: &str, set: &[Cookie]) -> Cookie {
    let name = clean(cookie.split('=').next().unwrap_or_default(), 60);
    set.iter().find(|c| c.name == name).cloned().unwrap_or(Cookie { name, ..Cookie::default() })
}

/// Follows the page's own link out, and shows the old session again.
async fn leave(ctx: &Ctx, door: &Door, target: &str, jar: &[String], page: &str) -> Result<Logout, Trouble> {
    let leads_out = |l: &&String| {
        let l = l.to_ascii_lowercase();
        l.starts_with('/') && !l.starts_with("//") && ["logout", "logoff", "signout"].iter().any(|w| l.contains(w))
    };
    let Some(link) = html::read(page).links.into_iter().find(|l| leads_out(&l)) else { return Ok(Logout::NotFound) };
    with_cookies(ctx, door, &link, jar).await?;
    let again = with_cookies(ctx, door, target, jar).await?;
    Ok(if is_open(&again) { Logout::StaysOpen } else { Logout::Ends })
}
