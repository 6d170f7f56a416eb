//! RTSP with Basic or Digest: a stream that was closed must be described to this user.
use super::{Door, Tried, digest};
use crate::model::observation::Answer;
use crate::scan::{
    net::Trouble,
    probe::rtsp::{Reply, Talk, uri},
    session::Ctx,
};
use base64::{Engine, engine::general_purpose::STANDARD};

fn read(reply: &Reply) -> Answer {
    match reply.status {
        401 | 403 => Answer::Refused,
        423 | 429 | 453 | 503 => Answer::LockSign,
        200 if reply.describes() => Answer::Accepted,
        _ => Answer::Unclear,
    }
}

pub async fn nothing(ctx: &Ctx, door: &Door) -> Result<Tried, Trouble> {
    let mut talk = Talk::open(ctx, &door.at).await?;
    let reply = talk.describe(&uri(door.at.endpoint, &door.path), None).await;
    let tape = talk.wire.close().await;
    let reply = reply?;
    Ok(Tried::new(read(&reply), format!("DESCRIBE {} was answered with {}", door.path, reply.status), tape))
}

/// Asks for the challenge, and answers it on the same connection, as cameras want it.
pub async fn pair(ctx: &Ctx, door: &Door, user: &str, secret: &str) -> Result<Tried, Trouble> {
    let mut talk = Talk::open(ctx, &door.at).await?;
    let said = authenticate(&mut talk, door, user, secret).await;
    let tape = talk.wire.close().await;
    let (answer, proof) = match said {
        Ok(x) => x,
        Err(Trouble::Closed) => (Answer::LockSign, "the connection was closed".to_owned()),
        Err(t) => return Err(t),
    };
    Ok(Tried::new(answer, proof, tape))
}

async fn authenticate(talk: &mut Talk, door: &Door, user: &str, secret: &str) -> Result<(Answer, String), Trouble> {
    let at = uri(door.at.endpoint, &door.path);
    let first = talk.describe(&at, None).await?;
    let challenges = first.challenges();
    let digest = challenges.iter().find_map(|c| digest::answer(c, "DESCRIBE", &at, user, secret));
    let basic = challenges.iter().any(|c| c.to_ascii_lowercase().starts_with("basic"));
    let authorization = match digest {
        Some(a) => {
            talk.wire.tape.hide(a.response.as_bytes());
            a.header
        }
        None if basic => {
            let token = STANDARD.encode(format!("{user}:{secret}"));
            talk.wire.tape.hide(token.as_bytes());
            format!("Basic {token}")
        }
        None => return Ok((read(&first), format!("no challenge this time, status {}", first.status))),
    };
    let reply = talk.describe(&at, Some(&authorization)).await?;
    Ok((
        read(&reply),
        format!("DESCRIBE {} was answered with {}, without a credential with 401", door.path, reply.status),
    ))
}
