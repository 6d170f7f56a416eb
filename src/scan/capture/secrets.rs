//! Secrets that passed in clear: of what class, where they stand, and in which packet. The secret itself is never kept.
use super::{
    protocol::{community, mqtt_body},
    wanted::Wanted,
};
use crate::{
    model::observation::capture::Protocol,
    scan::{codec::Cursor, sensitive},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::BTreeSet;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Side {
    Client,
    Server,
}

/// A secret, by where it stands in what one side sent.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Found {
    pub class: String,
    pub carrier: String,
    pub side: Side,
    pub at: usize,
}

fn found(class: &str, carrier: &str, side: Side, at: usize) -> Found {
    Found { class: class.to_owned(), carrier: carrier.to_owned(), side, at }
}

/// Of a TCP connection in clear.
pub(super) fn stream(protocol: Protocol, client: &[u8], server: &[u8], wanted: &Wanted) -> BTreeSet<Found> {
    let mut all = BTreeSet::new();
    let ascii = text(client);
    match protocol {
        Protocol::Http | Protocol::Rtsp => all.extend(authorizations(protocol.word(), &ascii)),
        Protocol::Ftp | Protocol::Pop3 | Protocol::Imap | Protocol::Smtp => all.extend(mail(protocol.word(), &ascii)),
        Protocol::Telnet => all.extend(telnet(client, server)),
        Protocol::Mqtt => all.extend(mqtt(client).map(|at| found("password", "mqtt connect", Side::Client, at))),
        _ => {}
    }
    for (side, bytes) in [(Side::Client, client), (Side::Server, server)] {
        all.extend(content(protocol, side, bytes, wanted));
    }
    all
}

/// Of a datagram in clear.
pub(super) fn datagram(protocol: Protocol, side: Side, bytes: &[u8], wanted: &Wanted) -> BTreeSet<Found> {
    let mut all = content(protocol, side, bytes, wanted);
    if let Some(at) = community(bytes).filter(|c| !c.is_empty()).map(|_| 0) {
        all.insert(found("community", "snmp community", side, at));
    }
    all
}

/// What tells by its own form, wherever it stands, and what was searched for.
fn content(protocol: Protocol, side: Side, bytes: &[u8], wanted: &Wanted) -> BTreeSet<Found> {
    let blanked = without_authorization(&text(bytes));
    let told = sensitive::places(&blanked);
    let told = told.into_iter().map(|(class, at)| found(&class, &format!("{} content", protocol.word()), side, at));
    let searched = wanted.places(bytes).into_iter().map(|(how, at)| found("tester", how, side, at));
    told.chain(searched).collect()
}

/// One character per byte, so that places stay the same.
fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '?' }).collect()
}

/// The lines of a text, each with its place.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split_inclusive('\n').map(move |line| {
        at += line.len();
        (at - line.len(), line.trim_end())
    })
}

/// The scheme and the value of an `Authorization` line.
fn authorization(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once(':')?;
    let of_a_proxy = name.eq_ignore_ascii_case("proxy-authorization");
    (of_a_proxy || name.eq_ignore_ascii_case("authorization")).then(|| value.trim().split_once(' '))?
}

fn authorizations(protocol: &str, client: &str) -> Vec<Found> {
    let one = |(at, line)| {
        let (scheme, value) = authorization(line)?;
        let basic = scheme.eq_ignore_ascii_case("basic");
        if basic && password(value.trim()) {
            return Some(found("password", &format!("{protocol} basic"), Side::Client, at));
        }
        let bearer = !basic && scheme.eq_ignore_ascii_case("bearer") && value.trim().len() > 3;
        bearer.then(|| found("token", &format!("{protocol} bearer"), Side::Client, at))
    };
    lines(client).filter_map(one).collect()
}

/// Whether `user:password` in Base64 has a password.
fn password(encoded: &str) -> bool {
    let plain = STANDARD.decode(encoded).unwrap_or_default();
    plain.iter().position(|b| *b == b':').is_some_and(|n| n + 1 < plain.len())
}

fn without_authorization(text: &str) -> String {
    text.split_inclusive('\n')
        .map(|line| if authorization(line.trim_end()).is_some() { "*".repeat(line.len()) } else { line.to_owned() })
        .collect()
}

