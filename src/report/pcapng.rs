//! Transcripts as packets that stock Wireshark opens: exported PDUs (link type 252), each with the name of its
//! protocol, so that odd ports and what was inside TLS are dissected, too. Made from transcripts, not captured.
use crate::model::{Endpoint, Observation, Recording, Sha256Digest, Subject, observation::clean, subject::Transport};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
};
use thiserror::Error;

/// LINKTYPE_WIRESHARK_UPPER_PDU.
const UPPER_PDU: u16 = 252;
/// More than this is cut, as a capture cuts long packets; Wireshark refuses longer ones.
const LONGEST: usize = 256 * 1024;

#[derive(Debug, Error)]
#[error("transcripts.jsonl:{line}: {why}; scan again, or take the bundle from its source again")]
pub struct PcapError {
    line: usize,
    why: String,
}

/// A line of the transcripts, as far as packets need it.
#[derive(Deserialize)]
struct Transcript {
    endpoint: String,
    local: String,
    layer: String,
    opened: String,
    masked: bool,
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    us: u64,
    way: Way,
    data: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Way {
    Sent,
    Received,
}

/// The capture file. The same recording gives the same bytes.
pub fn pcapng(recording: &Recording, transcripts: &[u8]) -> Result<Vec<u8>, PcapError> {
    let mut cited: BTreeMap<&Sha256Digest, Vec<&str>> = BTreeMap::new();
    for record in recording.records() {
        if let Some(digest) = &record.transcript {
            cited.entry(digest).or_default().push(&record.id);
        }
    }
    let services = services(recording);
    let mut out = head(recording);
    for (n, line) in transcripts.split(|b| *b == b'\n').enumerate().filter(|(_, l)| !l.is_empty()) {
        let wrong = |why: String| PcapError { line: n + 1, why };
        let t: Transcript = serde_json::from_slice(line).map_err(|e| wrong(e.to_string()))?;
        let Ok(Subject::Endpoint(endpoint)) = Subject::try_from(t.endpoint.clone()) else {
            return Err(wrong(format!("`{}` is no endpoint", t.endpoint)));
        };
        let opened: jiff::Timestamp = t.opened.parse().map_err(|_| wrong(format!("`{}` is no time", t.opened)))?;
        let opened = u64::try_from(opened.as_microsecond()).unwrap_or(0);
        let records = cited.get(&Sha256Digest::of(line)).map(|r| r.join(", "));
        let comment = comment(&t, records.as_deref(), n + 1);
        let services = services.get(&endpoint).map_or(&[][..], Vec::as_slice);
        for (at, way, bytes) in turns(&t.events).map_err(wrong)? {
            let name = dissector(services, &bytes);
            let pdu = pdu(endpoint, &t.local, way, name, &bytes);
            packet(&mut out, opened.saturating_add(at), &pdu, &comment);
        }
    }
    Ok(out)
}

fn comment(t: &Transcript, records: Option<&str>, line: usize) -> String {
    let records = records.map_or("cited by no record".to_owned(), |r| format!("record {r}"));
    let inside = if t.layer == "tls-plaintext" { ", inside TLS" } else { "" };
    let masked = if t.masked { ", secrets masked" } else { "" };
    format!("{records}; transcripts.jsonl:{line}{inside}{masked}")
}

/// What one side said before the other did: dissectors see no more than one packet of it.
fn turns(events: &[Event]) -> Result<Vec<(u64, Way, Vec<u8>)>, String> {
    let mut out: Vec<(u64, Way, Vec<u8>)> = Vec::new();
    for e in events {
        let bytes = STANDARD.decode(&e.data).map_err(|error| error.to_string())?;
        match out.last_mut() {
            Some((_, way, so_far)) if *way == e.way && so_far.len() + bytes.len() <= LONGEST => so_far.extend(bytes),
            _ => out.push((e.us, e.way, bytes)),
        }
    }
    Ok(out)
}

/// What was identified at each endpoint.
fn services(recording: &Recording) -> BTreeMap<Endpoint, Vec<&str>> {
    let mut all: BTreeMap<Endpoint, Vec<&str>> = BTreeMap::new();
    for record in recording.records() {
        if let (Observation::Service { service, .. }, Some(at)) = (&record.observation, record.subject.endpoint()) {
            all.entry(at).or_default().push(service);
        }
    }
    all
}

/// Wireshark's name of a protocol; the bytes themselves come before what the endpoint is known for.
fn dissector(services: &[&str], bytes: &[u8]) -> &'static str {
    const METHODS: [&[u8]; 7] = [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"OPTIONS ", b"DELETE ", b"HTTP/1."];
    const KNOWN: [(&str, &str); 14] = [
        ("http", "http"),
        ("https", "http"),
        ("mqtt", "mqtt"),
        ("coap", "coap"),
        ("telnet", "telnet"),
        ("ssh", "ssh"),
        ("ftp", "ftp"),
        ("snmp", "snmp"),
        ("rtsp", "rtsp"),
        ("dns", "dns"),
        ("tftp", "tftp"),
        ("modbus", "mbtcp"),
        ("ntp", "ntp"),
        ("smtp", "smtp"),
    ];
    if METHODS.iter().any(|m| bytes.starts_with(m)) {
        return if bytes.windows(5).take(64).any(|w| w == b"RTSP/") { "rtsp" } else { "http" };
    }
    if matches!(bytes, [20..=23, 3, 0..=4, ..]) {
        return "tls";
    }
    let known = services.iter().find_map(|s| KNOWN.iter().find(|(name, _)| name == s));
    known.map_or("data", |(_, name)| *name)
}

