//! SNMP: v1 and v2c by community (RFC 3416), and the engine discovery of v3 (RFC 3414).

use std::net::SocketAddr;

use serde::Deserialize;

use crate::sim::SimError;
use crate::sim::fill::fill;
use crate::sim::listen::{Answerer, Raising};

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const COUNTER: u8 = 0x41;
const NO_SUCH_OBJECT: [u8; 2] = [0x80, 0];
const END_OF_VIEW: [u8; 2] = [0x82, 0];
const GET: u8 = 0xa0;
const GET_NEXT: u8 = 0xa1;
const RESPONSE: u8 = 0xa2;
const SET: u8 = 0xa3;
const GET_BULK: u8 = 0xa5;
const REPORT: u8 = 0xa8;
/// Bindings answered per request; further ones are left out.
const MOST_BINDINGS: u8 = 16;
const NO_SUCH_NAME: u8 = 2;
const READ_ONLY: u8 = 4;
/// 1.3.6.1.2.1.1, the system group.
const SYSTEM: [u8; 6] = [0x2b, 6, 1, 2, 1, 1];
/// usmStatsUnknownEngineIDs.0
const UNKNOWN_ENGINE: [u8; 10] = [0x2b, 6, 1, 6, 3, 15, 1, 1, 4, 0];
/// usmStatsUnknownUserNames.0
const UNKNOWN_USER: [u8; 10] = [0x2b, 6, 1, 6, 3, 15, 1, 1, 3, 0];
/// An engine id of format 5 (octets) under an enterprise number nobody has.
const ENGINE: [u8; 9] = [0x80, 0, 0xff, 0xff, 5, b'p', b's', b'i', b'm'];

/// An SNMP agent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snmp {
    pub port: u16,
    /// Communities that may read; none makes an agent of v3 only.
    #[serde(default)]
    pub read: Vec<String>,
    /// Communities that may write, too; what is written is forgotten.
    #[serde(default)]
    pub write: Vec<String>,
    /// Users of v3 that may read without authentication.
    #[serde(default)]
    pub noauth: Vec<String>,
    /// Whether v3 is there.
    #[serde(default)]
    pub v3: V3,
    /// sysDescr.
    #[serde(default = "descr")]
    pub descr: String,
    /// sysName.
    #[serde(default = "sys_name")]
    pub name: String,
    #[serde(default)]
    pub contact: String,
    #[serde(default)]
    pub location: String,
    /// Groups beside the system group of which something is shown.
    #[serde(default)]
    pub shows: Vec<Group>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    Interfaces,
    Neighbours,
    Communities,
}

