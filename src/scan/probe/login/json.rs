//! JSON log-ins: success is never read from their answer. A path that was closed must open with the session that the
//! answer gives, and must not open with a made-up one.
use super::{Door, Tried};
use crate::model::observation::Answer;
use crate::scan::{
    net::{
        Trouble,
        http::{Reply, Request},
    },
    session::Ctx,
};
use serde_json::Value;
use std::collections::BTreeMap;

/// The names of fields in which answers carry a session.
const TOKENS: [&str; 10] = [
    "token",
    "access_token",
    "accesstoken",
    "jwt",
    "id_token",
    "session",
    "sessionid",
    "session_id",
    "sid",
    "ubus_rpc_session",
];

/// Where and how a JSON log-in is asked; found by the probe `json-logins`.
#[derive(Clone)]
pub struct Api {
    pub user_field: String,
    pub password_field: String,
    /// Paths that were closed without a session.
    pub closed: Vec<String>,
}

fn host(door: &Door) -> String {
    door.at.endpoint.addr().to_string()
}

pub fn post(host: String, path: &str, body: Vec<u8>) -> Request<'_> {
    let mut request = Request::get(host, path);
    request.method = reqwest::Method::POST;
    request.headers.push(("content-type", "application/json".to_owned()));
    request.headers.push(("accept", "application/json".to_owned()));
    request.body = body;
    request
}

/// An empty log-in: no user, no secret.
pub async fn nothing(ctx: &Ctx, door: &Door) -> Result<Tried, Trouble> {
    let reply = ctx.http(&door.at, post(host(door), &door.path, b"{}".to_vec()), &[]).await?;
    let answer = match (reply.status, session(&reply).is_empty()) {
        (400..=499, _) | (200..=299, true) => Answer::Refused,
        _ => Answer::Unclear,
    };
    Ok(Tried::new(answer, format!("an empty log-in was answered with status {}", reply.status), reply.transcript))
}

pub async fn pair(ctx: &Ctx, door: &Door, user: &str, secret: &str) -> Result<Tried, Trouble> {
    let Some(api) = &door.api else { return Err(Trouble::NotUnderstood("no JSON log-in".to_owned())) };
    let reply = ask(ctx, door, api, user, secret).await?;
    if matches!(reply.status, 423 | 429 | 503) {
        let proof = format!("status {} after a log-in", reply.status);
        return Ok(Tried::new(Answer::LockSign, proof, reply.transcript));
    }
    let found = session(&reply);
    let refused = refusal(&reply);
    // The first attempt is the random control: what it is answered with is what a refusal looks like.
    let alike = *door.refusal.get_or_init(|| refused.clone()) == refused;
    if found.is_empty() {
        let answer = if alike { Answer::Refused } else { Answer::Unclear };
        let proof =
            format!("status {}, no session, {} a random user", reply.status, if alike { "as" } else { "not as" });
        return Ok(Tried::new(answer, proof, reply.transcript));
    }
    canary(ctx, door, api, &found, &reply).await
}

/// Logs in and returns the session, the path that it opens, and what is there. Nothing where no session opens any.
pub async fn open(
    ctx: &Ctx,
    door: &Door,
    user: &str,
    secret: &str,
) -> Result<Option<(Session, String, Reply)>, Trouble> {
    let Some(api) = &door.api else { return Err(Trouble::NotUnderstood("no JSON log-in".to_owned())) };
    let found = session(&ask(ctx, door, api, user, secret).await?);
    if found.is_empty() {
        return Ok(None);
    }
    for path in &api.closed {
        let with = ctx.http(&door.at, found.asks(host(door), path), &found.hidden()).await?;
        if with.status != 200 {
            continue;
        }
        let without = ctx.http(&door.at, Request::get(host(door), path), &[]).await?;
        return Ok((without.status != 200).then(|| (found, path.clone(), with)));
    }
    Ok(None)
}

/// How a pair is answered, as it came.
pub async fn answered(ctx: &Ctx, door: &Door, user: &str, secret: &str) -> Result<Reply, Trouble> {
    let Some(api) = &door.api else { return Err(Trouble::NotUnderstood("no JSON log-in".to_owned())) };
    ask(ctx, door, api, user, secret).await
}

async fn ask(ctx: &Ctx, door: &Door, api: &Api, user: &str, secret: &str) -> Result<Reply, Trouble> {
    let fields = BTreeMap::from([(&api.user_field, user), (&api.password_field, secret)]);
    let body = serde_json::to_vec(&fields).map_err(|e| Trouble::NotUnderstood(e.to_string()))?;
    let hidden = serde_json::to_vec(secret).unwrap_or_default();
    ctx.http(&door.at, post(host(door), &door.path, body), &[hidden]).await
}