/// Log-ins of FTP (RFC 959), POP3 (RFC 1939), IMAP (RFC 9051) and SMTP (RFC 4954).
fn mail(protocol: &str, client: &str) -> Vec<Found> {
    let mut all = Vec::new();
    let (mut anonymous, mut waits) = (false, false);
    for (at, line) in lines(client) {
        let mut words = line.split_ascii_whitespace();
        let first = words.next().unwrap_or_default().to_ascii_uppercase();
        let second = words.next().unwrap_or_default();
        let third = words.next().unwrap_or_default();
        let verb = second.to_ascii_uppercase();
        let carrier = |how: &str| found("password", &format!("{protocol} {how}"), Side::Client, at);
        if waits && !line.is_empty() && line != "*" {
            all.push(carrier("auth"));
            waits = false;
        } else if first == "USER" {
            anonymous = ["anonymous", "ftp"].iter().any(|n| second.eq_ignore_ascii_case(n));
        } else if first == "PASS" && !second.is_empty() && !anonymous {
            all.push(carrier("pass"));
        } else if protocol == "imap" && verb == "LOGIN" && words.next().is_some() {
            all.push(carrier("login"));
        } else if first == "AUTH" || protocol == "imap" && verb == "AUTHENTICATE" {
            let (mechanism, initial) = if first == "AUTH" { (verb.as_str(), third) } else { (third, "") };
            let plain = ["PLAIN", "LOGIN"].iter().any(|m| mechanism.eq_ignore_ascii_case(m));
            if plain && !initial.is_empty() {
                all.push(carrier("auth"));
            }
            waits = plain && initial.is_empty();
        }
    }
    all
}

/// A line after the server asked for a password. Where it asked for a name first, the second one.
fn telnet(client: &[u8], server: &[u8]) -> Option<Found> {
    let asked = text(server).to_ascii_lowercase();
    let prompt = asked.find("password:").or_else(|| asked.find("passwort:"))?;
    let before = if asked.get(..prompt)?.contains("login:") { 1 } else { 0 };
    let typed = without_commands(client);
    let mut lines = typed.split_inclusive(|(_, b)| *b == b'\r' || *b == b'\n').filter(|line| line.len() > 1);
    let line = lines.nth(before)?;
    let ended = line.last().is_some_and(|(_, b)| *b == b'\r' || *b == b'\n');
    let at = line.iter().find(|(_, b)| b.is_ascii_graphic()).map(|(at, _)| *at)?;
    ended.then(|| found("password", "telnet log-in", Side::Client, at))
}

/// What a person typed, without the commands of the protocol (RFC 854), each byte with its place.
fn without_commands(bytes: &[u8]) -> Vec<(usize, u8)> {
    let mut out = Vec::new();
    let mut rest = bytes.iter().copied().enumerate();
    while let Some((at, b)) = rest.next() {
        match b {
            255 => match rest.next() {
                Some((_, 251..=254)) => drop(rest.next()),
                Some((_, 250)) => while rest.next().is_some_and(|(_, b)| b != 240) {},
                Some(_) | None => {}
            },
            0 => {}
            _ => out.push((at, b)),
        }
    }
    out
}

/// Where the password of a CONNECT stands (MQTT 3.1.1 and 5, 3.1.3).
fn mqtt(client: &[u8]) -> Option<usize> {
    let body = mqtt_body(client)?;
    let mut c = Cursor(body);
    c.vec16()?;
    let (level, flags) = (c.u8()?, c.u8()?);
    c.u16()?;
    if level == 5 {
        properties(&mut c)?;
    }
    c.vec16()?;
    if flags & 4 != 0 {
        if level == 5 {
            properties(&mut c)?;
        }
        c.vec16()?;
        c.vec16()?;
    }
    if flags & 0x80 != 0 {
        c.vec16()?;
    }
    let at = client.len() - c.0.len();
    (flags & 0x40 != 0 && !c.vec16()?.is_empty()).then_some(at)
}

