//! The presence of a server that no current library can play: SSL 3.0 to TLS 1.2 with any suite, and with the faults that
//! were attacks once.
//!
//! It sends its first flight up to ServerHelloDone, or the alert that such a server sends, and then closes. It never finishes
//! a handshake; what it signs is noise, and its own certificate fits only the ECDSA suites that it picks first.

use std::io;
use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::hello::{Family, Hello};
use super::tls::Certificate;
use crate::sim::SimError;
use crate::sim::listen::{LineFaults, Raising, Speaker};

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const HEARTBEAT: u8 = 24;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const SERVER_HELLO_DONE: u8 = 14;
const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;
/// Suites of that time, all with CBC and SHA-1, by preference: ECDHE and ECDH with ECDSA, then ECDHE and plain RSA.
const SUITES: [u16; 8] = [0xc009, 0xc00a, 0xc004, 0xc013, 0xc014, 0x002f, 0x0035, 0x000a];

/// A server of the past.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OldTls {
    pub port: u16,
    pub version: OldVersion,
    /// Names and dates of the certificate.
    #[serde(default)]
    pub certificate: Certificate,
    /// Certificates to show instead, leaf first: DER in base64.
    #[serde(default)]
    pub chain: Vec<String>,
    /// Suites by number, by preference.
    #[serde(default = "usual")]
    pub suites: Vec<u16>,
    /// The prime of finite-field key exchange.
    #[serde(default = "large")]
    pub dh_bits: u16,
    #[serde(default)]
    pub compression: Compression,
    #[serde(default)]
    pub renegotiation: Renegotiation,
    #[serde(default)]
    pub heartbeat: Heartbeat,
    #[serde(default)]
    pub faults: LineFaults,
}

fn usual() -> Vec<u16> {
    SUITES.to_vec()
}