impl Group {
    /// The name of one object of it.
    fn object(self) -> &'static [u8] {
        match self {
            Self::Interfaces => &[0x2b, 6, 1, 2, 1, 2, 2, 1, 2, 1],
            Self::Neighbours => &[0x2b, 6, 1, 2, 1, 4, 22, 1, 2, 1, 10, 0, 0, 9],
            Self::Communities => &[0x2b, 6, 1, 6, 3, 18, 1, 1, 1, 2, 1, 97],
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum V3 {
    /// Discovery is answered; no user exists.
    Discovery,
    #[default]
    Absent,
}

fn descr() -> String {
    String::from("{manufacturer} {model} {hardware} firmware {firmware}")
}

fn sys_name() -> String {
    String::from("{model}-{serial}")
}

impl Snmp {
    pub(super) async fn raise(&self, raising: &mut Raising) -> Result<(), SimError> {
        let text = |text: &str| tlv(OCTETS, fill(text, &raising.stage).as_bytes());
        let object = |last: u8| [&SYSTEM[..], &[last, 0]].concat();
        // In the order of their names, for GETNEXT.
        let mut objects = vec![
            (object(1), text(&self.descr)),
            (object(4), text(&self.contact)),
            (object(5), text(&self.name)),
            (object(6), text(&self.location)),
        ];
        objects.extend(self.shows.iter().map(|group| (group.object().to_vec(), tlv(OCTETS, b"shown"))));
        objects.sort();
        raising.udp(self.port, Agent { spec: self.clone(), objects }).await
    }
}

struct Agent {
    spec: Snmp,
    /// Names and values, encoded. All arcs are below 128, so that bytes sort as names do.
    objects: Vec<(Vec<u8>, Vec<u8>)>,
}

struct Request {
    version: u8,
    kind: u8,
    writes: bool,
}

impl Answerer for Agent {
    fn answer(&self, _from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>> {
        self.reply(datagram).into_iter().collect()
    }
}

impl Agent {
    fn reply(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let (SEQUENCE, message, _) = read(datagram)? else { return None };
        let (INTEGER, version, rest) = read(message)? else { return None };
        match version {
            [version @ (0 | 1)] => self.by_community(*version, rest),
            [3] if self.spec.v3 == V3::Discovery => self.by_user(rest),
            _ => None,
        }
    }

    /// Silence for a wrong community (RFC 3584, 5.2.1).
    fn by_community(&self, version: u8, message: &[u8]) -> Option<Vec<u8>> {
        let (OCTETS, community, rest) = read(message)? else { return None };
        let (kind, pdu, _) = read(rest)?;
        let listed = |names: &[String]| names.iter().any(|name| name.as_bytes() == community);
        if !listed(&self.spec.read) && !listed(&self.spec.write) {
            return None;
        }
        let (INTEGER, id, rest) = read(pdu)? else { return None };
        let (_, _, rest) = read(rest)?;
        let (_, _, rest) = read(rest)?;
        let (SEQUENCE, bindings, _) = read(rest)? else { return None };
        let request = Request { version, kind, writes: listed(&self.spec.write) };
        let mut answers = Vec::new();
        let mut error = [0, 0];
        let mut rest = bindings;
        for index in 1..=MOST_BINDINGS {
            let Some((SEQUENCE, binding, after)) = read(rest) else { break };
            let (binding, trouble) = self.bind(&request, binding)?;
            answers.extend(binding);
            if trouble != 0 && error == [0, 0] {
                error = [trouble, index];
            }
            rest = after;
        }
        let [status, index] = error;
        let head = [tlv(INTEGER, id), tlv(INTEGER, &[status]), tlv(INTEGER, &[index])].concat();
        let pdu = tlv(RESPONSE, &[head, tlv(SEQUENCE, &answers)].concat());
        Some(tlv(SEQUENCE, &[tlv(INTEGER, &[version]), tlv(OCTETS, community), pdu].concat()))
    }

    /// A binding of the answer, and its error status.
    fn bind(&self, request: &Request, binding: &[u8]) -> Option<(Vec<u8>, u8)> {
        let (OID, name, value) = read(binding)? else { return None };
        let (name, found, error) = match request.kind {
            GET => (name, self.get(name), 0),
            // GETBULK is answered with its first repetition.
            GET_NEXT | GET_BULK => self.next(name),
            SET => (name, Some(value.to_vec()), if request.writes { 0 } else { READ_ONLY }),
            _ => return None,
        };
        let (value, error) = match (found, request.version) {
            (Some(found), _) => (found, error),
            (None, 0) => (vec![5, 0], NO_SUCH_NAME),
            (None, _) if request.kind == GET => (NO_SUCH_OBJECT.to_vec(), 0),
            (None, _) => (END_OF_VIEW.to_vec(), 0),
        };
        Some((tlv(SEQUENCE, &[tlv(OID, name), value].concat()), error))
    }

    /// Discovery without an engine, else a user's question (RFC 3414, 3.2).
    fn by_user(&self, message: &[u8]) -> Option<Vec<u8>> {
        let (SEQUENCE, _, rest) = read(message)? else { return None };
        let (OCTETS, security, rest) = read(rest)? else { return None };
        let (SEQUENCE, security, _) = read(security)? else { return None };
        let (OCTETS, engine, security) = read(security)? else { return None };
        if engine.is_empty() {
            return report(message, &UNKNOWN_ENGINE);
        }
        let (INTEGER, _, security) = read(security)? else { return None };
        let (INTEGER, _, security) = read(security)? else { return None };
        let (OCTETS, user, _) = read(security)? else { return None };
        if !self.spec.noauth.iter().any(|known| known.as_bytes() == user) {
            return report(message, &UNKNOWN_USER);
        }
        let (SEQUENCE, scoped, _) = read(rest)? else { return None };
        let (_, _, scoped) = read(scoped)?;
        let (_, _, scoped) = read(scoped)?;
        let (GET, pdu, _) = read(scoped)? else { return None };
        let (INTEGER, id, _) = read(pdu)? else { return None };
        let (name, value) = self.objects.first()?;
        let binding = tlv(SEQUENCE, &[tlv(OID, name), value.clone()].concat());
        let zero = tlv(INTEGER, &[0]);
        let pdu = tlv(RESPONSE, &[tlv(INTEGER, id), zero.clone(), zero, tlv(SEQUENCE, &binding)].concat());
        wrapped(message, &pdu)
    }

    fn get(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.objects.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    fn next<'a>(&'a self, name: &'a [u8]) -> (&'a [u8], Option<Vec<u8>>, u8) {
        match self.objects.iter().find(|(known, _)| known.as_slice() > name) {
            Some((known, value)) => (known, Some(value.clone()), 0),
            None => (name, None, 0),
        }
    }
}

/// A report (RFC 3414, 3.2), by which an engine also makes itself known.
fn report(message: &[u8], counter: &[u8]) -> Option<Vec<u8>> {
    let binding = tlv(SEQUENCE, &[tlv(OID, counter), tlv(COUNTER, &[1])].concat());
    let zero = tlv(INTEGER, &[0]);
    wrapped(message, &tlv(REPORT, &[zero.clone(), zero.clone(), zero, tlv(SEQUENCE, &binding)].concat()))
}

/// A PDU in the answer to a v3 message.
fn wrapped(message: &[u8], pdu: &[u8]) -> Option<Vec<u8>> {
    let (SEQUENCE, global, _) = read(message)? else { return None };
    let (INTEGER, id, _) = read(global)? else { return None };
    let global = [tlv(INTEGER, id), tlv(INTEGER, &[0x05, 0xdc]), tlv(OCTETS, &[0]), tlv(INTEGER, &[3])].concat();
    let engine = tlv(OCTETS, &ENGINE);
    let empty = tlv(OCTETS, &[]);
    let clock = [tlv(INTEGER, &[1]), tlv(INTEGER, &[100])].concat();
    let security = tlv(SEQUENCE, &[engine.clone(), clock, empty.clone(), empty.clone(), empty.clone()].concat());
    let scoped = tlv(SEQUENCE, &[engine, empty, pdu.to_vec()].concat());
    Some(tlv(SEQUENCE, &[tlv(INTEGER, &[3]), tlv(SEQUENCE, &global), tlv(OCTETS, &security), scoped].concat()))
}

/// Tag, content and the rest.
fn read(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => rest.split_first_chunk::<2>().map(|(length, rest)| (u16::from_be_bytes(*length).into(), rest))?,
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 0x80 => bytes.push(length),
        Ok(length) => bytes.extend_from_slice(&[0x81, length]),
        Err(_) => {
            bytes.push(0x82);
            bytes.extend_from_slice(&u16::try_from(content.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    bytes.extend_from_slice(content);
    bytes
}
