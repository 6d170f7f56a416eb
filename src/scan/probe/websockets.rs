//! What a WebSocket (RFC 6455) sends to somebody without a session. Nothing is sent inside it.
use super::Probe;
use crate::model::{Observation, Touch};
use crate::scan::{
    data::rows,
    net::{Trouble, Wire},
    sensitive,
    session::{Ctx, Identified},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::{io::Cursor, sync::LazyLock, time::Duration};
use tokio_tungstenite::tungstenite::{
    handshake::derive_accept_key,
    protocol::frame::{
        FrameHeader,
        coding::{Control, Data, OpCode},
    },
};

pub const PROBE: Probe = Probe {
    id: "websockets",
    version: 1,
    title: "WebSockets without a session",
    page: include_str!("websockets.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "service-identify"],
    run: |ctx| Box::pin(run(ctx)),
};

const WAIT: Duration = Duration::from_secs(5);
const MOST: usize = 64 * 1024;
/// What a message says that asks for a log-in, and what keeps a connection alive.
const ASKS: [&str; 6] = ["auth", "login", "token", "password", "credential", "challenge"];
const IDLE: [&str; 6] = ["ping", "pong", "hello", "welcome", "heartbeat", "connected"];

#[derive(Deserialize)]
struct Row {
    path: String,
}

static PATHS: LazyLock<Vec<Row>> =
    LazyLock::new(|| rows("websocket-paths.toml", include_str!("../../../profiles/data/websocket-paths.toml"), "path"));

async fn run(ctx: &Ctx) {
    ctx.each_service(ctx.services_named(&["http"]), |s| async move { look(ctx, &s).await }).await;
}

async fn look(ctx: &Ctx, s: &Identified) -> Result<(), Trouble> {
    let nowhere = format!("/patuh-{:016x}", rand::random::<u64>());
    let control = ask(ctx, s, &nowhere).await?;
    // A server that upgrades anywhere has one WebSocket, whatever it is called.
    if control == 101 {
        return Ok(());
    }
    for row in PATHS.iter() {
        let status = ask(ctx, s, &row.path).await?;
        // Closed, and not merely as closed as every path is.
        if matches!(status, 401 | 403) && status != control {
            let seen = Seen::default();
            ctx.record(s.endpoint, seen.observed(&row.path, status), None);
        }
    }
    Ok(())
}

/// Asks for an upgrade, and when it comes reads for a while. The status; an upgrade is recorded here.
async fn ask(ctx: &Ctx, s: &Identified, path: &str) -> Result<u16, Trouble> {
    let mut wire = ctx.connect(s.endpoint, s.tls).await?;
    let key = STANDARD.encode(rand::random::<[u8; 16]>());
    let host = s.endpoint.addr();
    let scheme = if s.tls { "https" } else { "http" };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nOrigin: {scheme}://{host}\r\n\
         Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    wire.send(request.as_bytes()).await?;
    let reply = wire.collect(WAIT, WAIT, MOST, |b| head(b).is_some()).await;
    let (status, upgraded, rest) = match reply {
        Ok(bytes) => read_head(&bytes, &key).unwrap_or((0, false, Vec::new())),
        Err(Trouble::Closed | Trouble::Silent(_)) => (0, false, Vec::new()),
        Err(t) => return Err(t),
    };
    if !upgraded {
        wire.close().await;
        // 101 without the proof of RFC 6455, 4.2.2 is no upgrade.
        return Ok(if status == 101 { 0 } else { status });
    }
    let seen = listen(&mut wire, rest).await;
    // A close frame with code 1000, masked with zeros.
    let _ = wire.send(&[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8]).await;
    let path = if path.starts_with("/patuh-") { "(any)" } else { path };
    let observed = seen.observed(path, status);
    ctx.record(s.endpoint, observed, Some(wire.close().await));
    Ok(status)
}

/// Where the head of the reply ends.
fn head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|w| w == b"\r\n\r\n").map(|n| n + 4)
}

/// Status, whether the upgrade is proved, and what came after the head.
fn read_head(bytes: &[u8], key: &str) -> Option<(u16, bool, Vec<u8>)> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut headers);
    response.parse(bytes).ok()?;
    let status = response.code?;
    let accept = derive_accept_key(key.as_bytes());
    let proved = response
        .headers
        .iter()
        .any(|h| h.name.eq_ignore_ascii_case("sec-websocket-accept") && h.value == accept.as_bytes());
    Some((status, status == 101 && proved, bytes.get(head(bytes)?..).unwrap_or_default().to_vec()))
}

