//! WebSocket (RFC 6455) below MQTT: an upgrade for the sub-protocol `mqtt`, then binary frames.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

pub(super) const LARGEST_FRAME: usize = 64 * 1024;
const LARGEST_HEAD: u64 = 8 * 1024;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// Carries MQTT between the WebSocket and the broker until either ends.
pub(super) async fn relay<S: AsyncRead + AsyncWrite + Unpin>(stream: S, broker: DuplexStream) -> io::Result<()> {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = BufReader::new(reader);
    if !upgrade(&mut reader, &mut writer).await? {
        return writer.shutdown().await;
    }
    let (mut from_broker, mut to_broker) = tokio::io::split(broker);
    let (pongs, mut pings) = tokio::sync::mpsc::channel(4);
    let inward = async {
        while let Some((kind, payload)) = read_frame(&mut reader).await? {
            match kind {
                CLOSE => break,
                PING => drop(pongs.try_send(payload)),
                PONG => {}
                _ => to_broker.write_all(&payload).await?,
            }
        }
        to_broker.shutdown().await
    };
    let outward = async {
        let mut buffer = vec![0; 4096];
        loop {
            let (kind, payload) = tokio::select! {
                read = from_broker.read(&mut buffer) => (2, buffer.get(..read?).unwrap_or_default().to_vec()),
                Some(payload) = pings.recv() => (PONG, payload),
            };
            let over = kind == 2 && payload.is_empty();
            writer.write_all(&frame(if over { CLOSE } else { kind }, &payload)).await?;
            writer.flush().await?;
            if over {
                return writer.shutdown().await;
            }
        }
    };
    tokio::select! {
        result = inward => result,
        result = outward => result,
    }
}

async fn upgrade<R, W>(reader: &mut BufReader<R>, writer: &mut W) -> io::Result<bool>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let room = LARGEST_HEAD.saturating_sub(head.len() as u64);
        if reader.take(room).read_until(b'\n', &mut head).await? == 0 {
            return Ok(false);
        }
    }
    let head = String::from_utf8_lossy(&head);
    let header = |wanted: &str| {
        head.lines().filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    let offers =
        header("sec-websocket-protocol").is_some_and(|(_, value)| value.split(',').any(|p| p.trim() == "mqtt"));
    let Some((_, key)) = header("sec-websocket-key").filter(|_| offers) else {
        writer.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").await?;
        return Ok(false);
    };
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n",
        derive_accept_key(key.trim().as_bytes())
    );
    writer.write_all(answer.as_bytes()).await?;
    writer.flush().await?;
    Ok(true)
}

/// Kind and payload of a frame; the payload is unmasked.
async fn read_frame<R: AsyncRead + Unpin>(reader: &mut R) -> io::Result<Option<(u8, Vec<u8>)>> {
    let first = match reader.read_u8().await {
        Ok(first) => first,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let second = reader.read_u8().await?;
    let length = match second & 0x7f {
        126 => u64::from(reader.read_u16().await?),
        127 => reader.read_u64().await?,
        short => u64::from(short),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    // Clients mask (RFC 6455, 5.1).
    if second & 0x80 == 0 || length > LARGEST_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "unmasked or too large frame"));
    }
    let mut mask = [0; 4];
    reader.read_exact(&mut mask).await?;
    let mut payload = vec![0; length];
    reader.read_exact(&mut payload).await?;
    for (byte, key) in payload.iter_mut().zip(mask.into_iter().cycle()) {
        *byte ^= key;
    }
    Ok(Some((first & 0x0f, payload)))
}

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | kind];
    match u8::try_from(payload.len()) {
        Ok(short) if short < 126 => frame.push(short),
        _ => {
            frame.push(126);
            frame.extend_from_slice(&u16::try_from(payload.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}
