//! DTLS with a pre-shared key: the handshake must finish, and CoAP must answer inside.
use super::{Door, Tried};
use crate::model::observation::Answer;
use crate::scan::{
    net::{
        Trouble,
        dtls::{Opened, open},
        wire::Replies,
    },
    probe::udp_services::unhex,
    session::Ctx,
};
use std::time::Duration;

/// What `coap-resources` was answered: it asks for a key.
pub fn nothing(door: &Door) -> Tried {
    Tried::of(Answer::Refused, format!("without a key it goes no further than {}", door.path))
}

/// `key` in hex digits.
pub async fn pair(ctx: &Ctx, door: &Door, identity: &str, key: &str) -> Result<Tried, Trouble> {
    let socket = ctx.udp(door.endpoint(), Replies::ThatPort).await?;
    match open(socket, identity.as_bytes(), &unhex(key)).await? {
        Opened::Finished(mut inside) => {
            let [hi, lo] = rand::random::<[u8; 2]>();
            let pong = inside.ask(&[0x40, 0, hi, lo], Duration::from_secs(2)).await;
            let tape = inside.close().await;
            let answered = pong.is_ok_and(
                |b| matches!(b.as_slice(), [first, 0, h, l, ..] if first & 0xf0 == 0x70 && (*h, *l) == (hi, lo)),
            );
            let (answer, what) = match answered {
                true => (Answer::Accepted, "and a CoAP ping inside was answered"),
                false => (Answer::Unclear, "but a CoAP ping inside was not answered"),
            };
            Ok(Tried::new(answer, format!("the handshake was finished, {what}"), tape))
        }
        Opened::Refused { how, transcript } => {
            Ok(Tried::new(Answer::Refused, format!("the handshake was not finished: {how}"), transcript))
        }
        Opened::NoKeyAsked { how } => {
            Err(Trouble::NotUnderstood(format!("the handshake did not come to a key: {how}")))
        }
    }
}