#[derive(Debug, Default)]
pub struct Seen {
    /// Messages with content, and their bytes; those that ask for a log-in or keep the connection are not counted.
    messages: u32,
    bytes: u64,
    close: Option<u16>,
    asks: bool,
    sensitive: Vec<String>,
}

async fn listen(wire: &mut Wire, mut bytes: Vec<u8>) -> Seen {
    let until = tokio::time::Instant::now() + WAIT;
    let mut seen = Seen::default();
    loop {
        let used = seen.take(&bytes);
        bytes.drain(..used.min(bytes.len()));
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        if left.is_zero() || seen.close.is_some() || bytes.len() > MOST || seen.bytes > MOST as u64 {
            return seen;
        }
        match wire.receive(left).await {
            Ok(more) => bytes.extend(more),
            Err(_) => return seen,
        }
    }
}

impl Seen {
    /// Reads the whole frames; how many bytes they took.
    pub fn take(&mut self, bytes: &[u8]) -> usize {
        let mut used = 0;
        loop {
            let mut cursor = Cursor::new(bytes.get(used..).unwrap_or_default());
            let Ok(Some((header, length))) = FrameHeader::parse(&mut cursor) else { return used };
            let from = used.saturating_add(usize::try_from(cursor.position()).unwrap_or(usize::MAX));
            let to = from.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
            let Some(payload) = bytes.get(from..to) else { return used };
            self.frame(header.opcode, payload);
            used = to;
        }
    }

    fn frame(&mut self, opcode: OpCode, payload: &[u8]) {
        match opcode {
            OpCode::Data(Data::Text | Data::Binary) => {
                let text = String::from_utf8_lossy(payload);
                let lower = text.to_lowercase();
                self.sensitive.extend(sensitive::classes(&text));
                self.sensitive.sort();
                self.sensitive.dedup();
                if ASKS.iter().any(|w| lower.contains(w)) && self.sensitive.is_empty() {
                    self.asks = true;
                } else if payload.len() > 1 && !(payload.len() < 80 && IDLE.iter().any(|w| lower.contains(w))) {
                    self.messages += 1;
                    self.bytes += payload.len() as u64;
                }
            }
            OpCode::Control(Control::Close) => {
                let code = payload.first_chunk::<2>().map_or(1005, |c| u16::from_be_bytes(*c));
                self.close = Some(code);
            }
            OpCode::Data(_) | OpCode::Control(_) => {}
        }
    }

    fn observed(self, path: &str, status: u16) -> Observation {
        let Self { messages, bytes, close, asks, sensitive } = self;
        Observation::WebSocket { path: path.to_owned(), status, messages, bytes, close, asks_in_band: asks, sensitive }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(s: &str) -> Vec<u8> {
        [&[0x81, u8::try_from(s.len()).unwrap()], s.as_bytes()].concat()
    }

    #[test]
    fn what_asks_for_a_log_in_or_keeps_the_line_is_no_data() {
        let mut seen = Seen::default();
        let all = [text(r#"{"type":"auth_required"}"#), text("ping"), text(r#"{"temp":21.5}"#)].concat();
        assert_eq!(seen.take(&all), all.len());
        assert!(seen.asks);
        assert_eq!((seen.messages, seen.bytes), (1, 13));
    }

    #[test]
    fn a_close_tells_its_code_and_half_a_frame_waits() {
        let mut seen = Seen::default();
        assert_eq!(seen.take(&[0x88, 2, 0x11]), 0);
        assert_eq!(seen.take(&[0x88, 2, 0x11, 0x31]), 4);
        assert_eq!(seen.close, Some(4401));
    }

    #[test]
    fn an_upgrade_without_its_proof_is_none() {
        let reply = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nx";
        let (status, proved, rest) = read_head(reply, "dGhlIHNhbXBsZSBub25jZQ==").unwrap();
        assert_eq!((status, proved, rest.as_slice()), (101, true, &b"x"[..]));
        assert!(!read_head(reply, "another").unwrap().1);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes: Vec<u8>) {
            Seen::default().take(&bytes);
            let _ = read_head(&bytes, "k");
        }
    }
}
