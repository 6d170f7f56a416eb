//! What is behind a log-in, and who else gets there.
use super::{
    Probe, accounts,
    accounts::Known,
    html,
    inside::{is_harmless, pages},
    login::{
        Door, doors,
        http::is_open,
        session::{Session, has_sessions, open},
    },
};
use crate::model::{
    Observation, Touch, Why,
    observation::{
        access::{Gets, InsidePage, InsidePages},
        clean,
    },
    scope::Role,
};
use crate::scan::{
    net::{
        Trouble,
        http::{Reply, Request},
    },
    session::Ctx,
};
use std::collections::BTreeSet;

pub const PROBE: Probe = Probe {
    id: "http-inside",
    version: 1,
    title: "pages behind the log-in",
    page: include_str!("http_inside.md"),
    touch: Touch::LogIn,
    subjects_from: &["tcp-ports", "service-identify", "http-surface", "json-logins", "logins"],
    run: |ctx| Box::pin(run(ctx)),
};

async fn run(ctx: &Ctx) {
    for door in doors(ctx).iter().filter(|d| has_sessions(d)) {
        let at = door.endpoint();
        if let Some(why) = ctx.leave(at).await {
            ctx.gap(Some(at.into()), why);
        } else if ctx.lock_signs() {
            ctx.gap(Some(at.into()), Why::NotUnderstood("another service showed signs of a lock".to_owned()));
        } else if let Err(t) = look(ctx, door).await {
            ctx.trouble(None, at, &t);
        }
    }
}

async fn look(ctx: &Ctx, door: &Door) -> Result<(), Trouble> {
    let all = accounts::all(ctx, door)?;
    let Some(admin) = all.iter().find(|k| k.role == Role::Admin) else {
        ctx.gap(Some(door.endpoint().into()), Why::NotSupplied);
        return Ok(());
    };
    let session = open(ctx, door, admin).await?;
    let seen = pages(ctx, door, &session).await?;
    let transcript = session.shown.transcript.clone();
    session.leave(ctx, door).await;
    let lower = match all.iter().find(|k| k.role == Role::User) {
        Some(user) => Some(Lower::enter(ctx, door, user).await?),
        None => {
            ctx.gap_of("roles", Some(door.endpoint().into()), Why::NotSupplied);
            None
        }
    };
    let mut pages = Vec::new();
    for (path, reply) in &seen {
        let nobody = ctx.http(door.at(), Request::get(door.host(), path), &[]).await?;
        let (sets, sets_password) = forms(reply);
        let mut page = InsidePage {
            path: clean(path, 200),
            sets,
            sets_password,
            nobody: gets(&nobody, reply),
            user: None,
            linked_for_user: false,
        };
        if let Some(lower) = &lower {
            page.user = Some(gets(&lower.session.get(ctx, door, path).await?, reply));
            page.linked_for_user = lower.links.contains(path);
        }
        pages.push(page);
    }
    if let Some(lower) = lower {
        lower.session.leave(ctx, door).await;
    }
    let pages = InsidePages { path: door.path(), account: admin.words(), listed: admin.is_listed(), pages };
    ctx.record(door.endpoint(), Observation::InsidePages { pages }, Some(transcript));
    Ok(())
}

/// The session of an account with fewer rights, and where its own pages lead.
struct Lower {
    session: Session,
    links: BTreeSet<String>,
}

impl Lower {
    async fn enter(ctx: &Ctx, door: &Door, user: &Known) -> Result<Self, Trouble> {
        let session = open(ctx, door, user).await?;
        let mut links = BTreeSet::from([session.page.clone()]);
        for (path, reply) in pages(ctx, door, &session).await? {
            links.insert(path);
            links.extend(html::read(&reply.text()).links.into_iter().filter(|l| is_harmless(l)));
        }
        Ok(Self { session, links })
    }
}

/// Whether a page sets something, and whether the password.
fn forms(reply: &Reply) -> (bool, bool) {
    let page = html::read(&reply.text());
    let passwords = |f: &html::Form| f.inputs.iter().filter(|i| i.0 == "password").count();
    let posts = || page.forms.iter().filter(|f| f.method == "post");
    (posts().any(|f| passwords(f) < 2), posts().any(|f| passwords(f) >= 2))
}

/// The same page, but for what changes each time: numbers, and values inside tags.
fn gets(theirs: &Reply, ours: &Reply) -> Gets {
    if !is_open(theirs) {
        return Gets::Refused;
    }
    let skeleton = |r: &Reply| -> Vec<String> {
        let text = r.text();
        let words = text.split(|c: char| !c.is_alphabetic()).filter(|w| w.len() > 2);
        // A token in hex or Base64 is broken into pieces that differ; words of a page are whole.
        words.filter(|w| w.len() < 20).map(str::to_lowercase).collect()
    };
    let (a, b): (BTreeSet<String>, BTreeSet<String>) =
        (skeleton(theirs).into_iter().collect(), skeleton(ours).into_iter().collect());
    let (both, either) = (a.intersection(&b).count(), a.union(&b).count());
    // Four of five words in common (a name and a token may differ).
    if both * 5 >= either * 4 { Gets::Same } else { Gets::Other }
}
