//! Whether camera streams are shown to somebody without a credential.
use super::{
    Probe,
    rtsp::{Talk, control, packets, uri},
};
use crate::model::{Observation, Sha256Digest, Touch, observation::clean};
use crate::scan::{
    data::rows,
    net::Trouble,
    session::{Ctx, Identified},
};
use serde::Deserialize;
use std::{sync::LazyLock, time::Duration};

pub const PROBE: Probe = Probe {
    id: "rtsp-streams",
    version: 2,
    title: "camera streams",
    page: include_str!("rtsp_streams.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

/// The most media packets that are looked at.
const PACKETS: u32 = 3;
const PLAY: Duration = Duration::from_secs(4);

#[derive(Deserialize)]
struct Row {
    path: String,
}

static PATHS: LazyLock<Vec<Row>> =
    LazyLock::new(|| rows("rtsp-paths.toml", include_str!("../../../profiles/data/rtsp-paths.toml"), "path"));

async fn run(ctx: &Ctx) {
    ctx.each(ctx.services_named(&["rtsp"]), |s| s.endpoint, |s| look(ctx, s)).await;
}

async fn look(ctx: &Ctx, s: Identified) {
    // A path that cannot exist shows what this server says to any path.
    let nowhere = format!("/patuh-{:016x}", rand::random::<u64>());
    let paths = PATHS.iter().map(|r| (r.path.clone(), false));
    for (path, control) in std::iter::once((nowhere, true)).chain(paths) {
        match describe(ctx, &s, &path).await {
            Ok(seen) => {
                let (path, status) = (clean(&path, 200), seen.status);
                let stream = Observation::RtspStream {
                    path,
                    control,
                    status,
                    described: seen.described,
                    carried: seen.carried,
                    media_packets: seen.packets,
                };
                ctx.record(s.endpoint, stream, Some(seen.tape));
                // One stream that plays says it all.
                if seen.packets > 0 && !control {
                    return;
                }
            }
            Err(t) => return ctx.trouble(Some("rtsp"), s.endpoint, &t),
        }
    }
}

struct Seen {
    status: u16,
    described: bool,
    carried: Vec<String>,
    packets: u32,
    tape: Sha256Digest,
}

async fn describe(ctx: &Ctx, s: &Identified, path: &str) -> Result<Seen, Trouble> {
    let mut talk = Talk::open(ctx, s).await?;
    let at = uri(s.endpoint, path);
    let reply = talk.describe(&at, None).await?;
    let described = reply.describes();
    let packets = if described { play(&mut talk, &at, &control(&reply, &at)).await } else { 0 };
    let carried = if described { reply.carried() } else { Vec::new() };
    Ok(Seen { status: reply.status, described, carried, packets, tape: talk.wire.close().await })
}

/// Plays a few packets inside the connection, keeps none of them, and leaves. Whatever goes wrong, nothing played.
async fn play(talk: &mut Talk, at: &str, track: &str) -> u32 {
    let inside = [("Transport", "RTP/AVP/TCP;unicast;interleaved=0-1")];
    let session = match talk.ask("SETUP", track, &inside).await {
        Ok(r) if r.status == 200 => r.header("session").split(';').next().unwrap_or_default().to_owned(),
        Ok(_) | Err(_) => return 0,
    };
    let request = format!("PLAY {at} RTSP/1.0\r\nCSeq: 9\r\nSession: {session}\r\nRange: npt=0.000-\r\n\r\n");
    if talk.wire.send(request.as_bytes()).await.is_err() {
        return 0;
    }
    let bytes = talk.wire.watch(PLAY, |b| media(b) >= PACKETS).await;
    let leave = format!("TEARDOWN {at} RTSP/1.0\r\nCSeq: 10\r\nSession: {session}\r\n\r\n");
    let _ = talk.wire.send(leave.as_bytes()).await;
    media(&bytes).min(PACKETS)
}

/// Media may come before the reply to PLAY, and comes after it.
fn media(bytes: &[u8]) -> u32 {
    let early = packets(bytes);
    let Some(reply) = bytes.windows(5).position(|w| w == b"RTSP/") else { return early };
    let rest = bytes.get(reply..).unwrap_or_default();
    let after = rest.windows(4).position(|w| w == b"\r\n\r\n").and_then(|n| rest.get(n + 4..)).unwrap_or_default();
    early + packets(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_counts_behind_the_reply_to_play_and_the_reply_alone_does_not() {
        let reply = b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n";
        let packet = [&b"$\x00\x00\x10\x80"[..], &[0; 15]].concat();
        assert_eq!(media(reply), 0);
        assert_eq!(media(&[reply, packet.as_slice(), packet.as_slice()].concat()), 2);
    }

    #[test]
    fn every_path_is_one_and_the_list_is_short() {
        assert!(PATHS.len() <= 14 && PATHS.iter().all(|r| r.path.starts_with('/')));
    }
}
