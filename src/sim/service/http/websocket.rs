//! WebSockets (RFC 6455) of a site: what they send by themselves. What comes is read and forgotten.

use std::io;
use std::time::Duration;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::Access;
use super::wire::Request;

const BETWEEN: Duration = Duration::from_millis(300);
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;

/// One socket.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebSocket {
    pub path: String,
    #[serde(default)]
    pub access: Access,
    /// Messages, one after the other.
    #[serde(default)]
    pub send: Vec<String>,
    /// The code with which it closes afterwards; it stays open if absent.
    pub close: Option<u16>,
}

impl WebSocket {
    pub(super) async fn speak<S>(&self, stream: &mut S, request: &Request) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let accept = derive_accept_key(request.header("sec-websocket-key").unwrap_or_default().as_bytes());
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await?;
        for text in &self.send {
            stream.write_all(&frame(TEXT, text.as_bytes())).await?;
            stream.flush().await?;
            tokio::time::sleep(BETWEEN).await;
        }
        if let Some(code) = self.close {
            stream.write_all(&frame(CLOSE, &code.to_be_bytes())).await?;
            stream.flush().await?;
            return stream.shutdown().await;
        }
        stream.flush().await?;
        let mut sink = [0; 1024];
        while stream.read(&mut sink).await? > 0 {}
        Ok(())
    }
}

/// An unmasked frame, as servers send them; longer text is cut to what one byte of length tells.
fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let payload = payload.get(..125).unwrap_or(payload);
    [&[opcode, u8::try_from(payload.len()).unwrap_or(125)], payload].concat()
}
