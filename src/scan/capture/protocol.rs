//! What a connection is, by its content. A port alone decides nothing, but for protocols without a sign of their own.
use crate::{
    model::observation::capture::Protocol,
    scan::codec::{Cursor, ber},
};

/// Words with which text protocols of requests begin.
const METHODS: [&str; 9] = ["GET ", "POST ", "PUT ", "HEAD ", "DELETE ", "OPTIONS ", "PATCH ", "CONNECT ", "TRACE "];
/// Of a text this part is made of printable characters.
const PRINTABLE: usize = 85;
/// Less than this is too little to be taken for text.
const LITTLE: usize = 8;

/// A TCP connection by the first bytes of both sides.
pub(super) fn tcp(client: &[u8], server: &[u8]) -> Protocol {
    if client.is_empty() && server.is_empty() {
        return Protocol::Empty;
    }
    let says = |word: &str| starts(client, word);
    let line = first_line(client);
    let told = |word: &str| server.starts_with(word.as_bytes());
    if is_tls(client) {
        Protocol::Tls
    } else if client.starts_with(b"SSH-") || server.starts_with(b"SSH-") {
        Protocol::Ssh
    } else if line.contains(" RTSP/1.") || told("RTSP/1.") {
        Protocol::Rtsp
    } else if is_http(client, &line) || told("HTTP/1.") {
        Protocol::Http
    } else if is_mqtt(client) {
        Protocol::Mqtt
    } else if told("220") && (says("EHLO") || says("HELO")) {
        Protocol::Smtp
    } else if told("220") && ["USER ", "AUTH ", "FEAT", "SYST"].iter().any(|w| says(w)) {
        Protocol::Ftp
    } else if told("+OK") {
        Protocol::Pop3
    } else if told("* OK") || told("* PREAUTH") {
        Protocol::Imap
    } else if is_telnet(client) || is_telnet(server) {
        Protocol::Telnet
    } else {
        other(client, server)
    }
}

fn is_http(client: &[u8], line: &str) -> bool {
    let request = METHODS.iter().any(|m| client.starts_with(m.as_bytes())) && line.contains(" HTTP/");
    request || client.starts_with(b"PRI * HTTP/2.0\r\n")
}

/// The place of a hello after something that was said in clear, as STARTTLS makes it.
pub(super) fn upgraded(client: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(client.get(..client.len().min(4096)).unwrap_or_default()).to_ascii_uppercase();
    let asks = text.contains("STARTTLS") || text.contains("STLS") || text.contains("AUTH TLS");
    let at = client.windows(6).position(is_tls)?;
    (asks && at > 0).then_some(at)
}

/// A datagram, by its content and, where content says little, by the port of the server.
pub(super) fn udp(payload: &[u8], port: u16) -> Protocol {
    let first = payload.first().copied().unwrap_or_default();
    let word = |n: usize| payload.get(n..n + 4).and_then(|b| <[u8; 4]>::try_from(b).ok()).map(u32::from_be_bytes);
    match port {
        53 if is_dns(payload) => return Protocol::Dns,
        5353 if is_dns(payload) => return Protocol::Mdns,
        5355 if is_dns(payload) => return Protocol::Llmnr,
        137 | 138 => return Protocol::Netbios,
        123 if payload.len() >= 12 && (1..=4).contains(&(first >> 3 & 7)) => return Protocol::Ntp,
        67 | 68 if payload.len() > 240 && word(236) == Some(0x6382_5363) => return Protocol::Dhcp,
        546 | 547 if (1..=13).contains(&first) => return Protocol::Dhcp,
        500 | 4500 if payload.len() >= 28 => return Protocol::Ike,
        69 if matches!(payload, [0, 1..=5, ..]) => return Protocol::Tftp,
        514 if first == b'<' => return Protocol::Syslog,
        32100 | 32108 if first == 0xf1 => return Protocol::Pppp,
        _ => {}
    }
    if payload.is_empty() {
        Protocol::Empty
    } else if matches!(payload, [20..=26, 0xfe, 0xfd..=0xff, ..]) {
        Protocol::Dtls
    } else if word(4) == Some(0x2112_a442) && first < 4 {
        Protocol::Stun
    } else if first & 0xc0 == 0xc0 && matches!(word(1), Some(1 | 0x6b33_43cf)) {
        Protocol::Quic
    } else if starts(payload, "M-SEARCH ") || starts(payload, "NOTIFY ") || port == 1900 {
        Protocol::Ssdp
    } else if payload.len() == 148 && word(0) == Some(0x0100_0000) {
        Protocol::Wireguard
    } else if community(payload).is_some() || is_snmp(payload) {
        Protocol::Snmp
    } else if is_coap(payload) {
        Protocol::Coap
    } else {
        other(payload, &[])
    }
}

fn other(client: &[u8], server: &[u8]) -> Protocol {
    let all = || client.iter().chain(server).take(4096);
    let (total, text) = (all().count(), all().filter(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()).count());
    if total >= LITTLE && text * 100 >= total * PRINTABLE { Protocol::Text } else { Protocol::Unknown }
}

pub(super) fn is_tls(bytes: &[u8]) -> bool {
    matches!(bytes, [22, 3, 0..=4, _, _, 1, ..])
}

/// The first record of TLS in what a server sent, which may follow something in clear.
pub(super) fn record(server: &[u8]) -> Option<&[u8]> {
    let at = server.windows(6).position(|w| matches!(w, [22, 3, 0..=4, _, _, 2]) || matches!(w, [21, 3, 0..=4, ..]))?;
    server.get(at..)
}

