//! MQTT inside a WebSocket (RFC 6455), by tungstenite over a wire of ours.
use crate::model::Endpoint;
use crate::scan::net::{Trouble, Wire, wire::Io};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// Upgrades and hands back a wire that carries the payload of binary frames.
pub async fn upgrade(wire: Wire, e: Endpoint) -> Result<Wire, Trouble> {
    wire.through(|io| frames(io, e)).await
}

async fn frames(io: Box<dyn Io>, e: Endpoint) -> Result<DuplexStream, Trouble> {
    use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest, http::HeaderValue};
    let bad = |x: tokio_tungstenite::tungstenite::Error| Trouble::NotUnderstood(format!("no WebSocket: {x}"));
    let mut request = format!("ws://{}/mqtt", e.addr()).into_client_request().map_err(bad)?;
    request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("mqtt"));
    let connecting = tokio_tungstenite::client_async(request, io);
    let connected = tokio::time::timeout(Duration::from_secs(3), connecting).await;
    let (socket, _) = connected.map_err(|_| Trouble::Silent(3000))?.map_err(bad)?;
    let (near, mut far) = tokio::io::duplex(64 * 1024);
    tokio::spawn(async move {
        use futures_util::{SinkExt, StreamExt};
        let (mut sink, mut stream) = socket.split();
        let mut buffer = vec![0u8; 16 * 1024];
        loop {
            tokio::select! {
                n = far.read(&mut buffer) => match n {
                    Ok(n) if n > 0 => {
                        let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                        if sink.send(Message::Binary(bytes.into())).await.is_err() { break }
                    }
                    _ => break,
                },
                m = stream.next() => match m {
                    Some(Ok(Message::Binary(b))) => if far.write_all(&b).await.is_err() { break },
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Text(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                },
            }
        }
        let _ = sink.close().await;
    });
    Ok(near)
}
