//! The packets of MQTT 3.1.1 and 5 that a small broker needs.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, BufReader};

const LARGEST_PACKET: usize = 64 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V311,
    V5,
}

pub(super) enum Packet {
    Connect(Connect),
    Publish(Publish),
    /// PUBREL.
    Release {
        id: u16,
    },
    Subscribe {
        id: u16,
        filters: Vec<String>,
    },
    Unsubscribe {
        id: u16,
        filters: Vec<String>,
    },
    Ping,
    Disconnect,
    /// Known to the protocol, of no consequence here.
    Other,
}

pub(super) struct Connect {
    pub version: Version,
    pub id: String,
    pub user: Option<String>,
    pub password: Option<String>,
}

pub(super) struct Publish {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retain: bool,
    /// Packet id and QoS, for QoS 1 and 2.
    receipt: Option<(u16, u8)>,
}

/// Whether a delivery comes from the store; sets its RETAIN flag.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Retained {
    Kept,
    Fresh,
}

/// Reads a packet; `None` at the end of the stream.
pub(super) async fn read<R: AsyncRead + Unpin>(
    reader: &mut BufReader<R>,
    version: Version,
) -> io::Result<Option<Packet>> {
    let first = match reader.read_u8().await {
        Ok(first) => first,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = read_length(reader).await?;
    if length > LARGEST_PACKET {
        return Err(malformed());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await?;
    parse(first, &mut Cursor(&body), version).map(Some).ok_or_else(malformed)
}

async fn read_length<R: AsyncRead + Unpin>(reader: &mut BufReader<R>) -> io::Result<usize> {
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let byte = reader.read_u8().await?;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err(malformed())
}

fn parse(first: u8, body: &mut Cursor<'_>, version: Version) -> Option<Packet> {
    Some(match first >> 4 {
        1 => Packet::Connect(connect(body)?),
        3 => Packet::Publish(incoming(first, body, version)?),
        6 => Packet::Release { id: body.short()? },
        8 => {
            let (id, filters) = filters(body, version, 1)?;
            Packet::Subscribe { id, filters }
        }
        10 => {
            let (id, filters) = filters(body, version, 0)?;
            Packet::Unsubscribe { id, filters }
        }
        12 => Packet::Ping,
        14 => Packet::Disconnect,
        4 | 5 | 7 | 15 => Packet::Other,
        _ => return None,
    })
}

fn connect(body: &mut Cursor<'_>) -> Option<Connect> {
    if body.text()? != "MQTT" {
        return None;
    }
    let version = match body.byte()? {
        4 => Version::V311,
        5 => Version::V5,
        _ => return None,
    };
    let flags = body.byte()?;
    body.short()?;
    body.skip_properties(version)?;
    let id = body.text()?;
    if flags & 0x04 != 0 {
        body.skip_properties(version)?;
        body.text()?;
        body.binary()?;
    }
    let user = if flags & 0x80 == 0 { None } else { Some(body.text()?) };
    let password = if flags & 0x40 == 0 { None } else { Some(body.text()?) };
    Some(Connect { version, id, user, password })
}

fn incoming(first: u8, body: &mut Cursor<'_>, version: Version) -> Option<Publish> {
    let topic = body.text()?;
    let receipt = match first >> 1 & 3 {
        0 => None,
        qos @ (1 | 2) => Some((body.short()?, qos)),
        _ => return None,
    };
    body.skip_properties(version)?;
    Some(Publish { topic, payload: body.0.to_vec(), retain: first & 1 == 1, receipt })
}

/// Packet id and topic filters, each followed by `extra` option bytes.
fn filters(body: &mut Cursor<'_>, version: Version, extra: usize) -> Option<(u16, Vec<String>)> {
    let id = body.short()?;
    body.skip_properties(version)?;
    let mut filters = Vec::new();
    while !body.0.is_empty() {
        filters.push(body.text()?);
        body.take(extra)?;
    }
    (!filters.is_empty()).then_some((id, filters))
}

/// What is left of a packet.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().ok()?))
    }

    fn binary(&mut self) -> Option<&'a [u8]> {
        let length = self.short()?;
        self.take(length.into())
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.binary()?.to_vec()).ok()
    }

    fn skip_properties(&mut self, version: Version) -> Option<()> {
        if version == Version::V311 {
            return Some(());
        }
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?;
            length |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return self.take(length).map(drop);
            }
        }
        None
    }
}

pub(super) fn welcome(version: Version) -> Vec<u8> {
    connack(version, 0)
}

/// Not authorised: 5 in MQTT 3.1.1, 0x87 in MQTT 5.
pub(super) fn refused(version: Version) -> Vec<u8> {
    match version {
        Version::V311 => connack(version, 5),
        Version::V5 => connack(version, 0x87),
    }
}

fn connack(version: Version, code: u8) -> Vec<u8> {
    match version {
        Version::V311 => frame(0x20, &[0, code]),
        Version::V5 => frame(0x20, &[0, code, 0]),
    }
}

pub(super) fn suback(version: Version, id: u16, code: u8, count: usize) -> Vec<u8> {
    let mut body = acknowledged(version, id);
    body.resize(body.len() + count, code);
    frame(0x90, &body)
}

pub(super) fn unsuback(version: Version, id: u16, count: usize) -> Vec<u8> {
    let mut body = acknowledged(version, id);
    if version == Version::V5 {
        body.resize(body.len() + count, 0);
    }
    frame(0xb0, &body)
}

fn acknowledged(version: Version, id: u16) -> Vec<u8> {
    let mut body = id.to_be_bytes().to_vec();
    if version == Version::V5 {
        body.push(0);
    }
    body
}

pub(super) fn pong() -> Vec<u8> {
    frame(0xd0, &[])
}

/// PUBACK or PUBREC, where the QoS asks for it.
pub(super) fn receipt(publish: &Publish) -> Option<Vec<u8>> {
    let (id, qos) = publish.receipt?;
    Some(frame(if qos == 1 { 0x40 } else { 0x50 }, &id.to_be_bytes()))
}

/// PUBCOMP.
pub(super) fn complete(id: u16) -> Vec<u8> {
    frame(0x70, &id.to_be_bytes())
}

pub(super) fn publish(version: Version, topic: &str, payload: &[u8], retained: Retained) -> Vec<u8> {
    let mut body = u16::try_from(topic.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    body.extend_from_slice(topic.as_bytes());
    if version == Version::V5 {
        body.push(0);
    }
    body.extend_from_slice(payload);
    frame(if retained == Retained::Kept { 0x31 } else { 0x30 }, &body)
}

fn frame(first: u8, body: &[u8]) -> Vec<u8> {
    let mut packet = vec![first];
    let mut length = body.len();
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        packet.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    packet.extend_from_slice(body);
    packet
}

fn malformed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "malformed packet")
}