fn is_mqtt(bytes: &[u8]) -> bool {
    mqtt_body(bytes).is_some_and(|b| b.starts_with(b"\x00\x04MQTT") || b.starts_with(b"\x00\x06MQIsdp"))
}

/// What follows the fixed header of a CONNECT.
pub(super) fn mqtt_body(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(&[0x10])?;
    let length = rest.iter().take(4).position(|b| b & 0x80 == 0)?;
    rest.get(length + 1..)
}

/// A command of the protocol (RFC 854): IAC and WILL, WONT, DO, DONT or SB.
fn is_telnet(bytes: &[u8]) -> bool {
    matches!(bytes, [255, 250..=254, _, ..])
}

fn is_dns(bytes: &[u8]) -> bool {
    bytes.len() >= 12 && bytes.get(2).is_some_and(|b| b >> 3 & 15 <= 5)
}

/// The community of SNMPv1 and v2c.
pub(super) fn community(bytes: &[u8]) -> Option<&[u8]> {
    let (tag, body) = ber::read(&mut Cursor(bytes))?;
    let mut inside = Cursor(body);
    let version = ber::read(&mut inside).filter(|(tag, v)| *tag == 2 && matches!(v, [0 | 1]))?;
    let (kind, community) = ber::read(&mut inside)?;
    let (pdu, _) = ber::read(&mut inside)?;
    (tag == 0x30 && version.0 == 2 && kind == 4 && (0xa0..=0xa8).contains(&pdu)).then_some(community)
}

fn is_snmp(bytes: &[u8]) -> bool {
    let Some((0x30, body)) = ber::read(&mut Cursor(bytes)) else { return false };
    let mut inside = Cursor(body);
    let third = ber::read(&mut inside).is_some_and(|(tag, v)| tag == 2 && v == [3]);
    third && ber::read(&mut inside).is_some_and(|(tag, _)| tag == 0x30)
}

/// Version 1, a code that is registered, and options that can be read to their end.
fn is_coap(bytes: &[u8]) -> bool {
    let [head, code, ..] = bytes else { return false };
    let known = matches!(code, 0..=7 | 0x41..=0x45 | 0x5f | 0x80..=0x8d | 0x8f | 0xa0..=0xa5);
    head >> 6 == 1 && head & 15 <= 8 && known && coap_lite::Packet::from_bytes(bytes).is_ok()
}

fn starts(bytes: &[u8], word: &str) -> bool {
    bytes.get(..word.len()).is_some_and(|b| b.eq_ignore_ascii_case(word.as_bytes()))
}

fn first_line(bytes: &[u8]) -> String {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(line.get(..line.len().min(2048)).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_told_by_what_passes_and_not_by_their_port() {
        for (client, server, want) in [
            (&b"GET / HTTP/1.1\r\n\r\n"[..], &b""[..], Protocol::Http),
            (b"OPTIONS rtsp://a/ RTSP/1.0\r\n", b"", Protocol::Rtsp),
            (b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", b"", Protocol::Mqtt),
            (b"\x16\x03\x01\x00\x05\x01", b"", Protocol::Tls),
            (b"\x17\x03\x03\x00\x05\x01", b"", Protocol::Unknown),
            (b"EHLO a\r\n", b"220 mail ESMTP\r\n", Protocol::Smtp),
            (b"USER a\r\n", b"220 ready\r\n", Protocol::Ftp),
            (b"USER a\r\n", b"+OK ready\r\n", Protocol::Pop3),
            (b"a LOGIN x y\r\n", b"* OK ready\r\n", Protocol::Imap),
            (b"\xff\xfb\x18", b"", Protocol::Telnet),
            (b"temp=21;hum=40\n", b"", Protocol::Text),
            (b"\x00\x01\x02\x03\x04\x05\x06\x07\x08", b"", Protocol::Unknown),
            (b"", b"", Protocol::Empty),
            // What is packed is no text, and no encryption either.
            (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48", b"", Protocol::Unknown),
        ] {
            assert_eq!(tcp(client, server), want, "{}", String::from_utf8_lossy(client));
        }
    }

    #[test]
    fn datagrams_are_told_by_their_content() {
        let snmp = b"\x30\x1a\x02\x01\x01\x04\x06public\xa0\x0d\x02\x01\x01\x02\x01\x00\x02\x01\x00\x30\x02\x30\x00";
        assert_eq!((udp(snmp, 9), community(snmp)), (Protocol::Snmp, Some(&b"public"[..])));
        assert_eq!(udp(b"\x40\x01\x00\x01\xb1a", 5683), Protocol::Coap);
        assert_eq!(udp(b"\x16\xfe\xfd\x00", 5684), Protocol::Dtls);
        assert_eq!(udp(b"\x00\x01\x00\x00\x21\x12\xa4\x42", 3478), Protocol::Stun);
        assert_eq!(udp(&[0x23; 48], 123), Protocol::Ntp);
        assert_eq!(udp(&[0x23; 48], 124), Protocol::Text);
        assert_eq!(udp(&[0; 48], 5000), Protocol::Unknown);
    }

    #[test]
    fn a_hello_after_starttls_is_found_and_one_without_it_is_not() {
        assert_eq!(upgraded(b"EHLO a\r\nSTARTTLS\r\n\x16\x03\x01\x00\x05\x01"), Some(18));
        assert_eq!(upgraded(b"EHLO a\r\nHELP\r\n\x16\x03\x01\x00\x05\x01"), None);
    }
}
