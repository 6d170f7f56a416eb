//! ONVIF: the device's own information, which was refused without a credential, must come with one.
use super::{Door, Tried, digest};
use crate::model::observation::{Answer, ControlAnswer};
use crate::scan::{
    clock,
    codec::onvif::{self, CONTENT, Operation},
    net::{
        Trouble,
        http::{Reply, Request},
    },
    probe::onvif_services::{post, said},
    session::Ctx,
};

fn read(reply: Reply) -> Tried {
    let soap = onvif::read(&reply.text());
    let locked = soap.fault().is_some_and(|f| f.to_lowercase().contains("lock"));
    let (answer, proof) = said(Operation::Information, &reply, &soap);
    let answer = match answer {
        _ if locked || matches!(reply.status, 423 | 429 | 503) => Answer::LockSign,
        ControlAnswer::Answered => Answer::Accepted,
        ControlAnswer::Refused => Answer::Refused,
        ControlAnswer::Silent | ControlAnswer::Unclear => Answer::Unclear,
    };
    Tried::new(answer, proof, reply.transcript)
}

pub async fn nothing(ctx: &Ctx, door: &Door) -> Result<Tried, Trouble> {
    post(ctx, &door.at, &door.path, Operation::Information).await.map(read)
}

/// By Digest where the device asks for it (ONVIF Core, 5.9.1), else by a UsernameToken that bears the device's own time:
/// one with another time is refused, whatever the secret.
pub async fn pair(ctx: &Ctx, door: &Door, user: &str, secret: &str) -> Result<Tried, Trouble> {
    let first = post(ctx, &door.at, &door.path, Operation::Information).await?;
    let challenges = first.headers.get_all("www-authenticate").iter().filter_map(|v| v.to_str().ok());
    let by_digest = challenges.into_iter().find_map(|h| digest::answer(h, "POST", &door.path, user, secret));
    let mut request = Request::get(door.at.endpoint.addr().to_string(), &door.path);
    request.method = reqwest::Method::POST;
    request.headers.push(("content-type", CONTENT.to_owned()));
    let hidden = match by_digest {
        Some(answer) => {
            request.headers.push(("authorization", answer.header));
            request.body = onvif::ask(Operation::Information, "");
            answer.response
        }
        None => {
            let time = post(ctx, &door.at, &door.path, Operation::Time).await?;
            let created = onvif::read(&time.text()).time().unwrap_or_else(clock::now);
            let (header, proof) = onvif::token(user, secret, &rand::random(), &created);
            request.body = onvif::ask(Operation::Information, &header);
            proof
        }
    };
    ctx.http(&door.at, request, &[hidden.into_bytes()]).await.map(read)
}
