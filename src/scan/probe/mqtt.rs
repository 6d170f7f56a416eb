//! A small MQTT client over a wire of ours, with rumqttc's packet codecs: it never reconnects by itself.
use super::websocket;
use crate::model::Sha256Digest;
use crate::scan::{
    net::{Trouble, Wire},
    session::{Ctx, FIRST_BYTE, Identified},
};
use rumqttc::mqttbytes::v4;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    V311,
    V5,
}

impl Level {
    pub fn word(self) -> &'static str {
        match self {
            Self::V311 => "3.1.1",
            Self::V5 => "5",
        }
    }
}

pub struct Client {
    wire: Wire,
    buffer: bytes::BytesMut,
}

/// A message larger than this is cut off, and ends the session.
const MOST: usize = 256 * 1024;

impl Client {
    /// Connects with a random client id. Returns the code of the CONNACK; 0 is accepted.
    pub async fn connect(
        ctx: &Ctx,
        s: &Identified,
        level: Level,
        login: Option<(&str, &str)>,
    ) -> Result<(Self, u8), Trouble> {
        Self::connect_as(ctx, s, level, login, &made_up()).await
    }

    /// The same under a client id.
    pub async fn connect_as(
        ctx: &Ctx,
        s: &Identified,
        level: Level,
        login: Option<(&str, &str)>,
        id: &str,
    ) -> Result<(Self, u8), Trouble> {
        let mut wire = ctx.connect(s.endpoint, s.tls).await?;
        if let Some((_, secret)) = login {
            wire.tape.hide(secret.as_bytes());
        }
        if s.says.iter().any(|w| w.contains("WebSocket")) {
            wire = websocket::upgrade(wire, s.endpoint).await?;
        }
        let mut client = Self { wire, buffer: bytes::BytesMut::new() };
        client.wire.send(&connect_as(level, login, id)).await?;
        match client.receive(FIRST_BYTE).await {
            Ok((0x20, body)) => match body.get(1) {
                Some(code) => Ok((client, *code)),
                None => Err(Trouble::NotUnderstood("a CONNACK without a code".to_owned())),
            },
            Ok((kind, _)) => Err(Trouble::NotUnderstood(format!("packet type 0x{kind:02x} where CONNACK was due"))),
            // Closing instead of answering is a refusal, too.
            Err(Trouble::Closed) => Ok((client, 0xff)),
            Err(t) => Err(t),
        }
    }

    /// One packet: its first byte and its body.
    async fn receive(&mut self, wait: Duration) -> Result<(u8, Vec<u8>), Trouble> {
        loop {
            if let Some(packet) = split(&mut self.buffer)? {
                return Ok(packet);
            }
            let more = self.wire.receive(wait).await?;
            self.buffer.extend_from_slice(&more);
        }
    }

    async fn send(&mut self, packet: &v4::Packet) -> Result<(), Trouble> {
        let mut out = bytes::BytesMut::new();
        packet.write(&mut out, MOST).map_err(|e| Trouble::NotUnderstood(e.to_string()))?;
        self.wire.send(&out).await
    }

