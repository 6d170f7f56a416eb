//! A ClientHello with any content, and all that a server says in the clear after it. Before TLS 1.3 that is its whole
//! first flight: certificate, key exchange, signature scheme, demand for a certificate. Nothing is computed or verified.
use super::{Cursor, tls::prefixed};
use crate::model::observation::TlsVersion;

/// TLS_FALLBACK_SCSV (RFC 7507).
pub const FALLBACK: u16 = 0x5600;

/// What a hello offers.
#[derive(Clone, Debug)]
pub struct Hello<'a> {
    /// This version only.
    pub version: TlsVersion,
    pub suites: &'a [u16],
    pub groups: &'a [u16],
    pub schemes: &'a [u16],
    pub compressions: &'a [u8],
    /// The host that the client thinks it speaks to.
    pub name: Option<&'a str>,
    /// Tickets, a stapled answer, heartbeats, the extended master secret.
    pub extras: Extras,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extras {
    None,
    All,
}

fn extension(out: &mut Vec<u8>, id: u16, body: &[u8]) {
    out.extend_from_slice(&id.to_be_bytes());
    prefixed(out, 2, body);
}

fn list(numbers: &[u16], width: usize) -> Vec<u8> {
    let flat: Vec<u8> = numbers.iter().flat_map(|n| n.to_be_bytes()).collect();
    let mut body = Vec::new();
    prefixed(&mut body, width, &flat);
    body
}

impl Hello<'_> {
    fn extensions(&self, wire: [u8; 2]) -> Vec<u8> {
        let mut all = Vec::new();
        if let Some(name) = self.name {
            let mut entry = vec![0];
            prefixed(&mut entry, 2, name.as_bytes());
            let mut body = Vec::new();
            prefixed(&mut body, 2, &entry);
            extension(&mut all, 0, &body);
        }
        if !self.groups.is_empty() {
            extension(&mut all, 10, &list(self.groups, 2));
            extension(&mut all, 11, &[1, 0]);
        }
        if self.version >= TlsVersion::Tls12 && !self.schemes.is_empty() {
            extension(&mut all, 13, &list(self.schemes, 2));
        }
        if self.extras == Extras::All {
            extension(&mut all, 5, &[1, 0, 0, 0, 0]);
            extension(&mut all, 15, &[1]);
            extension(&mut all, 35, &[]);
        }
        if self.version == TlsVersion::Tls13 {
            let [major, _] = wire;
            let version = if major == 0xfe { [2, 0xfe, 0xfc] } else { [2, 3, 4] };
            extension(&mut all, 43, &version);
            // An empty share makes the server name its group (RFC 8446, 4.1.4).
            extension(&mut all, 51, &[0, 0]);
        } else {
            extension(&mut all, 0xff01, &[0]);
            extension(&mut all, 23, &[]);
        }
        all
    }

    /// The body of the message; for DTLS with a cookie after the session.
    fn body(&self, wire_version: [u8; 2], random: &[u8; 32], cookie: Option<&[u8]>) -> Vec<u8> {
        let mut body = wire_version.to_vec();
        body.extend_from_slice(random);
        prefixed(&mut body, 1, &[]);
        if let Some(cookie) = cookie {
            prefixed(&mut body, 1, cookie);
        }
        body.extend(list(self.suites, 2));
        prefixed(&mut body, 1, self.compressions);
        if self.version > TlsVersion::Ssl3 {
            prefixed(&mut body, 2, &self.extensions(wire_version));
        }
        body
    }

    /// A whole record.
    pub fn record(&self, random: &[u8; 32]) -> Vec<u8> {
        let version = super::tls::wire_version(self.version);
        let mut message = vec![1];
        prefixed(&mut message, 3, &self.body(version.min(0x0303).to_be_bytes(), random, None));
        let mut record = vec![22];
        record.extend_from_slice(&version.min(0x0301).to_be_bytes());
        prefixed(&mut record, 2, &message);
        record
    }

    /// A whole datagram of DTLS. `version` as on the wire.
    pub fn datagram(&self, version: [u8; 2], random: &[u8; 32], cookie: &[u8], sequence: u16) -> Vec<u8> {
        let body = self.body(version, random, Some(cookie));
        let mut length = Vec::new();
        prefixed(&mut length, 3, &body);
        length.truncate(3);
        let mut message = vec![1];
        message.extend_from_slice(&length);
        message.extend_from_slice(&sequence.to_be_bytes());
        message.extend_from_slice(&[0, 0, 0]);
        message.extend_from_slice(&length);
        message.extend_from_slice(&body);
        let [hi, lo] = sequence.to_be_bytes();
        let [major, minor] = version;
        let mut record = vec![22, major, minor, 0, 0, 0, 0, 0, 0, hi, lo];
        prefixed(&mut record, 2, &message);
        record
    }
}

