//! HTTP Basic (RFC 7617), Digest (RFC 7616) and HTML forms.
use super::{Account, Door, Tried, digest};
use crate::model::{
    observation::{Answer, Mechanism},
    scope::Pace,
};
use crate::scan::{
    net::{
        Trouble,
        http::{Reply, Request},
    },
    probe::html,
    session::Ctx,
};
use base64::{Engine, engine::general_purpose::STANDARD};
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
    let form = html::read(&reply.text()).login;
    let answer = if reply.status == 401 || form.is_some() { Answer::Refused } else { Answer::Unclear };
    let nameless = door.mechanism == Mechanism::HttpForm && form.is_some_and(|f| f.user_field.is_none());
    let account = if nameless { Account::Only } else { Account::Named };
    let proof = format!("status {} at {}", reply.status, door.path);
    Ok(Tried { account, ..Tried::new(answer, proof, reply.transcript) })
}

/// Whose secret is wrong is asked again (401). 403 may as well say that who came in may not see this page.
fn by_status(reply: Reply, path: &str) -> Tried {
    let answer = match reply.status {
        401 => Answer::Refused,
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
    let headers = first.headers.get_all("www-authenticate").iter().filter_map(|v| v.to_str().ok());
    let answer = headers.into_iter().find_map(|h| digest::answer(h, "GET", &door.path, user, secret));
    let Some(answer) = answer else {
        return Ok(Tried::new(Answer::Unclear, "no Digest challenge this time", first.transcript));
    };
    let mut request = Request::get(host(door), &door.path);
    request.headers.push(("authorization", answer.header));
    Ok(by_status(ctx.http(&door.at, request, &[answer.response.into_bytes()]).await?, &door.path))
}

/// A connection request of TR-069 with Digest. Devices throttle them, so that attempts keep apart.
pub async fn connection_request(ctx: &Ctx, door: &Door, user: &str, secret: &str) -> Result<Tried, Trouble> {
    let apart = match ctx.session.scope.pace {
        Pace::Gentle | Pace::Adaptive => Duration::from_secs(30),
        Pace::Fast => Duration::ZERO,
    };
    tokio::time::sleep(apart).await;
    let mut tried = digest(ctx, door, user, secret).await?;
    // Whoever is told that the path is unknown has come past the log-in that others do not pass.
    if tried.answer == Answer::Unclear && tried.proof.starts_with("status 404 ") {
        tried.answer = Answer::Accepted;
    }
    Ok(tried)
}

/// `application/x-www-form-urlencoded`.
pub fn encode(fields: &[(String, String)]) -> String {
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

/// A form that was filled in and sent.
pub struct Entered {
    pub posted: Reply,
    /// Cookies that came with the form.
    pub before: Vec<String>,
    /// Those, and what came with the answer.
    pub jar: Vec<String>,
    /// Where the answer leads.
    pub target: String,
}

/// Fills in the form and sends it. `Err` holds the page that came instead of a form.
pub async fn enter(ctx: &Ctx, door: &Door, user: &str, secret: &str) -> Result<Result<Entered, Reply>, Trouble> {
    let shown = ctx.http(&door.at, Request::get(host(door), &door.path), &[]).await?;
    let Some(form) = html::read(&shown.text()).login else { return Ok(Err(shown)) };
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
    let before = cookies(&shown);
    if !before.is_empty() {
        request.headers.push(("cookie", before.join("; ")));
    }
    let mut masked = values(&before);
    masked.push(format!("={}", encode(&[(String::new(), secret.to_owned())]).trim_start_matches('=')).into_bytes());
    let posted = ctx.http(&door.at, request, &masked).await?;
    let jar = joined(&before, cookies(&posted));
    let target = posted.header("location");
    let target = if target.starts_with('/') && !target.contains("login") { target } else { "/".to_owned() };
    Ok(Ok(Entered { posted, before, jar, target }))
}

/// A cookie that is set again takes the place of the one before.
fn joined(before: &[String], after: Vec<String>) -> Vec<String> {
    let name = |c: &String| c.split('=').next().unwrap_or_default().to_owned();
    let again: Vec<String> = after.iter().map(name).collect();
    before.iter().filter(|c| !again.contains(&name(c))).cloned().chain(after).collect()
}

/// Logs in by the form. Success is never read from the login's own answer: a page that was closed before must
/// open with this session and not without it.
pub async fn form(ctx: &Ctx, door: &Door, user: &str, secret: &str) -> Result<Tried, Trouble> {
    let entered = match enter(ctx, door, user, secret).await? {
        Ok(entered) => entered,
        Err(shown) => {
            let answer = if locking(shown.status) { Answer::LockSign } else { Answer::Unclear };
            let proof = format!("the login form was not shown (status {})", shown.status);
            return Ok(Tried::new(answer, proof, shown.transcript));
        }
    };
    let Entered { posted, jar, target, .. } = entered;
    if locking(posted.status) {
        return Ok(Tried::new(Answer::LockSign, format!("status {} after a login", posted.status), posted.transcript));
    }
    canary(ctx, door, &target, &jar, &posted).await
}

/// A page, asked for with cookies.
pub async fn with_cookies(ctx: &Ctx, door: &Door, path: &str, jar: &[String]) -> Result<Reply, Trouble> {
    let mut request = Request::get(host(door), path);
    if !jar.is_empty() {
        request.headers.push(("cookie", jar.join("; ")));
    }
    ctx.http(&door.at, request, &values(jar)).await
}

/// What must not be kept of cookies: a session that lives on would let anybody in.
pub fn values(jar: &[String]) -> Vec<Vec<u8>> {
    jar.iter().filter_map(|c| c.split_once('=')).map(|(_, v)| v.as_bytes().to_vec()).collect()
}

/// Whether a page is shown, and asks for no login.
pub fn is_open(reply: &Reply) -> bool {
    reply.status == 200 && html::read(&reply.text()).login.is_none()
}

/// Opens the page where the login leads, with the session and without it.
async fn canary(ctx: &Ctx, door: &Door, path: &str, jar: &[String], posted: &Reply) -> Result<Tried, Trouble> {
    let without = ctx.http(&door.at, Request::get(host(door), path), &[]).await?;
    if is_open(&without) {
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
    let with = with_cookies(ctx, door, path, jar).await?;
    if !is_open(&with) {
        let answer = if locking(with.status) { Answer::LockSign } else { Answer::Refused };
        return Ok(Tried::new(
            answer,
            format!("{path} stays closed (status {})", with.status),
            posted.transcript.clone(),
        ));
    }
    // Leaving is good manners; a device without this page forgets the session by itself.
    let _ = with_cookies(ctx, door, "/logout", jar).await;
    Ok(Tried::new(Answer::Accepted, format!("{path} opens with this session and not without it"), with.transcript))
}
