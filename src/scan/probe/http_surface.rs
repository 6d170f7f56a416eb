//! What an HTTP service shows to somebody without credentials.
use super::{
    Probe, html,
    web::{
        exposure::{Asked, Exposure, exposures},
        get, nowhere,
        paths::{PATHS, request},
        security_txt::security_txt,
        shape,
        upload::upload,
    },
};
use crate::model::{
    Observation, Touch, Why,
    observation::{Challenge, HttpPage, clean},
};
use crate::scan::{
    net::{Trouble, http::Reply},
    session::{Ctx, Identified},
};
use regex::Regex;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::LazyLock,
    time::Duration,
};
use tokio::time::Instant;

pub const PROBE: Probe = Probe {
    id: "http-surface",
    version: 2,
    title: "what web pages show",
    page: include_str!("http_surface.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

/// What one endpoint may cost; what is over it is not asked, and is a gap.
const MOST_TIME: Duration = Duration::from_secs(60);
const MOST_BYTES: usize = 8 * 1024 * 1024;

async fn run(ctx: &Ctx) {
    ctx.each_service(ctx.services_named(&["http"]), |s| async move { look(ctx, &s).await }).await;
}

/// What paths that cannot exist look like, one of each form that is asked.
const NOWHERE: [&str; 3] = ["/*", "/*", "/*/x.cgi"];

async fn look(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let mut missing = BTreeSet::new();
    for form in NOWHERE {
        let path = nowhere(form);
        let reply = get(ctx, s, &path).await?;
        missing.insert(shape(&reply, &path));
        show(ctx, s, &path, &reply);
        let control = Observation::HttpMissing { path, status: reply.status };
        ctx.record(s.endpoint, control, Some(reply.transcript));
    }
    let mut paths: VecDeque<String> = PATHS.iter().map(|r| r.path.clone()).collect();
    let mut seen = BTreeSet::new();
    let (started, mut read, mut guarded) = (Instant::now(), 0, false);
    while let Some(path) = paths.pop_front() {
        if !seen.insert(path.clone()) {
            continue;
        }
        if started.elapsed() > MOST_TIME || read > MOST_BYTES {
            let why = format!("{} paths were left when its time or its bytes were spent", paths.len() + 1);
            ctx.gap(Some(s.endpoint.into()), Why::NotUnderstood(why));
            break;
        }
        let reply = ctx.http(s, request(s.endpoint.addr().to_string(), &path), &[]).await?;
        read += reply.body.len();
        let same = missing.contains(&shape(&reply, &path));
        let page = page(&path, &reply, same);
        if page.path == "/" {
            paths.extend(local_path(&page.location, s));
        }
        // Where everything is guarded alike, that an upload path is says it once.
        if !(same && guarded) {
            guarded |= upload(ctx, s, &page).await? && same;
        }
        if !same {
            show(ctx, s, &path, &reply);
        }
        // A plain "not found" says nothing; everything else is kept.
        if page.path == "/" || !(same || page.status == 404) {
            ctx.record(s.endpoint, Observation::Http { page: Box::new(page) }, Some(reply.transcript));
        }
    }
    security_txt(ctx, s, &missing).await
}

/// Records what the answer shows that is not meant for strangers.
fn show(ctx: &Ctx, s: &Identified, path: &str, reply: &Reply) {
    for found in exposures(path, reply, Asked::Well) {
        let (path, status) = (clean(path, 200), reply.status);
        let Exposure { shows, rule, sensitive } = found;
        let shown = Observation::HttpShown { path, status, shows, rule, sensitive };
        ctx.record(s.endpoint, shown, Some(reply.transcript.clone()));
    }
}

/// Where a redirect leads, if it stays on this endpoint.
fn local_path(location: &str, s: &Identified) -> Option<String> {
    let origin = format!("{}://{}", if s.tls { "https" } else { "http" }, s.endpoint.addr());
    let path = location.strip_prefix(&origin).unwrap_or(location);
    (path.starts_with('/') && !path.starts_with("//")).then(|| path.to_owned())
}

static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:firmware|software|fw|version|build)\b[^0-9a-z<]{0,4}(?:<[^>]*>\W{0,3}){0,3}(?:version\W{0,3})?v?(\d{1,8}\.\d[\w.-]{0,24})").ok()
});

pub fn page(path: &str, reply: &Reply, same_as_missing: bool) -> HttpPage {
    let text = reply.text();
    let seen = html::read(&text);
    let versions = VERSION.iter().flat_map(|r| r.captures_iter(&text)).filter_map(|c| c.get(1));
    let versions: BTreeSet<String> = versions.map(|m| clean(m.as_str().trim_end_matches(['.', '-']), 40)).collect();
    HttpPage {
        path: clean(path, 200),
        status: reply.status,
        title: clean(&seen.title, 200),
        server: clean(&reply.header("server"), 200),
        content_type: clean(&reply.header("content-type"), 100),
        location: clean(&reply.header("location"), 200),
        challenges: challenges(reply),
        login_form: seen.login.is_some(),
        upload_form: seen.upload.is_some(),
        settings: seen.settings.iter().map(|s| clean(s, 40)).take(20).collect(),
        versions: versions.into_iter().take(10).collect(),
        length: reply.body.len() as u64,
        same_as_missing,
    }
}

/// The `WWW-Authenticate` challenges of a reply.
pub fn challenges(reply: &Reply) -> Vec<Challenge> {
    let all = reply.headers.get_all("www-authenticate").iter();
    all.map(|v| {
        let text = String::from_utf8_lossy(v.as_bytes()).into_owned();
        let scheme = text.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        let realm = text.split("realm=\"").nth(1).and_then(|r| r.split('"').next()).unwrap_or_default();
        Challenge { scheme: clean(&scheme, 40), realm: clean(realm, 100) }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_pages_in_their_usual_forms() {
        let find = |t: &str| VERSION.as_ref().unwrap().captures(t).map(|c| c[1].to_owned());
        for (text, version) in [
            ("<p>Firmware: 2.1.7</p>", "2.1.7"),
            ("Firmware version: V5.4.5", "5.4.5"),
            ("<td>Firmware</td><td>1.0.3-b7</td>", "1.0.3-b7"),
            ("\"fw\":\"20231107.4\"", "20231107.4"),
        ] {
            assert_eq!(find(text).as_deref(), Some(version), "{text}");
        }
        assert_eq!(find("<!DOCTYPE html> jquery 3.1"), None);
    }
}
