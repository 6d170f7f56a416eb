//! CoAP as a client speaks it: confirmable requests, separate answers, answers in blocks.
use crate::scan::net::{Datagrams, Trouble};
use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType};
use std::time::Duration;

const WAIT: Duration = Duration::from_secs(2);
/// For an answer to something odd, which may be silence.
const SHORT: Duration = Duration::from_millis(700);

/// A confirmable request with an id and a token of its own.
pub fn request(method: RequestType, path: &str) -> Packet {
    let mut request = Packet::new();
    request.header.set_type(MessageType::Confirmable);
    request.header.code = MessageClass::Request(method);
    request.header.message_id = rand::random();
    request.set_token(rand::random::<[u8; 4]>().to_vec());
    for segment in path.trim_start_matches('/').split('/') {
        request.add_option(CoapOption::UriPath, segment.as_bytes().to_vec());
    }
    request
}

/// GETs a path as a confirmable request, with Block2 and separate responses. Returns the code and the body.
pub async fn get(socket: &mut Datagrams, path: &str) -> Result<(String, Vec<u8>), Trouble> {
    let mut body = Vec::new();
    let mut size = None;
    for number in 0..16u32 {
        let mut request = request(RequestType::Get, path);
        if let Some(szx) = size {
            let value = (number << 4) | u32::from(szx);
            let bytes: Vec<u8> = value.to_be_bytes().into_iter().skip_while(|b| *b == 0).collect();
            request.add_option(CoapOption::Block2, bytes);
        }
        let reply = exchange(socket, &request).await?;
        body.extend_from_slice(&reply.payload);
        let block = reply.get_first_option(CoapOption::Block2);
        let block = block.map(|b| b.iter().take(3).fold(0u32, |n, x| n << 8 | u32::from(*x)));
        let more = block.is_some_and(|b| b & 8 != 0);
        if !more || body.len() > 64 * 1024 {
            return Ok((reply.header.get_code(), body));
        }
        size = block.and_then(|b| u8::try_from(b & 7).ok());
    }
    Ok(("2.05".to_owned(), body))
}

/// GETs a path with an option of this number. Returns the code, `reset`, or `silent` after three tries.
pub async fn with_option(socket: &mut Datagrams, path: &str, number: u16) -> Result<String, Trouble> {
    let bad = |e: coap_lite::error::MessageError| Trouble::NotUnderstood(format!("not readable as CoAP: {e:?}"));
    let mut asked = request(RequestType::Get, path);
    asked.add_option(CoapOption::Unknown(number), vec![1]);
    let bytes = asked.to_bytes().map_err(bad)?;
    for _ in 0..3 {
        socket.send(&bytes).await?;
        let until = tokio::time::Instant::now() + SHORT;
        loop {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            let reply = match socket.receive(left).await {
                Ok(b) => Packet::from_bytes(&b).map_err(bad)?,
                Err(Trouble::Silent(_)) => break,
                Err(t) => return Err(t),
            };
            let same = reply.header.message_id == asked.header.message_id;
            if same && reply.header.get_type() == MessageType::Reset {
                return Ok("reset".to_owned());
            }
            if reply.get_token() == asked.get_token() && reply.header.code != MessageClass::Empty {
                return Ok(reply.header.get_code());
            }
        }
    }
    Ok("silent".to_owned())
}

/// Sends until an answer with our token comes: in the acknowledgement or in a message of its own.
pub async fn exchange(socket: &mut Datagrams, request: &Packet) -> Result<Packet, Trouble> {
    let bad = |e: coap_lite::error::MessageError| Trouble::NotUnderstood(format!("not readable as CoAP: {e:?}"));
    let bytes = request.to_bytes().map_err(bad)?;
    for attempt in 0..3u32 {
        socket.send(&bytes).await?;
        let until = tokio::time::Instant::now() + WAIT * (attempt + 1);
        loop {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            let reply = match socket.receive(left).await {
                Ok(b) => Packet::from_bytes(&b).map_err(bad)?,
                Err(Trouble::Silent(_)) => break,
                Err(t) => return Err(t),
            };
            if reply.get_token() != request.get_token() || reply.header.code == MessageClass::Empty {
                continue;
            }
            if reply.header.get_type() == MessageType::Confirmable {
                let [hi, lo] = reply.header.message_id.to_be_bytes();
                socket.send(&[0x60, 0, hi, lo]).await?;
            }
            return Ok(reply);
        }
    }
    Err(Trouble::Silent(WAIT.as_millis() * 6))
}
