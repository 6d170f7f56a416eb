//! HTTP Basic (RFC 7617), Digest (RFC 7616) and HTML forms; RTSP's first answer.
use super::{Door, Tried};
use crate::model::{digest::hex, observation::Answer};
use crate::scan::{
    net::{
        Trouble,
        http::{Reply, Request},
    },
    probe::{html, http_surface::challenges},
    session::{Ctx, FIRST_BYTE, Identified},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use std::time::Duration;

fn host(door: &Door) -> String {
    door.at.endpoint.addr().to_string()
}

fn locking(status: u16) -> bool {
    matches!(status, 423 | 429 | 503)
}

/// Without a credential: is the page closed?
pub async fn nothing(ctx: &Ctx, door: &Door) -> Result<Tried, Trouble> {
    let reply = ctx.http(&door.at, Request::get(host(door), &door.path), &[]).await?;
    let closed = reply.status == 401 || html::read(&reply.text()).login.is_some();
    let answer = if closed { Answer::Refused } else { Answer::Unclear };
    Ok(Tried::new(answer, format!("status {} at {}", reply.status, door.path), reply.transcript))
}

fn by_status(reply: Reply, path: &str) -> Tried {
    let answer = match reply.status {
        401 | 403 => Answer::Refused,
        s if locking(s) => Answer::LockSign,
        200..=399 => Answer::Accepted,
        _ => Answer::Unclear,
    };
    Tried::new(
        answer,
        format!("status {} at {path}, which was closed without a credential", reply.status),
        reply.transcript,
    )
}

pub async fn basic(ctx: &Ctx, door: &Door, user: &str, secret: &str) -> Result<Tried, Trouble> {
    let token = STANDARD.encode(format!("{user}:{secret}"));
    let mut request = Request::get(host(door), &door.path);
    request.headers.push(("authorization", format!("Basic {token}")));
    Ok(by_status(ctx.http(&door.at, request, &[token.into_bytes()]).await?, &door.path))
}

pub async fn digest(ctx: &Ctx, door: &Door, user: &str, secret: &str) -> Result<Tried, Trouble> {
    let first = ctx.http(&door.at, Request::get(host(door), &door.path), &[]).await?;
    let wanted = challenges(&first).into_iter().find(|c| c.scheme == "digest");
    let header = first.headers.get_all("www-authenticate").iter().filter_map(|v| v.to_str().ok());
    let header =
        header.into_iter().find(|h| h.to_ascii_lowercase().starts_with("digest")).unwrap_or_default().to_owned();
    let Some(realm) = wanted.map(|_| parameter(&header, "realm")) else {
        return Ok(Tried::new(Answer::Unclear, "no Digest challenge this time", first.transcript));
    };
    let nonce = parameter(&header, "nonce");
    let algorithm = parameter(&header, "algorithm");
    let hash = |text: String| match algorithm.to_ascii_uppercase().as_str() {
        "SHA-256" => hex(&sha2::Sha256::digest(text.as_bytes())),
        _ => hex(&Md5::digest(text.as_bytes())),
    };
    let (ha1, ha2) = (hash(format!("{user}:{realm}:{secret}")), hash(format!("GET:{}", door.path)));
    let cnonce = format!("{:016x}", rand::random::<u64>());
    let qop = parameter(&header, "qop").split(',').any(|q| q.trim() == "auth");
    let response = match qop {
        true => hash(format!("{ha1}:{nonce}:00000001:{cnonce}:auth:{ha2}")),
        false => hash(format!("{ha1}:{nonce}:{ha2}")),
    };
    let mut value = format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{}\", response=\"{response}\"",
        door.path
    );
    if qop {
        value.push_str(&format!(", qop=auth, nc=00000001, cnonce=\"{cnonce}\""));
    }
    for name in ["opaque", "algorithm"] {
        let v = parameter(&header, name);
        if !v.is_empty() {
            value.push_str(&format!(", {name}={}", if name == "opaque" { format!("\"{v}\"") } else { v }));
        }
    }
    let mut request = Request::get(host(door), &door.path);
    request.headers.push(("authorization", value));
    Ok(by_status(ctx.http(&door.at, request, &[response.into_bytes()]).await?, &door.path))
}

/// A parameter of a challenge, quoted or not.
fn parameter(header: &str, name: &str) -> String {
    let lower = header.to_ascii_lowercase();
    let at = lower
        .match_indices(&format!("{name}="))
        .find(|(n, _)| *n == 0 || lower.as_bytes().get(n - 1).is_some_and(|b| matches!(b, b' ' | b',')));
    let Some(value) = at.and_then(|(n, m)| header.get(n + m.len()..)) else { return String::new() };
    match value.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next().unwrap_or_default().to_owned(),
        None => value.split([',', ' ']).next().unwrap_or_default().to_owned(),
    }
}

/// `application/x-www-form-urlencoded`.
fn encode(fields: &[(String, String)]) -> String {
    let quote = |s: &str| -> String {
        s.bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect()
    };
    fields.iter().map(|(n, v)| format!("{}={}", quote(n), quote(v))).collect::<Vec<_>>().join("&")
}