    /// Whether the broker answers a PINGREQ in this session.
    pub async fn ping(&mut self) -> bool {
        if self.wire.send(&[0xc0, 0]).await.is_err() {
            return false;
        }
        // Retained messages may come first.
        for _ in 0..100 {
            match self.receive(FIRST_BYTE).await {
                Ok((0xd0, _)) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        }
        false
    }

    /// The code of the SUBACK: below 0x80 is granted.
    pub async fn subscribe(&mut self, filter: &str) -> Result<u8, Trouble> {
        let mut packet = v4::Subscribe::new(filter, rumqttc::QoS::AtMostOnce);
        packet.pkid = 1;
        self.send(&v4::Packet::Subscribe(packet)).await?;
        for _ in 0..1000 {
            if let (0x90, body) = self.receive(FIRST_BYTE).await? {
                return Ok(body.last().copied().unwrap_or(0x80));
            }
        }
        Err(Trouble::NotUnderstood("no SUBACK among 1000 packets".to_owned()))
    }

    pub async fn publish(&mut self, topic: &str, payload: &[u8]) -> Result<(), Trouble> {
        self.send(&v4::Packet::Publish(v4::Publish::new(topic, rumqttc::QoS::AtMostOnce, payload.to_vec()))).await
    }

    /// Publishes in a session of MQTT 5 so that it is acknowledged, and gives the reason code (MQTT 5.0, 3.4.2.1).
    pub async fn publish_v5(&mut self, topic: &str, payload: &[u8]) -> Option<u8> {
        let length = u16::try_from(topic.len()).ok()?;
        let body = [&length.to_be_bytes()[..], topic.as_bytes(), &[0, 1, 0], payload].concat();
        let length = u8::try_from(body.len()).ok().filter(|n| *n < 0x80);
        let head = match length {
            Some(n) => vec![0x32, n],
            None => vec![0x32, u8::try_from(body.len() % 128).ok()? | 0x80, u8::try_from(body.len() / 128).ok()?],
        };
        self.wire.send(&[head, body].concat()).await.ok()?;
        for _ in 0..100 {
            match self.receive(FIRST_BYTE).await {
                // Without a reason code it is a success.
                Ok((0x40, body)) => return Some(body.get(2).copied().unwrap_or(0)),
                // The broker may end the session instead, and say why.
                Ok((0xe0, body)) => return Some(body.first().copied().unwrap_or(0x80)),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
        None
    }

    /// Topic, retained flag and payload of what is delivered within `time`.
    pub async fn messages(&mut self, time: Duration) -> Vec<(String, bool, Vec<u8>)> {
        let until = tokio::time::Instant::now() + time;
        let mut all = Vec::new();
        while all.len() < 5000 {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            match self.receive(left).await {
                Ok((first, body)) if first >> 4 == 3 => all.extend(message(first, &body)),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        all
    }

    pub async fn close(mut self) -> Sha256Digest {
        let _ = self.wire.send(&[0xe0, 0]).await;
        self.wire.close().await
    }
}

fn made_up() -> String {
    format!("patuh-{:08x}", rand::random::<u32>())
}

/// The bytes of a CONNECT with a random client id.
pub fn connect(level: Level, login: Option<(&str, &str)>) -> Vec<u8> {
    connect_as(level, login, &made_up())
}

fn connect_as(level: Level, login: Option<(&str, &str)>, id: &str) -> Vec<u8> {
    let mut body = b"\x00\x04MQTT".to_vec();
    body.push(match level {
        Level::V311 => 4,
        Level::V5 => 5,
    });
    body.push(if login.is_some() { 0xc2 } else { 2 });
    body.extend([0, 30]);
    if level == Level::V5 {
        body.push(0);
    }
    for field in std::iter::once(id).chain(login.iter().flat_map(|(u, p)| [*u, *p])) {
        body.extend(u16::try_from(field.len()).unwrap_or(u16::MAX).to_be_bytes());
        body.extend_from_slice(field.as_bytes());
    }
    let mut packet = vec![0x10];
    let mut n = body.len();
    loop {
        let digit = u8::try_from(n % 128).unwrap_or(0);
        n /= 128;
        packet.push(if n > 0 { digit | 0x80 } else { digit });
        if n == 0 {
            break;
        }
    }
    packet.extend(body);
    packet
}

/// Takes one whole packet off the buffer.
pub fn split(buffer: &mut bytes::BytesMut) -> Result<Option<(u8, Vec<u8>)>, Trouble> {
    let (mut length, mut used) = (0usize, 1usize);
    loop {
        let Some(byte) = buffer.get(used) else { return Ok(None) };
        length |= usize::from(byte & 0x7f) << (7 * (used - 1));
        used += 1;
        if byte & 0x80 == 0 {
            break;
        }
        if used > 4 {
            return Err(Trouble::NotUnderstood("an MQTT length of more than four bytes".to_owned()));
        }
    }
    if length > MOST {
        return Err(Trouble::NotUnderstood(format!("an MQTT packet of {length} bytes")));
    }
    if buffer.len() < used + length {
        return Ok(None);
    }
    let packet = buffer.split_to(used + length);
    let first = packet.first().copied().unwrap_or(0);
    Ok(Some((first, packet.get(used..).unwrap_or_default().to_vec())))
}

fn message(first: u8, body: &[u8]) -> Option<(String, bool, Vec<u8>)> {
    let mut c = crate::scan::codec::Cursor(body);
    let topic = String::from_utf8_lossy(c.vec16()?).into_owned();
    if first & 6 != 0 {
        c.u16()?;
    }
    Some((topic, first & 1 == 1, c.0.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_connect_is_read_back_by_the_codec() {
        let mut bytes = bytes::BytesMut::from(connect(Level::V311, Some(("u", "p"))).as_slice());
        let v4::Packet::Connect(c) = v4::Packet::read(&mut bytes, 1000).unwrap() else { panic!() };
        assert_eq!(c.login.unwrap().username, "u");
    }

    proptest! {
        #[test]
        fn no_bytes_can_make_it_panic(bytes: Vec<u8>) {
            let mut b = bytes::BytesMut::from(bytes.as_slice());
            while let Ok(Some((first, body))) = split(&mut b) { let _ = message(first, &body); }
        }
    }
}
