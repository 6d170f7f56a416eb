//! Whether an update channel for developers (MCUmgr's SMP over UDP) tells a stranger which images there are. Nothing is uploaded.
use super::Probe;
use crate::model::{
    Endpoint, Observation, Touch, Transport,
    observation::{ControlAnswer, clean},
};
use crate::scan::{
    net::{Trouble, wire::Replies},
    session::{Ctx, Identified},
};
use ciborium::Value;
use std::time::Duration;

pub const PROBE: Probe = Probe {
    id: "ota-listeners",
    version: 1,
    title: "update channels for developers",
    page: include_str!("ota_listeners.md"),
    touch: Touch::Ask,
    subjects_from: &["udp-services", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_secs(2);
const TIMES: u32 = 2;
/// Read (0), no flags, a body of one byte, group 1 (images), sequence 0x43, id 0 (state); the body is an empty map.
const IMAGE_LIST: [u8; 9] = [0, 0, 0, 1, 0, 1, 0x43, 0, 0xa0];
const HEADER: usize = 8;
const MOST_IMAGES: usize = 8;
/// Nested deeper, an answer is not read.
const DEEPEST: usize = 16;

async fn run(ctx: &Ctx) {
    let udp = |s: &Identified| s.endpoint.transport == Transport::Udp;
    let all = ctx.services_named(&["mcumgr"]).into_iter().filter(udp).collect();
    ctx.each_service(all, |s| async move { ask(ctx, s.endpoint).await }).await;
}

async fn ask(ctx: &Ctx, e: Endpoint) -> Result<(), Trouble> {
    let mut socket = ctx.udp(e, Replies::ThatPort).await?;
    let mut seen = (ControlAnswer::Silent, Vec::new());
    for _ in 0..TIMES {
        socket.send(&IMAGE_LIST).await?;
        match socket.receive(WAIT).await {
            Ok(reply) => {
                seen = read(&reply);
                break;
            }
            Err(Trouble::Silent(_)) => {}
            Err(t) => return Err(t),
        }
    }
    let (answer, versions) = seen;
    ctx.record(e, Observation::SmpImages { answer, versions }, Some(socket.close()));
    Ok(())
}

/// An error is `rc`, or `err` since version 2 of the protocol.
fn read(reply: &[u8]) -> (ControlAnswer, Vec<String>) {
    let unclear = (ControlAnswer::Unclear, Vec::new());
    let (Some([1, _, _, _, 0, 1, _, 0]), Some(body)) = (reply.get(..HEADER), reply.get(HEADER..)) else {
        return unclear;
    };
    let Ok(Value::Map(map)) = ciborium::de::from_reader_with_recursion_limit(body, DEEPEST) else { return unclear };
    if let Some(Value::Array(images)) = member(&map, "images") {
        let version = |image: &Value| Some(clean(member(image.as_map()?, "version")?.as_text()?, 40));
        return (ControlAnswer::Answered, images.iter().take(MOST_IMAGES).filter_map(version).collect());
    }
    match (member(&map, "rc"), member(&map, "err")) {
        (Some(Value::Integer(code)), _) if *code != 0.into() => (ControlAnswer::Refused, Vec::new()),
        (_, Some(Value::Map(_))) => (ControlAnswer::Refused, Vec::new()),
        _ => unclear,
    }
}

fn member<'a>(map: &'a [(Value, Value)], key: &str) -> Option<&'a Value> {
    map.iter().find(|(k, _)| k.as_text() == Some(key)).map(|(_, v)| v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reply(body: &[u8]) -> Vec<u8> {
        [&[1, 0, 0, u8::try_from(body.len()).unwrap(), 0, 1, 0x43, 0][..], body].concat()
    }

    #[test]
    fn images_are_named_refusals_told_and_anything_else_is_unclear() {
        // {"images": [{"slot": 0, "version": "1.2.0"}]}
        let images = b"\xa1\x66images\x81\xa2\x64slot\x00\x67version\x651.2.0";
        assert_eq!(read(&reply(images)), (ControlAnswer::Answered, vec!["1.2.0".to_owned()]));
        assert_eq!(read(&reply(b"\xa1\x62rc\x08")).0, ControlAnswer::Refused);
        assert_eq!(read(&reply(b"\xa1\x63err\xa2\x65group\x01\x62rc\x08")).0, ControlAnswer::Refused);
        assert_eq!(read(&reply(b"\xa1\x62rc\x00")).0, ControlAnswer::Unclear);
        // Its own question comes back.
        assert_eq!(read(&IMAGE_LIST).0, ControlAnswer::Unclear);
    }

    proptest! {
        #[test]
        fn no_answer_brings_it_down(bytes: Vec<u8>) {
            let _ = (read(&bytes), read(&reply(&bytes.into_iter().take(200).collect::<Vec<_>>())));
        }
    }
}
