//! CoAPs: DTLS 1.2 (RFC 6347) for TLS_PSK_WITH_AES_128_CCM_8 where it has keys; else its presence alone, DTLS 1.2 or 1.0 up to
//! ServerHelloDone for suites with a pre-shared key, and no further.
//!
//! Without keys it goes up to ServerHelloDone and no further: enough to be found, to show whether it asks for a cookie and
//! which suites it refuses. With keys OpenSSL finishes the handshake, and a CoAP ping is answered inside.

mod keys;

use std::net::SocketAddr;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::hello::{Family, Hello};
use crate::sim::SimError;
use crate::sim::fill::fill;
use crate::sim::listen::{Answerer, Raising};

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const HELLO_VERIFY_REQUEST: u8 = 3;
const SERVER_KEY_EXCHANGE: u8 = 12;
const SERVER_HELLO_DONE: u8 = 14;
const DTLS_1_0: [u8; 2] = [0xfe, 0xff];
const DTLS_1_2: [u8; 2] = [0xfe, 0xfd];
const PSK_AES_128_CCM_8: u16 = 0xc0a8;

/// A CoAPs service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coaps {
    pub port: u16,
    /// The PSK identity hint.
    #[serde(default)]
    pub hint: String,
    #[serde(default)]
    pub cookie: Cookie,
    /// Who gets in.
    #[serde(default)]
    pub keys: Vec<keys::Key>,
    /// Whether it names an identity that it does not know in an alert.
    #[serde(default)]
    pub unknown: keys::Unknown,
    /// The version that it speaks.
    #[serde(default)]
    pub version: DtlsVersion,
    /// Suites by number, by preference: such with a pre-shared key.
    #[serde(default = "ccm8")]
    pub suites: Vec<u16>,
}

fn ccm8() -> Vec<u16> {
    vec![PSK_AES_128_CCM_8]
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum DtlsVersion {
    #[serde(rename = "1.0")]
    V10,
    #[default]
    #[serde(rename = "1.2")]
    V12,
}

/// Whether a visitor has to prove his address first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cookie {
    #[default]
    Asked,
    Absent,
}

impl Coaps {
    pub(super) async fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        if !self.keys.is_empty() {
            return raising.udp(self.port, keys::Server::new(self)?).await;
        }
        let version = match self.version {
            DtlsVersion::V10 => DTLS_1_0,
            DtlsVersion::V12 => DTLS_1_2,
        };
        let hint = fill(&self.hint, &raising.stage);
        let server = Server { cookie: self.cookie, hint, secret: rand::random(), version, suites: self.suites.clone() };
        raising.udp(self.port, server).await
    }
}

struct Server {
    cookie: Cookie,
    hint: String,
    secret: [u8; 32],
    version: [u8; 2],
    suites: Vec<u16>,
}

impl Answerer for Server {
    fn answer(&self, from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let Some((number, hello)) = client_hello(datagram) else { return Vec::new() };
        if self.cookie == Cookie::Asked && hello.cookie != self.cookie_for(from) {
            let mut body = DTLS_1_0.to_vec();
            body.push(32);
            body.extend_from_slice(&self.cookie_for(from));
            return vec![handshake(DTLS_1_0, number, 0, HELLO_VERIFY_REQUEST, &body)];
        }
        // The higher the version, the lower its number on the wire.
        if hello.version > self.version {
            // Fatal, protocol_version.
            return vec![record(ALERT, self.version, number, &[2, 70])];
        }
        let Some(suite) = self.suites.iter().find(|n| hello.offers(n.to_be_bytes())) else {
            // Fatal, handshake_failure.
            return vec![record(ALERT, self.version, number, &[2, 40])];
        };
        vec![self.flight(number, *suite, hello.extensions_to_answer())]
    }
}

impl Server {
    fn cookie_for(&self, from: SocketAddr) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.secret);
        hash.update(from.to_string());
        hash.finalize().into()
    }

    fn flight(&self, number: u64, suite: u16, extensions: &[u8]) -> Vec<u8> {
        let first = match self.cookie {
            Cookie::Asked => 1,
            Cookie::Absent => 0,
        };
        let mut hello = self.version.to_vec();
        hello.extend_from_slice(&rand::random::<[u8; 32]>());
        hello.push(0);
        hello.extend_from_slice(&suite.to_be_bytes());
        hello.push(0);
        hello.extend_from_slice(extensions);
        let mut hint = u16::try_from(self.hint.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
        hint.extend_from_slice(self.hint.as_bytes());
        let mut flight = handshake(self.version, number, first, SERVER_HELLO, &hello);
        flight.extend(handshake(self.version, number + 1, first + 1, SERVER_KEY_EXCHANGE, &hint));
        flight.extend(handshake(self.version, number + 2, first + 2, SERVER_HELLO_DONE, &[]));
        flight
    }
}

/// Record number and content of an unfragmented ClientHello in the first record of a datagram.
fn client_hello(datagram: &[u8]) -> Option<(u64, Hello<'_>)> {
    let (header, rest) = datagram.split_at_checked(13)?;
    if header.first() != Some(&HANDSHAKE) || header.get(3..5) != Some(&[0, 0]) {
        return None;
    }
    let number = header.get(5..11)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let (message, body) = rest.split_at_checked(12)?;
    if message.first() != Some(&CLIENT_HELLO) {
        return None;
    }
    Some((number, Hello::parse(body, Family::Dtls)?))
}

fn handshake(version: [u8; 2], number: u64, sequence: u16, kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes();
    let length = length.get(1..).unwrap_or_default();
    let mut message = vec![kind];
    message.extend_from_slice(length);
    message.extend_from_slice(&sequence.to_be_bytes());
    message.extend_from_slice(&[0, 0, 0]);
    message.extend_from_slice(length);
    message.extend_from_slice(body);
    record(HANDSHAKE, version, number, &message)
}

fn record(kind: u8, version: [u8; 2], number: u64, body: &[u8]) -> Vec<u8> {
    let mut record = vec![kind];
    record.extend_from_slice(&version);
    // Epoch 0 in the upper two bytes.
    record.extend_from_slice(&(number & 0xffff_ffff_ffff).to_be_bytes());
    record.extend_from_slice(&u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes());
    record.extend_from_slice(body);
    record
}
