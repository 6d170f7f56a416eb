//! Static tokens in a header: a page that was closed must open.
use super::{Door, Tried};
use crate::model::observation::Answer;
use crate::scan::{
    net::{Trouble, http::Request},
    session::Ctx,
};

/// The headers that a listed token may stand in.
const HEADERS: [&str; 3] = ["authorization", "x-api-key", "serveridentity"];

/// The header of a listed token, where it is one that we send.
pub fn header(name: &str) -> Option<&'static str> {
    HEADERS.into_iter().find(|h| h.eq_ignore_ascii_case(name))
}

fn request<'a>(door: &'a Door) -> Request<'a> {
    Request::get(door.at.endpoint.addr().to_string(), &door.path)
}

pub async fn nothing(ctx: &Ctx, door: &Door) -> Result<Tried, Trouble> {
    let reply = ctx.http(&door.at, request(door), &[]).await?;
    let answer = if matches!(reply.status, 401 | 403) { Answer::Refused } else { Answer::Unclear };
    Ok(Tried::new(answer, format!("status {} at {}", reply.status, door.path), reply.transcript))
}

/// `name` is the header; a name that is none (the random one of a control) stands for `Authorization: Bearer`.
pub async fn pair(ctx: &Ctx, door: &Door, name: &str, value: &str) -> Result<Tried, Trouble> {
    let mut asked = request(door);
    asked.headers.push(match header(name) {
        Some(h) => (h, value.to_owned()),
        None => ("authorization", format!("Bearer {value}")),
    });
    let reply = ctx.http(&door.at, asked, &[value.as_bytes().to_vec()]).await?;
    let answer = match reply.status {
        200..=299 => Answer::Accepted,
        400..=403 => Answer::Refused,
        423 | 429 | 503 => Answer::LockSign,
        _ => Answer::Unclear,
    };
    let proof = format!("status {} at {}, which was closed without a token", reply.status, door.path);
    Ok(Tried::new(answer, proof, reply.transcript))
}
