//! What an HTTP service shows to somebody without credentials.
use super::{Probe, html};
use crate::model::{
    Observation, Touch, Why,
    observation::{Asks, Challenge, HttpPage, clean},
};
use crate::scan::{
    data::builtin,
    net::{
        Trouble,
        http::{Reply, Request},
    },
    session::{Ctx, Identified},
};
use regex::Regex;
use serde::Deserialize;
use std::{
    collections::{BTreeSet, VecDeque},
    sync::LazyLock,
    time::Duration,
};
use tokio::time::Instant;

pub const PROBE: Probe = Probe {
    id: "http-surface",
    version: 1,
    title: "what web pages show",
    page: include_str!("http_surface.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

#[derive(Deserialize)]
struct Written {
    #[serde(rename = "path")]
    paths: Vec<Row>,
}

/// A path worth a GET.
#[derive(Deserialize)]
struct Row {
    path: String,
    kind: Kind,
    /// A badly made product may act on a bare GET of it: not asked.
    #[serde(default)]
    careful: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Login,
    Admin,
    Update,
    Info,
    Config,
    SecurityTxt,
}

static PATHS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let written: Written = builtin("web-paths.toml", include_str!("../../../profiles/data/web-paths.toml"));
    written.paths.into_iter().filter(|r| !r.careful && r.kind != Kind::SecurityTxt).collect()
});

/// What one endpoint may cost; what is over it is not asked, and is a gap.
const MOST_TIME: Duration = Duration::from_secs(60);
const MOST_BYTES: usize = 8 * 1024 * 1024;
const SECURITY_TXT: &str = "/.well-known/security.txt";

async fn run(ctx: &Ctx) {
    ctx.each(
        ctx.services_named(&["http"]),
        |s| s.endpoint,
        |s| async move {
            if let Err(t) = look(ctx, &s).await {
                ctx.trouble(None, s.endpoint, &t);
            }
        },
    )
    .await;
}

async fn look(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let mut missing = BTreeSet::new();
    for _ in 0..2 {
        let path = format!("/patuh-{:016x}", rand::random::<u64>());
        let reply = get(ctx, s, &path).await?;
        missing.insert(shape(&reply, &path));
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
        let reply = get(ctx, s, &path).await?;
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
        // A plain "not found" says nothing; everything else is kept.
        if page.path == "/" || !(same || page.status == 404) {
            ctx.record(s.endpoint, Observation::Http { page }, Some(reply.transcript));
        }
    }
    security_txt(ctx, s, &missing).await
}

async fn get(ctx: &Ctx, s: &Identified, path: &str) -> Result<Reply, Trouble> {
    ctx.http(s, Request::get(s.endpoint.addr().to_string(), path), &[]).await
}

/// What stays the same when a server answers every path alike: status and body without the path itself.
fn shape(reply: &Reply, path: &str) -> (u16, String) {
    let text = reply.text().replace(path.trim_start_matches('/'), "");
    (reply.status, text.chars().filter(|c| !c.is_ascii_digit()).collect())
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

/// An upload path that answers: does it ask who is there before it takes a file? Returns whether something was recorded.
async fn upload(ctx: &Ctx, s: &Identified, page: &HttpPage) -> Result<bool, Trouble> {
    let known = PATHS.iter().any(|r| r.kind == Kind::Update && r.path == page.path);
    let guarded =
        matches!(page.status, 401 | 403) || (matches!(page.status, 301..=308) && page.location.contains("login"));
    let record = |asks, proof: String, tape| {
        ctx.record(
            s.endpoint,
            Observation::HttpUpload { path: page.path.clone(), status: page.status, asks, proof },
            tape,
        );
    };
    if known && guarded {
        record(Asks::Yes, format!("status {} without a login", page.status), None);
    } else if page.upload_form && ctx.session.scope.most < Touch::Stress {
        let proof = "the upload form is shown without a login; nothing was uploaded, since the scope does not allow it";
        record(Asks::Unclear, proof.to_owned(), None);
    } else if page.upload_form {
        let boundary = format!("patuh{:016x}", rand::random::<u64>());
        let body = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"patuh-empty.bin\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--{boundary}--\r\n"
        );
        let mut request = Request::get(s.endpoint.addr().to_string(), &page.path);
        request.method = reqwest::Method::POST;
        request.headers.push(("content-type", format!("multipart/form-data; boundary={boundary}")));
        request.body = body.into_bytes();
        let reply = ctx.http(s, request, &[]).await?;
        let login = html::read(&reply.text()).login.is_some() || reply.header("location").contains("login");
        let (asks, what) = match reply.status {
            401 | 403 => (Asks::Yes, "refused"),
            _ if login => (Asks::Yes, "sent to the login"),
            200..=299 => (Asks::No, "taken without a login"),
            _ => (Asks::Unclear, "not clear"),
        };
        record(asks, format!("an empty file was {what} (status {})", reply.status), Some(reply.transcript));
    } else {
        return Ok(false);
    }
    Ok(true)
}

async fn security_txt(ctx: &Ctx, s: &Identified, missing: &BTreeSet<(u16, String)>) -> Result<(), Trouble> {
    let reply = get(ctx, s, SECURITY_TXT).await?;
    let there = reply.status == 200 && !missing.contains(&shape(&reply, SECURITY_TXT));
    let (mut contacts, mut expires, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    if there {
        if !reply.header("content-type").starts_with("text/plain") {
            problems.push("it is not text/plain".to_owned());
        }
        for line in reply.text().lines().filter(|l| !l.starts_with('#')) {
            match line.split_once(':').map(|(k, v)| (k.trim().to_ascii_lowercase(), v.trim())) {
                Some((k, v)) if k == "contact" => contacts.push(clean(v, 200)),
                Some((k, v)) if k == "expires" => expires.push(clean(v, 60)),
                Some(_) | None => {}
            }
        }
        let good = |c: &String| ["mailto:", "https:", "tel:"].iter().any(|p| c.starts_with(p));
        if !contacts.iter().any(good) {
            problems.push("no Contact that is a mailto, https or tel URI".to_owned());
        }
        if expires.len() != 1 {
            problems.push(format!("{} Expires fields instead of one", expires.len()));
        }
    }
    let status = if there {
        200
    } else if reply.status == 200 {
        404
    } else {
        reply.status
    };
    let (path, expires) = (SECURITY_TXT.to_owned(), expires.into_iter().next());
    ctx.record(
        s.endpoint,
        Observation::SecurityTxt { path, status, contacts, expires, problems },
        Some(reply.transcript),
    );
    Ok(())
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
