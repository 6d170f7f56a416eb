//! One HTTP request of a device, and its answer. Every answer ends the connection, so that the next one meets the case
//! that is then due.
use super::{
    plan::Rule,
    serve::Speaks,
    stage::{Flaw, Now, Stage},
};
use crate::{
    model::observation::{
        clean,
        lab::{Request, Resource, ServerCase},
    },
    scan::net::Tape,
};
use std::{io, time::Duration};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const LONGEST_HEAD: usize = 16 * 1024;
const CHUNK: usize = 16 * 1024;
/// A device that takes no byte for so long has gone.
const STALLED: Duration = Duration::from_secs(30);

struct Head {
    method: String,
    host: String,
    target: String,
    range: Option<(u64, Option<u64>)>,
}

struct Reply<'a> {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: &'a [u8],
    /// Stops here without an end.
    cut: Option<usize>,
    resource: Resource,
    first: u64,
    of: u64,
}

/// Reads one request and answers it. `None`: no whole request came.
pub async fn answer<S>(io: &mut S, stage: &Stage, now: &Now, speaks: Speaks, tape: &mut Tape) -> Option<Request>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let read = tokio::time::timeout(stage.setup.answer, head(io, tape)).await;
    let (text, head) = read.ok()?.ok()??;
    stage.heard(&text);
    let path = head.target.split(['?', '#']).next().unwrap_or_default().to_owned();
    let body = body(stage, now, &path);
    let reply = reply(stage, now, speaks, &head, &path, &body);
    let sent = send(io, &head, &reply, tape).await;
    Some(Request {
        method: clean(&head.method, 16),
        host: clean(&head.host, 255),
        path: clean(&head.target, 512),
        resource: reply.resource,
        status: reply.status,
        first: reply.first,
        sent,
        of: reply.of,
    })
}

async fn head<S: AsyncRead + Unpin>(io: &mut S, tape: &mut Tape) -> io::Result<Option<(String, Head)>> {
    let mut bytes = Vec::new();
    let mut buffer = [0u8; 4096];
    while bytes.len() < LONGEST_HEAD {
        let n = io.read(&mut buffer).await?;
        if n == 0 {
            return Ok(None);
        }
        let new = buffer.get(..n).unwrap_or_default();
        tape.received(new);
        bytes.extend_from_slice(new);
        if let Some(head) = parse(&bytes) {
            return Ok(Some((String::from_utf8_lossy(&bytes).into_owned(), head)));
        }
    }
    Ok(None)
}

fn parse(bytes: &[u8]) -> Option<Head> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut headers);
    if !request.parse(bytes).ok()?.is_complete() {
        return None;
    }
    let header = |name: &str| {
        let found = request.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
        found.map(|h| String::from_utf8_lossy(h.value).into_owned())
    };
    let host = header("host").unwrap_or_default();
    let range = header("range").and_then(|r| {
        let (first, last) = r.strip_prefix("bytes=")?.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()))
    });
    let host = host.rsplit_once(':').map_or(host.as_str(), |(name, _)| name).to_lowercase();
    Some(Head { method: request.method?.to_owned(), host, target: request.path?.to_owned(), range })
}

/// What a path holds, beside images.
fn body(stage: &Stage, now: &Now, path: &str) -> Vec<u8> {
    let find = |is: &dyn Fn(&Rule) -> bool| stage.setup.resources.iter().find(|r| is(r));
    let Some(rule) = find(&|r| r.path == path) else { return Vec::new() };
    if rule.kind != Resource::MetadataSignature {
        return filled(stage, now, rule, &now.offer.version).into_bytes();
    }
    let version = match &now.offer.flaw {
        Flaw::Changed { signed_for } => signed_for,
        Flaw::None | Flaw::Cut | Flaw::Expired => &now.offer.version,
    };
    match (find(&|r| r.kind == Resource::Metadata), &stage.setup.signer) {
        (Some(metadata), Some(sign)) => sign(filled(stage, now, metadata, version).as_bytes()),
        _ => Vec::new(),
    }
}

fn filled(stage: &Stage, now: &Now, rule: &Rule, version: &str) -> String {
    let name = stage.setup.names.first().map_or("", String::as_str);
    let expires = match now.offer.flaw {
        Flaw::Expired => &stage.setup.validity.0,
        Flaw::None | Flaw::Cut | Flaw::Changed { .. } => &stage.setup.validity.1,
    };
    rule.body
        .replace("{version}", version)
        .replace("{sha256}", &now.offer.sha256.hex())
        .replace("{size}", &now.offer.bytes.len().to_string())
        .replace("{name}", name)
        .replace("{expires}", expires)
}