/// What the server said in the clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flight {
    /// As on the wire, or from supported_versions.
    pub version: u16,
    pub suite: u16,
    pub compression: u8,
    pub extensions: Vec<u16>,
    /// The group of a key share or of a HelloRetryRequest, or the curve of a ServerKeyExchange.
    pub group: Option<u16>,
    /// Bits of the prime of a finite-field key exchange.
    pub dh_bits: Option<u32>,
    pub scheme: Option<u16>,
    pub certificates: Vec<Vec<u8>>,
    pub stapled: bool,
    pub asks_certificate: bool,
    /// ServerHelloDone came.
    pub done: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Flight(Box<Flight>),
    Alert {
        description: u8,
    },
    /// Whole records so far, but no ServerHello yet.
    More,
    NotTls,
}

/// Reads what came so far; messages may span records. `kex` tells by a suite's number how its key exchange is written.
pub fn reply(bytes: &[u8], kex: impl Fn(u16) -> Kex) -> Reply {
    let mut records = Cursor(bytes);
    let (mut handshake, mut alert) = (Vec::new(), None);
    while let (Some(kind), Some(version)) = (records.u8(), records.u16()) {
        if !matches!(kind, 20..=24) || version >> 8 != 3 {
            return Reply::NotTls;
        }
        let Some(body) = records.vec16() else { break };
        match (kind, body) {
            (22, _) => handshake.extend_from_slice(body),
            (21, [_, description, ..]) => {
                alert = Some(*description);
                break;
            }
            _ => break,
        }
    }
    match (flight(&handshake, kex), alert) {
        (Some(f), _) => Reply::Flight(Box::new(f)),
        (None, Some(description)) => Reply::Alert { description },
        (None, None) if handshake.first().is_some_and(|k| *k != 2) => Reply::NotTls,
        (None, None) if bytes.first().is_some_and(|k| !matches!(k, 20..=24)) => Reply::NotTls,
        (None, None) => Reply::More,
    }
}

/// How a suite's ServerKeyExchange is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kex {
    Curve,
    FiniteField,
    Other,
}

fn flight(handshake: &[u8], kex: impl Fn(u16) -> Kex) -> Option<Flight> {
    let mut messages = Cursor(handshake);
    let mut flight = Flight::default();
    let mut seen = false;
    while let (Some(kind), Some(n)) = (messages.u8(), messages.u24()) {
        let Some(body) = messages.take(n) else { break };
        match kind {
            2 if !seen => {
                server_hello(&mut flight, body)?;
                seen = true;
            }
            _ if !seen => return None,
            11 => flight.certificates = certificates(body),
            12 => {
                let kex = kex(flight.suite);
                key_exchange(&mut flight, body, kex);
            }
            13 => flight.asks_certificate = true,
            14 => flight.done = true,
            22 => flight.stapled = true,
            _ => {}
        }
    }
    seen.then_some(flight)
}