/// Properties of MQTT 5: a length of up to four bytes, and that many bytes.
fn properties(c: &mut Cursor<'_>) -> Option<()> {
    let mut length = 0usize;
    for shift in [0, 7, 14, 21] {
        let b = c.u8()?;
        length |= usize::from(b & 0x7f) << shift;
        if b & 0x80 == 0 {
            return c.take(length).map(|_| ());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carriers(protocol: Protocol, client: &[u8], server: &[u8]) -> Vec<String> {
        let wanted = Wanted::new(&[b"sunflower-77".to_vec()]).unwrap();
        stream(protocol, client, server, &wanted).into_iter().map(|f| format!("{}/{}", f.class, f.carrier)).collect()
    }

    #[test]
    fn log_ins_in_clear_are_found_and_what_is_none_is_not() {
        for (protocol, client, server, want) in [
            (
                Protocol::Http,
                &b"GET / HTTP/1.1\r\nAuthorization: Basic dTpw\r\n\r\n"[..],
                &b""[..],
                "password/http basic",
            ),
            (Protocol::Http, b"GET / HTTP/1.1\r\nAuthorization: Basic dTo=\r\n\r\n", b"", ""),
            (Protocol::Http, b"GET / HTTP/1.1\r\nAuthorization: Digest username=\"u\"\r\n\r\n", b"", ""),
            (Protocol::Http, b"GET / HTTP/1.1\r\nauthorization: bearer abcdef\r\n\r\n", b"", "token/http bearer"),
            (
                Protocol::Http,
                b"GET / HTTP/1.1\r\n\r\n",
                b"HTTP/1.1 401 X\r\nWWW-Authenticate: Basic realm=\"a\"\r\n",
                "",
            ),
            (Protocol::Ftp, b"USER u\r\nPASS secret\r\n", b"220 a\r\n", "password/ftp pass"),
            (Protocol::Ftp, b"USER anonymous\r\nPASS a@b\r\n", b"220 a\r\n", ""),
            (Protocol::Pop3, b"USER u\r\nPASS secret\r\n", b"+OK", "password/pop3 pass"),
            (Protocol::Imap, b"a1 LOGIN u secret\r\n", b"* OK", "password/imap login"),
            (Protocol::Smtp, b"EHLO a\r\nAUTH PLAIN AHUAcA==\r\n", b"220 a", "password/smtp auth"),
            (Protocol::Smtp, b"EHLO a\r\nAUTH CRAM-MD5\r\nZm9v\r\n", b"220 a", ""),
            (Protocol::Telnet, b"\xff\xfb\x18root\r\nsecret\r\n", b"login: Password: ", "password/telnet log-in"),
            (Protocol::Telnet, b"root\r\n", b"login: Password: ", ""),
        ] {
            assert_eq!(carriers(protocol, client, server).join(","), want, "{}", text(client));
        }
    }

    #[test]
    fn the_password_of_an_mqtt_connect_is_found_in_both_versions() {
        let connect = |level: u8, flags: u8, rest: &[u8]| {
            let mut body = b"\x00\x04MQTT".to_vec();
            body.extend([level, flags, 0, 60]);
            body.extend(rest);
            let mut all = vec![0x10, u8::try_from(body.len()).unwrap()];
            all.extend(body);
            all
        };
        assert_eq!(mqtt(&connect(4, 0xc2, b"\x00\x01c\x00\x01u\x00\x01p")), Some(18));
        assert_eq!(mqtt(&connect(5, 0xc2, b"\x00\x00\x01c\x00\x01u\x00\x01p")), Some(19));
        assert_eq!(mqtt(&connect(4, 0x02, b"\x00\x01c")), None);
        assert_eq!(mqtt(&connect(4, 0xc2, b"\x00\x01c\x00\x01u\x00\x00")), None);
        assert_eq!(mqtt(&connect(4, 0xc2, b"\x00\xff")), None);
    }

    #[test]
    fn what_was_searched_for_is_found_as_it_was_written() {
        let in_base64 = format!("x={}&", STANDARD.encode("id=7;sunflower-77;"));
        assert_eq!(carriers(Protocol::Text, in_base64.as_bytes(), b""), ["tester/in Base64"]);
        assert_eq!(carriers(Protocol::Unknown, b"\x00sunflower-77\x01", b""), ["tester/as it is"]);
        assert_eq!(carriers(Protocol::Unknown, b"\x00sunflower-78\x01", b""), [""; 0]);
    }
}
