//! DNS (RFC 1035) on UDP and TCP: the version in class CHAOS, and a resolver that is open or refuses.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::sim::SimError;
use crate::sim::fill::fill;
use crate::sim::listen::{Answerer, LineFaults, Raising, Speaker};

pub(super) const A: u16 = 1;
pub(super) const PTR: u16 = 12;
pub(super) const TXT: u16 = 16;
pub(super) const SRV: u16 = 33;
pub(super) const ANY: u16 = 255;
pub(super) const IN: u16 = 1;
const CHAOS: u16 = 3;
const REFUSED: u16 = 5;
const RECURSION_AVAILABLE: u16 = 0x0080;
/// From TEST-NET-2: a name resolved here leads nowhere.
const ANSWER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

/// A DNS service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dns {
    pub port: u16,
    /// What `version.bind` says; refused if absent.
    pub version: Option<String>,
    pub recursion: Recursion,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recursion {
    /// Every A question gets an answer.
    Open,
    Refused,
}

impl Dns {
    pub(super) async fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        let version = self.version.as_deref().map(|version| fill(version, &raising.stage));
        let resolver = Resolver { version, recursion: self.recursion };
        raising.udp(self.port, resolver.clone()).await?;
        raising.tcp(self.port, &LineFaults::default(), resolver)
    }
}

#[derive(Clone)]
struct Resolver {
    version: Option<String>,
    recursion: Recursion,
}

impl Answerer for Resolver {
    fn answer(&self, _from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        Question::parse(datagram).map(|question| self.resolve(&question)).into_iter().collect()
    }
}

impl Speaker for Resolver {
    async fn speak(self: Arc<Self>, mut stream: TcpStream) -> io::Result<()> {
        loop {
            let mut query = vec![0; stream.read_u16().await?.into()];
            stream.read_exact(&mut query).await?;
            let Some(question) = Question::parse(&query) else { return Ok(()) };
            let answer = self.resolve(&question);
            stream.write_u16(u16::try_from(answer.len()).unwrap_or(u16::MAX)).await?;
            stream.write_all(&answer).await?;
        }
    }
}

impl Resolver {
    fn resolve(&self, question: &Question) -> Vec<u8> {
        let available = match self.recursion {
            Recursion::Open => RECURSION_AVAILABLE,
            Recursion::Refused => 0,
        };
        match (question.class, question.kind, &self.version, self.recursion) {
            (CHAOS, TXT, Some(version), _) if question.name == "version.bind" => {
                question.respond(available, &[record(&question.name, TXT, CHAOS, &text(version))])
            }
            (IN, A, _, Recursion::Open) => {
                question.respond(available, &[record(&question.name, A, IN, &ANSWER.octets())])
            }
            (IN, _, _, Recursion::Open) => question.respond(available, &[]),
            _ => question.respond(available | REFUSED, &[]),
        }
    }
}

/// The one question of a query.
pub(super) struct Question {
    id: [u8; 2],
    recursion_desired: u16,
    /// In lower case, without the final dot.
    pub name: String,
    pub kind: u16,
    pub class: u16,
}

impl Question {
    pub fn parse(query: &[u8]) -> Option<Self> {
        let (header, mut rest) = query.split_first_chunk::<12>()?;
        let [id1, id2, flags, _, count1, count2, ..] = *header;
        // A response, or not exactly one question.
        if flags & 0x80 != 0 || [count1, count2] != [0, 1] {
            return None;
        }
        let mut labels = Vec::new();
        loop {
            let (length, after) = rest.split_first()?;
            if *length == 0 {
                rest = after;
                break;
            }
            // Compression has no place in a question.
            if *length > 63 || labels.len() > 127 {
                return None;
            }
            let (label, after) = after.split_at_checked((*length).into())?;
            labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
            rest = after;
        }
        let (tail, _) = rest.split_first_chunk::<4>()?;
        let [kind1, kind2, class1, class2] = *tail;
        Some(Self {
            id: [id1, id2],
            recursion_desired: u16::from(flags & 1) << 8,
            name: labels.join("."),
            kind: u16::from_be_bytes([kind1, kind2]),
            class: u16::from_be_bytes([class1, class2]),
        })
    }

    /// A response with these flags and answers, the question repeated.
    pub fn respond(&self, flags: u16, answers: &[Vec<u8>]) -> Vec<u8> {
        let mut message = self.id.to_vec();
        message.extend_from_slice(&(0x8000 | self.recursion_desired | flags).to_be_bytes());
        message.extend_from_slice(&[0, 1]);
        message.extend_from_slice(&u16::try_from(answers.len()).unwrap_or(0).to_be_bytes());
        message.extend_from_slice(&[0; 4]);
        message.extend(name(&self.name));
        message.extend_from_slice(&self.kind.to_be_bytes());
        message.extend_from_slice(&self.class.to_be_bytes());
        message.extend(answers.concat());
        message
    }
}

/// A resource record that lives ten seconds.
pub(super) fn record(owner: &str, kind: u16, class: u16, data: &[u8]) -> Vec<u8> {
    let mut record = name(owner);
    record.extend_from_slice(&kind.to_be_bytes());
    record.extend_from_slice(&class.to_be_bytes());
    record.extend_from_slice(&[0, 0, 0, 10]);
    record.extend_from_slice(&u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
    record.extend_from_slice(data);
    record
}

pub(super) fn name(name: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = name.split('.').filter(|label| !label.is_empty()).flat_map(text).collect();
    bytes.push(0);
    bytes
}

/// A character string: one length byte and at most 255 bytes.
pub(super) fn text(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    let mut bytes = vec![length];
    bytes.extend(text.bytes().take(length.into()));
    bytes
}