fn reply<'a>(stage: &Stage, now: &'a Now, speaks: Speaks, head: &Head, path: &str, body: &'a [u8]) -> Reply<'a> {
    let rule = stage.setup.resources.iter().find(|r| r.path == path);
    let resource = rule.map_or(Resource::Other, |r| r.kind);
    let empty = |status: u16, headers| Reply { status, headers, body: &[], cut: None, resource, first: 0, of: 0 };
    let ours = head.host.is_empty() || head.host == stage.setup.own || stage.setup.names.contains(&head.host);
    if !ours {
        return Reply { resource: Resource::Other, ..empty(404, Vec::new()) };
    }
    match (now.case, speaks, rule) {
        (ServerCase::RedirectToHttp, Speaks::Tls, _) => {
            let to = format!("http://{}:{}{}", head.host, stage.setup.http_port, head.target);
            empty(302, vec![("Location", to)])
        }
        // What a device asks for in a case that it must refuse is the finding; it gets nothing.
        (ServerCase::Genuine, _, Some(rule)) | (ServerCase::Expired, Speaks::Tls, Some(rule)) if served(now) => {
            let all = if resource == Resource::Image { &now.offer.bytes } else { body };
            if resource == Resource::Image && all.is_empty() {
                return empty(404, Vec::new());
            }
            content(now, head, resource, all, rule.media.clone())
        }
        (ServerCase::Genuine, _, None) => empty(404, Vec::new()),
        _ => empty(503, Vec::new()),
    }
}

/// A genuine server is; one that is not, where it has something on offer: what the device makes of that is the question then.
fn served(now: &Now) -> bool {
    now.case == ServerCase::Genuine || !now.offer.bytes.is_empty()
}

fn content<'a>(now: &Now, head: &Head, resource: Resource, all: &'a [u8], media: String) -> Reply<'a> {
    let of = u64::try_from(all.len()).unwrap_or(u64::MAX);
    let asked = head.range.filter(|(first, _)| resource == Resource::Image && *first < of);
    let (first, last) = asked.map_or((0, of), |(f, l)| (f, l.map_or(of, |l| l.saturating_add(1).min(of))));
    let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let body = all.get(at(first)..at(last)).unwrap_or_default();
    let mut headers = vec![("Content-Type", media)];
    if asked.is_some() {
        headers.push(("Content-Range", format!("bytes {first}-{}/{of}", last.saturating_sub(1))));
    }
    let cut = (now.offer.flaw == Flaw::Cut && resource == Resource::Image).then_some(body.len() / 2);
    Reply { status: if asked.is_some() { 206 } else { 200 }, headers, body, cut, resource, first, of }
}

/// How many bytes of the body were handed over.
async fn send<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S, head: &Head, reply: &Reply<'_>, tape: &mut Tape) -> u64 {
    let mut text = format!("HTTP/1.1 {} {}\r\nConnection: close\r\n", reply.status, reason(reply.status));
    for (name, value) in &reply.headers {
        text.push_str(&format!("{name}: {}\r\n", value.replace(['\r', '\n'], "")));
    }
    text.push_str(&format!("Content-Length: {}\r\n\r\n", reply.body.len()));
    tape.sent(text.as_bytes());
    let body = if head.method == "HEAD" { &[] } else { reply.body };
    let body = body.get(..reply.cut.unwrap_or(body.len())).unwrap_or(body);
    let mut sent = 0u64;
    let all = async {
        io.write_all(text.as_bytes()).await?;
        for chunk in body.chunks(CHUNK) {
            let written = tokio::time::timeout(STALLED, async {
                io.write_all(chunk).await?;
                io.flush().await
            });
            written.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            // An image is named by its digest; its bytes need not be kept again.
            if reply.resource != Resource::Image {
                tape.sent(chunk);
            }
            sent = sent.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
        }
        io.flush().await?;
        if reply.cut.is_none() {
            io.shutdown().await?;
            // Until the device has closed, too, lest a reset overtake what it has not read yet.
            let mut rest = [0u8; 1024];
            let drained = async { while io.read(&mut rest).await.is_ok_and(|n| n > 0) {} };
            let _ = tokio::time::timeout(Duration::from_secs(2), drained).await;
        }
        io::Result::Ok(())
    };
    // Who leaves early has taken what it took.
    let _ = all.await;
    sent
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        302 => "Found",
        404 => "Not Found",
        _ => "Service Unavailable",
    }
}