fn server_hello(flight: &mut Flight, body: &[u8]) -> Option<()> {
    let mut h = Cursor(body);
    flight.version = h.u16()?;
    h.take(32)?;
    h.vec8()?;
    flight.suite = h.u16()?;
    flight.compression = h.u8()?;
    let mut ext = Cursor(h.vec16().unwrap_or_default());
    while let (Some(id), Some(body)) = (ext.u16(), ext.vec16()) {
        flight.extensions.push(id);
        match (id, body) {
            (43, [a, b]) => flight.version = u16::from_be_bytes([*a, *b]),
            (51, [a, b, ..]) => flight.group = Some(u16::from_be_bytes([*a, *b])),
            _ => {}
        }
    }
    Some(())
}

fn certificates(body: &[u8]) -> Vec<Vec<u8>> {
    let mut c = Cursor(body);
    let mut list = Cursor(c.u24().and_then(|n| c.take(n)).unwrap_or_default());
    std::iter::from_fn(|| {
        let n = list.u24()?;
        list.take(n).map(<[u8]>::to_vec)
    })
    .take(10)
    .collect()
}

fn key_exchange(flight: &mut Flight, body: &[u8], kex: Kex) {
    let mut c = Cursor(body);
    let read = match kex {
        Kex::Curve => curve(&mut c, flight),
        Kex::FiniteField => prime(&mut c, flight),
        Kex::Other => None,
    };
    if read.is_some() && flight.version >= 0x0303 {
        flight.scheme = c.u16().filter(|_| c.u16().is_some());
    }
}

fn curve(c: &mut Cursor<'_>, flight: &mut Flight) -> Option<()> {
    // named_curve alone is in use (RFC 8422, 5.4).
    (c.u8()? == 3).then_some(())?;
    flight.group = Some(c.u16()?);
    c.vec8().map(drop)
}

fn prime(c: &mut Cursor<'_>, flight: &mut Flight) -> Option<()> {
    let p = c.vec16()?;
    let zeroes = p.iter().take_while(|b| **b == 0).count();
    let top = p.get(zeroes).map_or(0, |b| 8 - b.leading_zeros());
    let whole = u32::try_from(p.len().saturating_sub(zeroes + 1)).ok()?;
    flight.dh_bits = Some(whole * 8 + top);
    c.vec16()?;
    c.vec16().map(drop)
}

/// The first message of a DTLS server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DtlsReply {
    HelloVerify {
        cookie: Vec<u8>,
    },
    /// `cookie`: a HelloRetryRequest of 1.3 that asks for one.
    Hello {
        version: u16,
        suite: u16,
        cookie: bool,
    },
    Alert {
        description: u8,
    },
}

pub fn dtls_reply(datagram: &[u8]) -> Option<DtlsReply> {
    let mut c = Cursor(datagram);
    let kind = c.u8()?;
    if c.u16()? >> 8 != 0xfe {
        return None;
    }
    c.take(8)?;
    let body = c.vec16()?;
    if kind == 21 {
        return Some(DtlsReply::Alert { description: *body.get(1)? });
    }
    let mut m = Cursor(body);
    let message = m.u8().filter(|_| kind == 22)?;
    m.take(11)?;
    if message == 3 {
        m.u16()?;
        return Some(DtlsReply::HelloVerify { cookie: m.vec8()?.to_vec() });
    }
    let mut flight = Flight::default();
    (message == 2).then(|| server_hello(&mut flight, m.0)).flatten()?;
    Some(DtlsReply::Hello { version: flight.version, suite: flight.suite, cookie: flight.extensions.contains(&44) })
}

/// A hello of SSL 2.0 with its seven suites (draft-hickman-netscape-ssl-00).
pub fn ssl2_hello(challenge: &[u8; 16]) -> Vec<u8> {
    let suites: [[u8; 3]; 7] =
        [[1, 0, 0x80], [2, 0, 0x80], [3, 0, 0x80], [4, 0, 0x80], [5, 0, 0x80], [6, 0, 0x40], [7, 0, 0xc0]];
    let mut body = vec![1, 0, 2, 0, 21, 0, 0, 0, 16];
    body.extend(suites.concat());
    body.extend_from_slice(challenge);
    let mut record = vec![0x80];
    prefixed(&mut record, 1, &body);
    record
}

