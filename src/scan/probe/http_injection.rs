//! Whether a parameter of a page that anybody gets reaches a shell: told by the time of the answer alone.
use super::{Probe, html, inside::is_harmless, web::get};
use crate::model::{
    Observation, Sha256Digest, Touch, Why,
    observation::{
        clean,
        web::{Injection, Timed},
    },
};
use crate::scan::{
    net::Trouble,
    session::{Ctx, Identified},
};
use std::{collections::BTreeSet, time::Duration};
use tokio::time::Instant;

pub const PROBE: Probe = Probe {
    id: "http-injection",
    version: 1,
    title: "parameters that reach a shell",
    page: include_str!("http_injection.md"),
    touch: Touch::Stress,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

/// Parameters of one server that are tried.
const MOST: usize = 4;
/// What stands before the command, by the ways in which shells take one (`*` is the command).
const WAYS: [&str; 4] = ["%3B*%3B", "%7C*", "%24(*)", "%26%26*"];
/// For how long the command waits. Nothing else is ever asked of a shell.
const SECONDS: u64 = 5;
/// A difference that a busy device does not make by chance.
const LATER: Duration = Duration::from_secs(4);
/// Pairs of answers, the quick and the slow one in turn, before a way counts.
const PAIRS: usize = 3;

async fn run(ctx: &Ctx) {
    if ctx.session.scope.malformed.is_none() {
        return ctx.gap(None, Why::TooIntrusive);
    }
    ctx.each_service(ctx.services_named(&["http"]), |s| async move { look(ctx, &s).await }).await;
}

async fn look(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let first = get(ctx, s, "/").await?;
    for Parameter { before, name } in parameters(&first.text()).into_iter().take(MOST) {
        for way in WAYS {
            let (times, tape) = pairs(ctx, s, &before, way).await?;
            let injection =
                Injection { path: clean(&before, 200), parameter: clean(&name, 60), way: way.to_owned(), times };
            ctx.record(s.endpoint, Observation::HttpInjection { injection }, Some(tape));
        }
    }
    Ok(())
}

/// Pairs of times, as long as the second answer comes that much later.
async fn pairs(ctx: &Ctx, s: &Identified, before: &str, way: &str) -> Result<(Vec<Timed>, Sha256Digest), Trouble> {
    let mut times = Vec::new();
    loop {
        let (quick, _) = timed(ctx, s, &asked(before, way, 0)).await?;
        let (slow, tape) = timed(ctx, s, &asked(before, way, SECONDS)).await?;
        times.push(Timed { quick_ms: millis(quick), slow_ms: millis(slow) });
        if times.len() == PAIRS || slow.saturating_sub(quick) < LATER {
            return Ok((times, tape));
        }
    }
}

fn asked(before: &str, way: &str, seconds: u64) -> String {
    format!("{before}1{}", way.replace('*', &format!("sleep%20{seconds}")))
}

async fn timed(ctx: &Ctx, s: &Identified, path: &str) -> Result<(Duration, Sha256Digest), Trouble> {
    let started = Instant::now();
    let reply = get(ctx, s, path).await?;
    Ok((started.elapsed(), reply.transcript))
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

/// A parameter, and the path up to its value.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Parameter {
    before: String,
    name: String,
}

/// The parameters of links and of forms by GET on a page, each of one page once.
fn parameters(page: &str) -> BTreeSet<Parameter> {
    let page = html::read(page);
    let fits = |path: &str| is_harmless(path) && path.len() < 200 && path.bytes().all(|b| b.is_ascii_graphic());
    let links = page.links.iter().filter(|l| fits(l)).filter_map(|l| {
        let (path, query) = l.split('#').next()?.split_once('?')?;
        Some((path.to_owned(), query.split(['&', ';']).next()?.split('=').next()?.to_owned()))
    });
    let gets =
        page.forms.iter().filter(|f| matches!(f.method.as_str(), "" | "get") && !f.has("password") && fits(&f.action));
    let forms = gets.flat_map(|f| {
        let texts = f.inputs.iter().filter(|i| matches!(i.0.as_str(), "" | "text" | "search" | "url"));
        texts.map(|i| (f.action.split('?').next().unwrap_or_default().to_owned(), i.1.clone()))
    });
    let named = links
        .chain(forms)
        .filter(|(_, name)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    named.map(|(path, name)| Parameter { before: format!("{path}?{name}="), name }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_harmless_links_and_forms_are_found_and_no_others() {
        let page = "<a href='/ping?host=192.0.2.1&n=3'>p</a><a href='/reboot?now=1'>r</a><a href='/plain'>x</a>\
            <form action='/search'><input type=text name=q><input type=submit name=go></form>\
            <form action='/in' method=get><input name=user><input type=password name=pw></form>\
            <form action='/set' method=post><input name=ssid></form>";
        let all: Vec<String> = parameters(page).into_iter().map(|p| p.before).collect();
        assert_eq!(all, ["/ping?host=", "/search?q="]);
        assert_eq!(asked("/ping?host=", "%3B*%3B", 5), "/ping?host=1%3Bsleep%205%3B");
    }
}