async fn canary(ctx: &Ctx, door: &Door, api: &Api, found: &Session, login: &Reply) -> Result<Tried, Trouble> {
    let made_up = found.made_up();
    for path in &api.closed {
        let with = ctx.http(&door.at, found.asks(host(door), path), &[]).await?;
        if with.status != 200 {
            continue;
        }
        let without = ctx.http(&door.at, Request::get(host(door), path), &[]).await?;
        let other = ctx.http(&door.at, made_up.asks(host(door), path), &[]).await?;
        leave(ctx, door, found).await;
        let (answer, what) = match (without.status, other.status) {
            (200, _) | (_, 200) => (Answer::Unclear, "but without one, too"),
            _ => (Answer::Accepted, "and not without it, nor with a made-up one"),
        };
        return Ok(Tried::new(answer, format!("{path} opens with this session, {what}"), with.transcript));
    }
    leave(ctx, door, found).await;
    let (answer, proof) = match api.closed.is_empty() {
        true => (Answer::Unclear, "a session was given, and no closed page is known that could prove it"),
        false => (Answer::Refused, "what was closed stays closed with the session that was given"),
    };
    Ok(Tried::new(answer, proof, login.transcript.clone()))
}

/// Good manners; a device without this path forgets the session by itself.
pub async fn leave(ctx: &Ctx, door: &Door, found: &Session) {
    let base = door.path.rsplit_once('/').map(|(b, _)| b).unwrap_or_default();
    let path = format!("{base}/logout");
    let mut request = post(host(door), &path, b"{}".to_vec());
    request.headers.extend(found.headers());
    let _ = ctx.http(&door.at, request, &[]).await;
}

/// What a log-in gave to be shown again.
#[derive(Default)]
pub struct Session {
    token: Option<String>,
    cookies: Vec<String>,
}

impl Session {
    fn is_empty(&self) -> bool {
        self.token.is_none() && self.cookies.is_empty()
    }

    pub fn cookies(&self) -> Vec<String> {
        let token = self.token.iter().map(|t| format!("(token)={t}"));
        self.cookies.iter().cloned().chain(token).collect()
    }

    /// What must not be kept of it: a session that lives on would let anybody in.
    pub fn hidden(&self) -> Vec<Vec<u8>> {
        let values = self.cookies.iter().filter_map(|c| c.split_once('=')).map(|(_, v)| v.as_bytes().to_vec());
        values.chain(self.token.iter().map(|t| t.as_bytes().to_vec())).collect()
    }

    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let bearer = self.token.iter().map(|t| ("authorization", format!("Bearer {t}")));
        let cookies = Some(self.cookies.join("; ")).filter(|c| !c.is_empty()).map(|c| ("cookie", c));
        bearer.chain(cookies).collect()
    }

    fn asks<'a>(&self, host: String, path: &'a str) -> Request<'a> {
        let mut request = Request::get(host, path);
        request.headers.extend(self.headers());
        request
    }

    /// The same shape, with other letters and digits.
    fn made_up(&self) -> Self {
        let other = |text: &str| -> String {
            let letter = |c: char| match c.is_ascii_alphanumeric() {
                true => char::from(b'a' + rand::random::<u8>() % 26),
                false => c,
            };
            text.chars().map(letter).collect()
        };
        let cookie = |c: &String| match c.split_once('=') {
            Some((name, value)) => format!("{name}={}", other(value)),
            None => c.clone(),
        };
        Self { token: self.token.as_deref().map(other), cookies: self.cookies.iter().map(cookie).collect() }
    }
}

fn session(reply: &Reply) -> Session {
    let value: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let all = reply.headers.get_all("set-cookie").iter();
    let cookies = all.filter_map(|v| v.to_str().ok()?.split(';').next().map(str::to_owned)).collect();
    Session { token: token(&value, 3), cookies }
}

fn token(value: &Value, depth: u8) -> Option<String> {
    let fields = value.as_object()?;
    let named = fields.iter().find_map(|(name, v)| {
        let text = v.as_str().filter(|t| t.len() >= 8 && t.chars().all(|c| c.is_ascii_graphic()))?;
        TOKENS.contains(&name.to_ascii_lowercase().as_str()).then(|| text.to_owned())
    });
    named.or_else(|| fields.values().filter(|_| depth > 0).find_map(|v| token(v, depth.saturating_sub(1))))
}

/// What tells one refusal from another: the status, the names in the body, and its numbers and truth values.
fn refusal(reply: &Reply) -> String {
    let value: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let part = |(name, v): (&String, &Value)| match v {
        Value::Number(_) | Value::Bool(_) | Value::Null => format!("{name}={v}"),
        Value::String(_) | Value::Array(_) | Value::Object(_) => name.clone(),
    };
    let parts: Vec<String> = value.as_object().into_iter().flatten().map(part).collect();
    format!("{} {}", reply.status, parts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_session_is_found_by_its_name_and_not_in_any_text() {
        let deep = json!({"data": {"ubus_rpc_session": "0123456789abcdef"}});
        assert_eq!(token(&deep, 3).as_deref(), Some("0123456789abcdef"));
        assert_eq!(token(&json!({"message": "wrong user or password"}), 3), None);
        assert_eq!(token(&json!({"token": null, "sid": "short"}), 3), None);
    }

    #[test]
    fn a_made_up_session_has_the_same_shape_and_another_value() {
        let s = Session { token: Some("aaaa1111.bbbb".to_owned()), cookies: vec!["id=0123456789".to_owned()] };
        let m = s.made_up();
        assert_ne!(s.token, m.token);
        assert_eq!(m.token.unwrap().find('.'), Some(8));
        assert!(m.cookies[0].starts_with("id=") && m.cookies[0] != s.cookies[0]);
    }
}