/// Tags that say which protocol, from where and to where; then the bytes.
fn pdu(endpoint: Endpoint, local: &str, way: Way, dissector: &str, bytes: &[u8]) -> Vec<u8> {
    let unknown = SocketAddr::new(if endpoint.host.is_ipv4() { [0; 4].into() } else { [0; 16].into() }, 0);
    let local: SocketAddr = local.parse().unwrap_or(unknown);
    let (from, to) = match way {
        Way::Sent => (local, endpoint.addr()),
        Way::Received => (endpoint.addr(), local),
    };
    let mut out = Vec::new();
    tag(&mut out, 12, dissector.as_bytes());
    for (v4, v6, port, addr) in [(20, 22, 25, from), (21, 23, 26, to)] {
        match addr.ip() {
            IpAddr::V4(ip) => tag(&mut out, v4, &ip.octets()),
            IpAddr::V6(ip) => tag(&mut out, v6, &ip.octets()),
        }
        tag(&mut out, port, &u32::from(addr.port()).to_be_bytes());
    }
    let kind: u32 = match endpoint.transport {
        Transport::Tcp => 2,
        Transport::Udp => 3,
    };
    tag(&mut out, 24, &kind.to_be_bytes());
    tag(&mut out, 0, &[]);
    out.extend(bytes);
    out
}

/// Padded to four bytes, and its length says so, in the byte order of the network.
fn tag(out: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let padded = value.len().next_multiple_of(4);
    out.extend(kind.to_be_bytes());
    out.extend(u16::try_from(padded).unwrap_or(0).to_be_bytes());
    out.extend(value);
    out.resize(out.len() + padded - value.len(), 0);
}

/// Section header and interface description.
fn head(recording: &Recording) -> Vec<u8> {
    let mut out = Vec::new();
    let mut section = Vec::new();
    section.extend(0x1a2b_3c4d_u32.to_le_bytes());
    section.extend([1, 0, 0, 0]);
    section.extend(u64::MAX.to_le_bytes());
    let made = "made from the transcripts of a recording, not captured: no packet of it was on a wire as it is here";
    option(&mut section, 1, &format!("{made}; recording {}", recording.digest));
    let tool = crate::judge::assess::tool();
    option(&mut section, 4, &format!("{} {}", tool.name, tool.version));
    option(&mut section, 0, "");
    block(&mut out, 0x0a0d_0d0a, &section);
    let mut interface = Vec::new();
    interface.extend(UPPER_PDU.to_le_bytes());
    interface.extend([0; 6]);
    option(&mut interface, 2, "transcripts.jsonl");
    option(&mut interface, 0, "");
    block(&mut out, 1, &interface);
    out
}

/// An enhanced packet block.
fn packet(out: &mut Vec<u8>, us: u64, pdu: &[u8], comment: &str) {
    let mut body = Vec::new();
    let [high, low] = [us >> 32, us & 0xffff_ffff].map(|n| u32::try_from(n).unwrap_or(0).to_le_bytes());
    let length = u32::try_from(pdu.len()).unwrap_or(u32::MAX).to_le_bytes();
    body.extend([[0; 4], high, low, length, length].concat());
    body.extend(pdu);
    body.resize(body.len().next_multiple_of(4), 0);
    option(&mut body, 1, &clean(comment, 1000));
    option(&mut body, 0, "");
    block(out, 6, &body);
}

fn option(out: &mut Vec<u8>, code: u16, text: &str) {
    out.extend(code.to_le_bytes());
    out.extend(u16::try_from(text.len()).unwrap_or(0).to_le_bytes());
    out.extend(text.as_bytes());
    out.resize(out.len().next_multiple_of(4), 0);
}

fn block(out: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = u32::try_from(body.len() + 12).unwrap_or(u32::MAX).to_le_bytes();
    out.extend(kind.to_le_bytes());
    out.extend(length);
    out.extend(body);
    out.extend(length);
}