fn large() -> u16 {
    2048
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum OldVersion {
    #[serde(rename = "ssl3")]
    Ssl30,
    #[serde(rename = "1.0")]
    Tls10,
    #[serde(rename = "1.1")]
    Tls11,
    #[serde(rename = "1.2")]
    Tls12,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    #[default]
    Refused,
    Taken,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Renegotiation {
    #[default]
    Secure,
    Insecure,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Heartbeat {
    #[default]
    Absent,
    /// Hangs up on one that is too short.
    Checked,
    /// Answers it.
    Unchecked,
}

impl OldTls {
    pub(super) fn raise(&self, label: &str, raising: &mut Raising) -> Result<(), SimError> {
        let version = match self.version {
            OldVersion::Ssl30 => [3, 0],
            OldVersion::Tls10 => [3, 1],
            OldVersion::Tls11 => [3, 2],
            OldVersion::Tls12 => [3, 3],
        };
        let setup = |e: base64::DecodeError| SimError::Setup { service: label.to_owned(), problem: e.to_string() };
        let mut chain = Vec::new();
        for text in &self.chain {
            chain.push(STANDARD.decode(text.split_whitespace().collect::<String>()).map_err(setup)?);
        }
        if chain.is_empty() {
            chain.push(self.certificate.make(label, &raising.stage)?.cert.der().to_vec());
        }
        raising.tcp(self.port, &self.faults, Server { version, chain, spec: self.clone() })
    }
}

struct Server {
    version: [u8; 2],
    chain: Vec<Vec<u8>>,
    spec: OldTls,
}

impl Speaker for Server {
    async fn speak(self: Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        let Some((kind, body)) = read(&mut stream).await? else { return Ok(()) };
        if kind != HANDSHAKE {
            return Ok(());
        }
        let answer = self.answer(&body);
        let beats = answer.is_ok() && self.spec.heartbeat == Heartbeat::Unchecked;
        let answer = answer.unwrap_or_else(|alert| record(ALERT, self.version, &[2, alert]));
        stream.write_all(&answer).await?;
        if beats && let Some((HEARTBEAT, _)) = read(&mut stream).await? {
            // No payload, and the padding that the request did without.
            let mut pong = vec![2, 0, 0];
            pong.extend([0; 16]);
            stream.write_all(&record(HEARTBEAT, self.version, &pong)).await?;
        }
        stream.shutdown().await
    }
}

async fn read(stream: &mut TcpStream) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut header = [0; 5];
    match stream.read_exact(&mut header).await {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    };
    let [kind, _, _, high, low] = header;
    let mut body = vec![0; u16::from_be_bytes([high, low]).into()];
    if body.len() > 1 << 14 {
        return Ok(None);
    }
    stream.read_exact(&mut body).await?;
    Ok(Some((kind, body)))
}

impl Server {
    fn answer(&self, message: &[u8]) -> Result<Vec<u8>, u8> {
        let (header, body) = message.split_first_chunk::<4>().ok_or(HANDSHAKE_FAILURE)?;
        let [CLIENT_HELLO, ..] = header else { return Err(HANDSHAKE_FAILURE) };
        let offer = Hello::parse(body, Family::Tls).ok_or(HANDSHAKE_FAILURE)?;
        if offer.version < self.version {
            return Err(PROTOCOL_VERSION);
        }
        let offered = |n: &&u16| offer.offers(n.to_be_bytes());
        let suite = *self.spec.suites.iter().find(offered).ok_or(HANDSHAKE_FAILURE)?;
        let mut hello = self.version.to_vec();
        hello.extend_from_slice(&rand::random::<[u8; 32]>());
        hello.push(0);
        hello.extend_from_slice(&suite.to_be_bytes());
        let compress = self.spec.compression == Compression::Taken && offer.compressions.contains(&1);
        hello.push(compress.into());
        hello.extend(self.extensions(&offer));
        let chain: Vec<u8> = self.chain.iter().flat_map(|der| long_vector(der)).collect();
        let mut flight = vec![handshake(SERVER_HELLO, &hello), handshake(CERTIFICATE, &long_vector(&chain))];
        flight.extend(self.key_exchange(suite).map(|body| handshake(SERVER_KEY_EXCHANGE, &body)));
        flight.push(handshake(SERVER_HELLO_DONE, &[]));
        Ok(record(HANDSHAKE, self.version, &flight.concat()))
    }

    fn extensions(&self, offer: &Hello<'_>) -> Vec<u8> {
        let secure = self.spec.renegotiation == Renegotiation::Secure;
        let mut all = if secure { offer.extensions_to_answer().get(2..).unwrap_or_default() } else { &[] }.to_vec();
        if self.spec.heartbeat != Heartbeat::Absent && offer.has_extension([0, 15]) {
            all.extend([0, 15, 0, 1, 1]);
        }
        match u16::try_from(all.len()) {
            Ok(n @ 1..) => [n.to_be_bytes().to_vec(), all].concat(),
            Ok(0) | Err(_) => Vec::new(),
        }
    }

    /// Parameters that look right, under a signature that is noise.
    fn key_exchange(&self, suite: u16) -> Option<Vec<u8>> {
        let mut body = match suite {
            // ECDHE, by the blocks of the registry: secp256r1 and a point.
            0xc006..=0xc00a
            | 0xc010..=0xc014
            | 0xc015..=0xc019
            | 0xc023..=0xc024
            | 0xc027..=0xc02c
            | 0xc02f..=0xc030 => {
                let mut point = vec![3, 0, 23, 65, 4];
                point.extend([7; 64]);
                point
            }
            0x0011..=0x001b | 0x0032..=0x0034 | 0x0038..=0x003a | 0x0067 | 0x006b | 0x009e..=0x009f => {
                let bytes = usize::from(self.spec.dh_bits / 8);
                let prime: Vec<u8> = std::iter::repeat_n(0xff, bytes).collect();
                [vector(&prime), vector(&[2]), vector(&prime)].concat()
            }
            _ => return None,
        };
        if self.version >= [3, 3] {
            body.extend([4, 3]);
        }
        body.extend(vector(&[9; 64]));
        Some(body)
    }
}

fn vector(content: &[u8]) -> Vec<u8> {
    let mut bytes = u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes
}

fn handshake(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut message = vec![kind];
    message.extend(long_vector(body));
    message
}

/// Three bytes of length, then the content.
fn long_vector(content: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    let mut bytes = length.to_vec();
    bytes.extend_from_slice(content);
    bytes
}

fn record(kind: u8, version: [u8; 2], body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind];
    record.extend_from_slice(&version);
    record.extend_from_slice(&u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes());
    record.extend_from_slice(body);
    record
}