/// Whether the reply is a ServerHello of SSL 2.0.
pub fn is_ssl2(reply: &[u8]) -> bool {
    matches!(reply, [first, _, 4, _, _, 0, 2, ..] if first & 0x80 != 0)
}

/// A heartbeat of no payload and without the padding that it must have. A server that knows the lengths discards it
/// (RFC 6520, section 4); one that does not answers, and has nothing to give away.
pub const UNPADDED_HEARTBEAT: &[u8] = &[24, 3, 3, 0, 3, 1, 0, 0];

/// Whether a heartbeat's answer is among the records.
pub fn has_heartbeat(bytes: &[u8]) -> bool {
    let mut records = Cursor(bytes);
    while let (Some(kind), Some(_)) = (records.u8(), records.u16()) {
        match (kind, records.vec16()) {
            (24, Some([2, ..])) => return true,
            (_, Some(_)) => {}
            (_, None) => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ECDHE: fn(u16) -> Kex = |_| Kex::Curve;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut m = vec![kind];
        prefixed(&mut m, 3, body);
        m
    }

    fn records(messages: &[u8], cut: usize) -> Vec<u8> {
        messages.chunks(cut).fold(Vec::new(), |mut out, part| {
            out.extend([22, 3, 3]);
            prefixed(&mut out, 2, part);
            out
        })
    }

    #[test]
    fn a_flight_is_read_however_its_messages_are_cut_into_records() {
        let mut hello = vec![3, 3];
        hello.extend([7; 32]);
        hello.extend([0, 0xc0, 0x2f, 0, 0, 5, 0xff, 1, 0, 1, 0]);
        let mut kx = vec![3, 0, 23, 2, 4, 4, 4, 3, 0, 1, 9];
        let all = [message(2, &hello), message(11, &[0, 0, 4, 0, 0, 1, 0x30]), message(12, &kx), message(14, &[])];
        for cut in [1, 7, 4096] {
            let Reply::Flight(f) = reply(&records(&all.concat(), cut), ECDHE) else { panic!("no flight") };
            assert_eq!((f.suite, f.group, f.scheme, f.done), (0xc02f, Some(23), Some(0x0403), true));
            assert_eq!((f.certificates, f.extensions), (vec![vec![0x30]], vec![0xff01]));
        }
        kx = vec![0, 3, 0, 0x0f, 0xff, 0, 1, 2, 0, 1, 2, 4, 1, 0, 1, 9];
        let all = [message(2, &hello), message(12, &kx)].concat();
        let Reply::Flight(f) = reply(&records(&all, 99), |_| Kex::FiniteField) else { panic!("no flight") };
        assert_eq!((f.dh_bits, f.scheme), (Some(12), Some(0x0401)));
    }

    #[test]
    fn an_alert_is_an_alert_and_a_banner_is_not_tls() {
        assert_eq!(reply(&[21, 3, 3, 0, 2, 2, 40], ECDHE), Reply::Alert { description: 40 });
        assert_eq!(reply(b"220 welcome\r\n", ECDHE), Reply::NotTls);
        assert_eq!(reply(&[22, 3], ECDHE), Reply::More);
    }

    #[test]
    fn only_an_answer_to_a_heartbeat_counts_as_one() {
        assert!(has_heartbeat(&[22, 3, 3, 0, 1, 0, 24, 3, 3, 0, 3, 2, 0, 0]));
        assert!(!has_heartbeat(&[21, 3, 3, 0, 2, 2, 10]));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = (reply(&bytes, |_| Kex::FiniteField), reply(&bytes, ECDHE), is_ssl2(&bytes), has_heartbeat(&bytes));
            let _ = dtls_reply(&bytes);
        }
    }
}
