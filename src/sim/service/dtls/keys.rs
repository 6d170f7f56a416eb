//! A DTLS service that has keys, by OpenSSL: one conversation per address, each datagram answered as it comes.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use openssl::error::ErrorStack;
use openssl::ssl::{Ssl, SslContext, SslMethod, SslOptions, SslStream, SslVerifyMode};
use serde::Deserialize;

use super::{Coaps, Cookie};
use crate::sim::SimError;
use crate::sim::listen::Answerer;

/// More visitors at once than this, and the first is forgotten.
const MOST: usize = 16;
const MTU: u32 = 1200;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub identity: String,
    /// As text; its bytes are the key.
    pub key: String,
}

/// What an unknown identity gets (RFC 4279, section 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    #[default]
    Alert,
    /// As if the key were wrong: nothing.
    Silence,
}

#[derive(Default)]
struct Queues {
    inward: VecDeque<Vec<u8>>,
    outward: Vec<Vec<u8>>,
}

impl Read for Queues {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(next) = self.inward.pop_front() else { return Err(io::ErrorKind::WouldBlock.into()) };
        (&*next).read(into)
    }
}

impl Write for Queues {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outward.push(bytes.to_vec());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) struct Server {
    context: SslContext,
    visits: Mutex<BTreeMap<SocketAddr, Visit>>,
}

struct Visit {
    stream: SslStream<Queues>,
    inside: bool,
}

impl Server {
    pub fn new(spec: &Coaps) -> Result<Self, SimError> {
        let context = context(spec).map_err(|e| SimError::Device {
            origin: "coaps".to_owned(),
            key: "keys".to_owned(),
            problem: e.to_string(),
        })?;
        Ok(Self { context, visits: Mutex::default() })
    }
}

fn context(spec: &Coaps) -> Result<SslContext, ErrorStack> {
    let mut context = SslContext::builder(SslMethod::dtls())?;
    context.set_verify(SslVerifyMode::NONE);
    context.set_options(SslOptions::NO_QUERY_MTU);
    if spec.cookie == Cookie::Asked {
        context.set_options(SslOptions::COOKIE_EXCHANGE);
    }
    // One conversation per address: what was sent there is the cookie for it.
    let secret: [u8; 16] = rand::random();
    context.set_cookie_generate_cb(move |_, cookie| {
        let Some(room) = cookie.get_mut(..secret.len()) else { return Ok(0) };
        room.copy_from_slice(&secret);
        Ok(secret.len())
    });
    context.set_cookie_verify_cb(move |_, cookie| cookie == secret);
    context.set_cipher_list("PSK-AES128-CCM8:@SECLEVEL=0")?;
    let keys: BTreeMap<Vec<u8>, Vec<u8>> =
        spec.keys.iter().map(|k| (k.identity.clone().into_bytes(), k.key.clone().into_bytes())).collect();
    let unknown = spec.unknown;
    context.set_psk_server_callback(move |_, identity, secret| {
        let key = match (keys.get(identity.unwrap_or_default()), unknown) {
            (Some(key), _) => key.clone(),
            (None, Unknown::Alert) => return Ok(0),
            (None, Unknown::Silence) => rand::random::<[u8; 16]>().to_vec(),
        };
        let Some(room) = secret.get_mut(..key.len()) else { return Ok(0) };
        room.copy_from_slice(&key);
        Ok(key.len())
    });
    Ok(context.build())
}

impl Answerer for Server {
    fn answer(&self, from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        let mut visits = self.visits.lock().unwrap_or_else(PoisonError::into_inner);
        if !visits.contains_key(&from) {
            let Ok(visit) = Visit::new(&self.context) else { return Vec::new() };
            if visits.len() >= MOST {
                visits.pop_first();
            }
            visits.insert(from, visit);
        }
        visits.get_mut(&from).map(|v| v.take(datagram)).unwrap_or_default()
    }
}

impl Visit {
    fn new(context: &SslContext) -> Result<Self, ErrorStack> {
        let mut ssl = Ssl::new(context)?;
        ssl.set_mtu(MTU)?;
        Ok(Self { stream: SslStream::new(ssl, Queues::default())?, inside: false })
    }

    /// Takes a datagram and returns what it leads to.
    fn take(&mut self, datagram: &[u8]) -> Vec<Vec<u8>> {
        self.stream.get_mut().inward.push_back(datagram.to_vec());
        if !self.inside {
            // It waits for more, or its alert is on its way out already.
            self.inside = self.stream.accept().is_ok();
        }
        let mut message = [0; 1500];
        while let Some(length) =
            self.inside.then(|| self.stream.ssl_read(&mut message).ok()).flatten().filter(|n| *n > 0)
        {
            if let Some([first, 0, hi, lo]) = message.get(..length)
                && first & 0xf0 == 0x40
            {
                // An empty message is a ping (RFC 7252, section 4.3).
                drop(self.stream.ssl_write(&[0x70, 0, *hi, *lo]));
            }
        }
        std::mem::take(&mut self.stream.get_mut().outward)
    }
}
