//! A server's first flight by hand, for what no current TLS library presents: TLS 1.0 and 1.1, and short RSA keys.
//!
//! Whether the device answers with its own key (it went on) or an alert decides; the handshake is never finished.
use super::certs::RsaChain;
use crate::{model::observation::lab::End, scan::codec::client_hello::ClientHello};
use md5::Digest;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use rsa::{Pkcs1v15Sign, rand_core::OsRng};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_KEY_EXCHANGE: u8 = 16;
/// By which the client encrypts to the key, and ephemeral ones, each with the lowest version that knows it.
const TO_KEY: [(u16, u8); 5] = [(0x002f, 1), (0x0035, 1), (0x000a, 1), (0x009c, 3), (0x003c, 3)];
const EPHEMERAL: [(u16, u8); 5] = [(0xc02f, 3), (0xc030, 3), (0xcca8, 3), (0xc013, 1), (0xc014, 1)];
const SIGNALLING: u16 = 0x00ff;
const RENEGOTIATION: u16 = 0xff01;

/// The flight as records. `minor`: 1 for TLS 1.0, 2 for TLS 1.1, 3 for TLS 1.2.
pub fn flight(hello: &ClientHello, minor: u8, chain: &RsaChain) -> Result<Vec<u8>, rsa::Error> {
    let usable = |all: [(u16, u8); 5]| {
        all.into_iter().find(|(suite, since)| *since <= minor && hello.suites.contains(suite)).map(|(suite, _)| suite)
    };
    // An old version's ephemeral keys are signed with SHA-1, which a device may refuse for that reason.
    let (to_key, ephemeral) = (usable(TO_KEY), usable(EPHEMERAL));
    let encrypted = if minor < 3 { to_key } else { to_key.filter(|_| ephemeral.is_none()) };
    let suite = encrypted.or(ephemeral).unwrap_or(0xc013);
    let random: [u8; 32] = rand::random();
    let mut body = vec![3, minor];
    body.extend_from_slice(&random);
    body.push(0);
    body.extend_from_slice(&suite.to_be_bytes());
    body.push(0);
    if hello.extensions.contains(&RENEGOTIATION) || hello.suites.contains(&SIGNALLING) {
        body.extend_from_slice(&[0, 5, 0xff, 1, 0, 1, 0]);
    }
    let certificates: Vec<u8> = chain.chain.iter().flat_map(|c| long(c)).collect();
    let mut messages = [message(2, &body), message(11, &long(&certificates))].concat();
    if encrypted.is_none() {
        messages.extend(message(12, &key_exchange(hello, &random, minor, chain)?));
    }
    messages.extend(message(14, &[]));
    Ok(record(HANDSHAKE, minor, &messages))
}

/// An ephemeral P-256 key (RFC 4492, 5.4), signed.
fn key_exchange(hello: &ClientHello, random: &[u8], minor: u8, chain: &RsaChain) -> Result<Vec<u8>, rsa::Error> {
    let public = p256::SecretKey::random(&mut OsRng).public_key().to_encoded_point(false);
    let mut body = vec![3, 0, 23, u8::try_from(public.len()).unwrap_or(u8::MAX)];
    body.extend_from_slice(public.as_bytes());
    let signed = [&hello.random, random, &body].concat();
    let signature = if minor >= 3 {
        body.extend_from_slice(&[4, 1]);
        chain.key.sign(Pkcs1v15Sign::new::<sha2::Sha256>(), &sha2::Sha256::digest(&signed))?
    } else {
        let both = [md5::Md5::digest(&signed).to_vec(), sha1::Sha1::digest(&signed).to_vec()].concat();
        chain.key.sign(Pkcs1v15Sign::new_unprefixed(), &both)?
    };
    body.extend_from_slice(&u16::try_from(signature.len()).unwrap_or(u16::MAX).to_be_bytes());
    body.extend(signature);
    Ok(body)
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [vec![kind], long(body)].concat()
}

/// Three bytes of length, then the content.
fn long(content: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length[..], content].concat()
}

fn record(kind: u8, minor: u8, body: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[kind, 3, minor, high, low][..], body].concat()
}

/// Sends the flight and reads what the device makes of it.
pub async fn present<S: AsyncRead + AsyncWrite + Unpin>(io: &mut S, flight: &[u8], wait: Duration) -> End {
    let answer = async {
        io.write_all(flight).await?;
        io.flush().await?;
        let mut header = [0u8; 5];
        io.read_exact(&mut header).await?;
        let [kind, _, _, high, low] = header;
        let mut body = vec![0; usize::from(u16::from_be_bytes([high, low])).min(1 << 14)];
        io.read_exact(&mut body).await?;
        std::io::Result::Ok((kind, body))
    };
    match tokio::time::timeout(wait, answer).await {
        Err(_) => End::Silent { waited_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) },
        Ok(Err(_)) => End::Closed,
        Ok(Ok((kind, body))) => match (kind, body.as_slice()) {
            (ALERT, [_, description]) => End::Alert { description: *description },
            (HANDSHAKE, [CLIENT_KEY_EXCHANGE, ..]) => End::WentOn,
            _ => End::NotUnderstood { why: format!("a record of type {kind} came instead of keys or an alert") },
        },
    }
}
