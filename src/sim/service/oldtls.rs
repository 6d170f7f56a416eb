//! The presence of a server that only speaks SSL 3.0, TLS 1.0 or TLS 1.1, which no current library offers.
//!
//! It sends ServerHello, Certificate and ServerHelloDone, or the alert that such a server sends, and then closes. It never
//! finishes a handshake, and its certificate fits only the ECDSA suites that it picks first.

use std::io;
use std::sync::Arc;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::hello::{Family, Hello};
use super::tls::Certificate;
use crate::sim::SimError;
use crate::sim::listen::{LineFaults, Raising, Speaker};

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const CERTIFICATE: u8 = 11;
const SERVER_HELLO_DONE: u8 = 14;
const HANDSHAKE_FAILURE: u8 = 40;
const PROTOCOL_VERSION: u8 = 70;
/// Suites of that time, all with CBC and SHA-1, by preference: ECDHE and ECDH with ECDSA, then ECDHE and plain RSA.
const SUITES: [[u8; 2]; 8] =
    [[0xc0, 9], [0xc0, 10], [0xc0, 4], [0xc0, 0x13], [0xc0, 0x14], [0, 0x2f], [0, 0x35], [0, 0x0a]];

/// A server of the past.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OldTls {
    pub port: u16,
    pub version: OldVersion,
    /// Names and dates of the certificate.
    #[serde(default)]
    pub certificate: Certificate,
    #[serde(default)]
    pub faults: LineFaults,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum OldVersion {
    #[serde(rename = "ssl3")]
    Ssl30,
    #[serde(rename = "1.0")]
    Tls10,
    #[serde(rename = "1.1")]
    Tls11,
}

impl OldTls {
    pub(super) fn raise(&self, label: &str, raising: &mut Raising) -> Result<(), SimError> {
        let version = match self.version {
            OldVersion::Ssl30 => [3, 0],
            OldVersion::Tls10 => [3, 1],
            OldVersion::Tls11 => [3, 2],
        };
        let certificate = self.certificate.make(label, &raising.stage)?.cert.der().to_vec();
        raising.tcp(self.port, &self.faults, Server { version, certificate })
    }
}

struct Server {
    version: [u8; 2],
    certificate: Vec<u8>,
}

impl Speaker for Server {
    async fn speak(self: Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        let mut header = [0; 5];
        stream.read_exact(&mut header).await?;
        let [kind, _, _, high, low] = header;
        let mut body = vec![0; u16::from_be_bytes([high, low]).into()];
        if kind != HANDSHAKE || body.len() > 1 << 14 {
            return Ok(());
        }
        stream.read_exact(&mut body).await?;
        let answer = self.answer(&body).unwrap_or_else(|alert| record(ALERT, self.version, &[2, alert]));
        stream.write_all(&answer).await?;
        stream.shutdown().await
    }
}

impl Server {
    fn answer(&self, message: &[u8]) -> Result<Vec<u8>, u8> {
        let (header, body) = message.split_first_chunk::<4>().ok_or(HANDSHAKE_FAILURE)?;
        let [CLIENT_HELLO, ..] = header else { return Err(HANDSHAKE_FAILURE) };
        let offer = Hello::parse(body, Family::Tls).ok_or(HANDSHAKE_FAILURE)?;
        if offer.version < self.version {
            return Err(PROTOCOL_VERSION);
        }
        let suite = SUITES.iter().find(|suite| offer.offers(**suite)).ok_or(HANDSHAKE_FAILURE)?;
        let mut hello = self.version.to_vec();
        hello.extend_from_slice(&rand::random::<[u8; 32]>());
        hello.push(0);
        hello.extend_from_slice(suite);
        hello.push(0);
        hello.extend_from_slice(offer.extensions_to_answer());
        let chain = long_vector(&long_vector(&self.certificate));
        let flight =
            [handshake(SERVER_HELLO, &hello), handshake(CERTIFICATE, &chain), handshake(SERVER_HELLO_DONE, &[])];
        Ok(record(HANDSHAKE, self.version, &flight.concat()))
    }
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