fn cookies(reply: &Reply) -> Vec<String> {
    let all = reply.headers.get_all("set-cookie").iter();
    all.filter_map(|v| v.to_str().ok()?.split(';').next().map(str::to_owned)).collect()
}

/// Logs in by the form. Success is never read from the login's own answer: a page that was closed before must
/// open with this session and not without it.
pub async fn form(ctx: &Ctx, door: &Door, user: &str, secret: &str) -> Result<Tried, Trouble> {
    let shown = ctx.http(&door.at, Request::get(host(door), &door.path), &[]).await?;
    let Some(form) = html::read(&shown.text()).login else {
        let answer = if locking(shown.status) { Answer::LockSign } else { Answer::Unclear };
        return Ok(Tried::new(
            answer,
            format!("the login form was not shown (status {})", shown.status),
            shown.transcript,
        ));
    };
    let mut fields = form.hidden.clone();
    fields.extend(form.user_field.iter().map(|f| (f.clone(), user.to_owned())));
    fields.push((form.password_field.clone(), secret.to_owned()));
    let action = if form.action.starts_with('/') {
        form.action.clone()
    } else if form.action.is_empty() {
        door.path.clone()
    } else {
        format!("/{}", form.action)
    };
    let mut request = Request::get(host(door), &action);
    request.method = reqwest::Method::POST;
    request.headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
    request.body = encode(&fields).into_bytes();
    let mut jar = cookies(&shown);
    if !jar.is_empty() {
        request.headers.push(("cookie", jar.join("; ")));
    }
    let masked = [format!("={}", encode(&[(String::new(), secret.to_owned())]).trim_start_matches('=')).into_bytes()];
    let posted = ctx.http(&door.at, request, &masked).await?;
    if locking(posted.status) {
        return Ok(Tried::new(Answer::LockSign, format!("status {} after a login", posted.status), posted.transcript));
    }
    jar.extend(cookies(&posted));
    let target = posted.header("location");
    let target = if target.starts_with('/') && !target.contains("login") { target } else { "/".to_owned() };
    canary(ctx, door, &target, &jar, &posted).await
}

/// Opens the page where the login leads, with the session and without it.
async fn canary(ctx: &Ctx, door: &Door, path: &str, jar: &[String], posted: &Reply) -> Result<Tried, Trouble> {
    let open = |r: &Reply| r.status == 200 && html::read(&r.text()).login.is_none();
    let without = ctx.http(&door.at, Request::get(host(door), path), &[]).await?;
    if open(&without) {
        let again = html::read(&posted.text()).login.is_some();
        let answer = if again { Answer::Refused } else { Answer::Unclear };
        let proof = format!("{path} opens without a session, too; no page tells a success");
        return Ok(Tried::new(answer, proof, posted.transcript.clone()));
    }
    if jar.is_empty() {
        return Ok(Tried::new(
            Answer::Refused,
            format!("status {} and no session", posted.status),
            posted.transcript.clone(),
        ));
    }
    let mut request = Request::get(host(door), path);
    request.headers.push(("cookie", jar.join("; ")));
    let with = ctx.http(&door.at, request, &[]).await?;
    if !open(&with) {
        let answer = if locking(with.status) { Answer::LockSign } else { Answer::Refused };
        return Ok(Tried::new(
            answer,
            format!("{path} stays closed (status {})", with.status),
            posted.transcript.clone(),
        ));
    }
    let mut leave = Request::get(host(door), "/logout");
    leave.headers.push(("cookie", jar.join("; ")));
    // Leaving is good manners; a device without this page forgets the session by itself.
    let _ = ctx.http(&door.at, leave, &[]).await;
    Ok(Tried::new(Answer::Accepted, format!("{path} opens with this session and not without it"), with.transcript))
}

/// Whether RTSP describes its stream to anybody.
pub async fn rtsp_nothing(ctx: &Ctx, at: &Identified) -> Result<Tried, Trouble> {
    let mut wire = ctx.connect(at.endpoint, at.tls).await?;
    let ask = format!("DESCRIBE rtsp://{}/ RTSP/1.0\r\nCSeq: 2\r\nAccept: application/sdp\r\n\r\n", at.endpoint.addr());
    wire.send(ask.as_bytes()).await?;
    let reply =
        wire.collect(FIRST_BYTE, Duration::from_secs(8), 16 * 1024, |b| b.windows(4).any(|w| w == b"\r\n\r\n")).await;
    let tape = wire.close().await;
    let text = String::from_utf8_lossy(&reply?).into_owned();
    let status = text.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let answer = match status.as_str() {
        "401" | "403" => Answer::Refused,
        "200" if text.contains("v=0") => Answer::Accepted,
        _ => Answer::Unclear,
    };
    Ok(Tried::new(answer, format!("DESCRIBE was answered with status {status}"), tape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_parameters_are_read_quoted_and_bare() {
        let h = r#"Digest realm="cam, front", nonce="abc", algorithm=MD5, qop="auth,auth-int", cnonce="no""#;
        assert_eq!(parameter(h, "realm"), "cam, front");
        assert_eq!(parameter(h, "nonce"), "abc");
        assert_eq!(parameter(h, "algorithm"), "MD5");
        assert_eq!(parameter(h, "opaque"), "");
    }
}
