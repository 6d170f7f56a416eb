//! Whether the answers to wrong log-ins tell which accounts there are.
use super::{
    Probe,
    accounts::{Known, one},
    login::{Door, answered::wrong, doors, session},
};
use crate::model::{
    Observation, Touch, Why,
    observation::{Mechanism, access::UserNames},
};
use crate::scan::{
    net::{Trouble, http::Reply},
    session::Ctx,
};
use regex::Regex;
use std::sync::LazyLock;

pub const PROBE: Probe = Probe {
    id: "http-names",
    version: 1,
    title: "whether refusals name accounts",
    page: include_str!("http_names.md"),
    touch: Touch::LogIn,
    subjects_from: &["tcp-ports", "service-identify", "http-surface", "json-logins", "logins"],
    run: |ctx| Box::pin(run(ctx)),
};

/// How many of each kind: what one answer alone does is no pattern.
const EACH: u32 = 2;

async fn run(ctx: &Ctx) {
    let asked = |m| matches!(m, Mechanism::HttpBasic | Mechanism::HttpForm | Mechanism::HttpJson);
    for door in doors(ctx).iter().filter(|d| asked(d.mechanism())) {
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

/// What of a refusal can tell one from another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    status: u16,
    location: String,
    cookies: Vec<String>,
    text: String,
}

async fn look(ctx: &Ctx, door: &Door, who: &Known) -> Result<(), Trouble> {
    let (mut real, mut made_up, mut tape) = (Vec::new(), Vec::new(), None);
    // In turn, so that what only time changes changes both.
    for _ in 0..EACH {
        let name = format!("patuh{:06x}", rand::random::<u32>() & 0xff_ffff);
        made_up.push(signature(&wrong(ctx, door, &name).await?, &name));
        // Charged as any wrong guess is: where the budget is spent it is not made.
        if ctx.charge(&who.user).is_err() {
            return Err(Trouble::NotUnderstood("the budget of the account was spent".to_owned()));
        }
        let reply = wrong(ctx, door, &who.user).await?;
        if matches!(reply.status, 423 | 429 | 503) {
            ctx.lock_sign();
            return Err(Trouble::NotUnderstood("the device showed signs of a lock".to_owned()));
        }
        real.push(signature(&reply, &who.user));
        tape = Some(reply.transcript);
    }
    let alike = |all: &[Signature]| all.windows(2).all(|w| matches!(w, [a, b] if a == b));
    let names = UserNames {
        path: door.path(),
        mechanism: door.mechanism(),
        real: EACH,
        made_up: EACH,
        real_alike: alike(&real),
        made_up_alike: alike(&made_up),
        differ: real.first().zip(made_up.first()).map(|(a, b)| differ(a, b)).unwrap_or_default(),
    };
    ctx.record(door.endpoint(), Observation::UserNames { names }, tape);
    // So that a device that counts failures in a row forgets these.
    if session::has_sessions(door) {
        session::open(ctx, door, who).await?.leave(ctx, door).await;
    }
    Ok(())
}

fn differ(a: &Signature, b: &Signature) -> Vec<String> {
    let mut all = Vec::new();
    if a.status != b.status {
        all.push(format!("status {} and {}", a.status, b.status));
    }
    if a.location != b.location {
        all.push("where they lead".to_owned());
    }
    if a.cookies != b.cookies {
        all.push("the cookies that are set".to_owned());
    }
    if a.text != b.text {
        all.push("the words".to_owned());
    }
    all
}

static TAGS: LazyLock<Regex> = LazyLock::new(|| crate::scan::data::pattern("tags", "(?s)<[^>]*>"));
static NUMBERS: LazyLock<Regex> = LazyLock::new(|| crate::scan::data::pattern("numbers", "[0-9]+"));

fn signature(reply: &Reply, user: &str) -> Signature {
    let set = reply.headers.get_all("set-cookie").iter().filter_map(|v| v.to_str().ok());
    let mut cookies: Vec<String> = set.map(|c| c.split('=').next().unwrap_or_default().to_owned()).collect();
    cookies.sort();
    let location = neutral(reply.header("location").split('?').next().unwrap_or_default(), user);
    Signature { status: reply.status, location, cookies, text: neutral(&reply.text(), user) }
}

/// Words alone: without tags (forms hold tokens), without the name that was given, without numbers.
fn neutral(text: &str, user: &str) -> String {
    let text = TAGS.replace_all(text, " ").to_lowercase().replace(&user.to_lowercase(), "NAME");
    NUMBERS.replace_all(&text, "0").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_a_number_and_the_name_itself_are_no_difference_and_other_words_are() {
        let page = |name: &str, token: &str, left: u8| {
            format!("<p>No entry for {name}, {left} tries left.</p><input type=hidden value={token}>")
        };
        assert_eq!(neutral(&page("admin", "a1", 3), "admin"), neutral(&page("patuh00ff", "b2", 2), "patuh00ff"));
        assert_ne!(neutral("wrong password", "admin"), neutral("unknown user", "patuh00ff"));
    }
}
