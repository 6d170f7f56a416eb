//! What each open port is, by what it says.
use super::{
    Probe, mqtt,
    starttls::{Place, Start},
    tls_versions,
};
use crate::model::{
    Endpoint, Observation, Sha256Digest, Touch, Transport, Why,
    observation::{TlsAnswer, TlsVersion, clean},
};
use crate::scan::{
    codec::{industrial, smb, tls::Offer},
    fingerprint::{self, Product},
    net::{Trouble, Wire},
    prompt::{Kind, asked},
    session::Ctx,
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

pub const PROBE: Probe = Probe {
    id: "service-identify",
    version: 1,
    title: "what each port says it is",
    page: include_str!("service_identify.md"),
    touch: Touch::Ask,
    subjects_from: &["tcp-ports", "udp-services"],
    run: |ctx| Box::pin(run(ctx)),
};

const QUIET: Duration = Duration::from_millis(700);
const LISTEN: Duration = Duration::from_secs(2);
/// Modbus is asked nothing but what it is, and at its own port nothing else is.
const MODBUS: u16 = 502;
/// SMB is asked for at its own port only.
const SMB: u16 = 445;
const RTSP: &[u8] = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n";
/// The most of a banner that is read.
const MOST: usize = 4096;
/// Ports where a wrong byte may move a machine or print a page.
pub(super) const HANDS_OFF: &[u16] = &[102, 502, 2404, 9100, 20000, 44818];
/// Ports asked first, lest a host with hundreds of ports that say nothing keeps us from the likely ones. What a port is
/// is never told by its number; only, one of these that is not understood proves the absence of no service.
const COMMON: &[u16] = &[
    21, 22, 23, 25, 53, 80, 81, 110, 143, 443, 445, 554, 1883, 1900, 2323, 3000, 4443, 5000, 5060, 5683, 5900, 6379,
    7547, 8000, 8008, 8080, 8081, 8088, 8443, 8883, 8888, 9000, 9001, 9090, 49152,
];
/// A host with so many ports that take every connection and say nothing is a tarpit: its other ports are listened to,
/// but not asked six questions each.
const MANY_MUTE: usize = 16;

async fn run(ctx: &Ctx) {
    for record in ctx.seen("udp-services") {
        if let (Some(e), Observation::Port { service: Some(service), .. }) =
            (record.subject.endpoint(), &record.observation)
        {
            Found::named(service).record(ctx, e, record.transcript.clone());
        }
    }
    let mut ports = ctx.open_tcp();
    ports.sort_by_key(|e| !COMMON.contains(&e.port));
    let mute = &AtomicUsize::new(0);
    ctx.each(
        ports,
        |e| *e,
        |e| async move {
            match identify(ctx, e, mute).await {
                Ok((found, tape)) => {
                    if let Some(why) = found.proves_no_absence(e) {
                        ctx.gap(Some(e.into()), Why::NotUnderstood(why.to_owned()));
                    }
                    found.record(ctx, e, tape);
                }
                Err(t) => {
                    Found::named("unknown").record(ctx, e, None);
                    ctx.trouble(None, e, &t);
                }
            }
        },
    )
    .await;
}

#[derive(Default)]
struct Found {
    service: String,
    tls: bool,
    starttls: bool,
    product: Product,
    says: Vec<String>,
    debug: Option<(&'static str, String)>,
    /// It sends more than anybody reads.
    endless: bool,
}

impl Found {
    fn named(service: &str) -> Self {
        Self { service: service.to_owned(), ..Self::default() }
    }

    fn saying(service: &str, on: &str, words: &str) -> Self {
        let product = fingerprint::product(on, words).unwrap_or_default();
        Self { service: service.to_owned(), product, says: vec![clean(words, 200)], ..Self::default() }
    }

    /// Why "no such service" cannot be said of a port that was asked and is still unknown.
    fn proves_no_absence(&self, e: Endpoint) -> Option<&'static str> {
        match self.service.as_str() {
            "unknown" if self.endless => Some("it streams without end"),
            "unknown" if COMMON.contains(&e.port) => {
                Some("it says nothing that we know, on a port that promises a service")
            }
            _ => None,
        }
    }

    fn record(self, ctx: &Ctx, e: Endpoint, tape: Option<Sha256Digest>) {
        if let Some((name, proof)) = self.debug {
            ctx.record(e, Observation::DebugInterface { name: name.to_owned(), proof }, tape.clone());
        }
        let Product { product, version, vendor } = self.product;
        let (service, tls, starttls, says) = (self.service, self.tls, self.starttls, self.says);
        ctx.record(
            e,
            Observation::Service { service, tls, starttls, product, version, vendor, says: says.into() },
            tape,
        );
    }
}

/// Knows a protocol by its reply.
type Reader = fn(&[u8]) -> Option<Found>;

type Identity = (Found, Option<Sha256Digest>);

/// `mute` counts the ports that said nothing to any question.
async fn identify(ctx: &Ctx, e: Endpoint, mute: &AtomicUsize) -> Result<Identity, Trouble> {
    debug_assert_eq!(e.transport, Transport::Tcp);
    let mut wire = ctx.tcp(e).await?;
    let banner =
        wire.collect(QUIET.max(LISTEN), LISTEN, MOST, |b| b.contains(&b'\n') || b.first() == Some(&0xff)).await;
    let found = match &banner {
        Ok(bytes) => Some(by_banner(&mut wire, bytes).await),
        Err(_) => None,
    };
    let tape = wire.close().await;
    if let Some(found) = found {
        return Ok((found, Some(tape)));
    }
    if mute.load(Ordering::Relaxed) >= MANY_MUTE {
        let why = format!("{MANY_MUTE} ports that take every connection and say nothing: a tarpit, not asked further");
        return Err(Trouble::NotUnderstood(why));
    }
    // Servers of files hang up on everything else, some of them for good.
    if e.port == SMB
        && let Some(found) = smb(ctx, e).await
    {
        return Ok(found);
    }
    if e.port == MODBUS
        && let Some((reply, tape)) = exchange(ctx, e, false, &industrial::MODBUS_IDENTITY).await
        && let Some(found) = modbus_words(&reply)
    {
        return Ok((found, Some(tape)));
    }
    if HANDS_OFF.contains(&e.port) {
        return Ok((Found::named("unknown"), Some(tape)));
    }
    // What usually stands behind the port is asked first: it saves waiting, and decides nothing. Not HTTP: many servers tell in
    // plain words that they want TLS.
    if let Some(found) = ask_in_turn(ctx, e, false, |usual| usual.contains(&e.port)).await {
        return Ok(found);
    }
    let place = Place { endpoint: e, start: Start::AtOnce };
    let mut silent = false;
    // Any answer in TLS records is TLS, an alert too: a server may know other versions only.
    for version in [TlsVersion::Tls12, TlsVersion::Tls10, TlsVersion::Ssl3] {
        match tls_versions::ask(ctx, place, version, Offer::All).await {
            Ok((TlsAnswer::Accepted { .. } | TlsAnswer::Alert { .. } | TlsAnswer::OtherVersion { .. }, _)) => {
                return Ok(inside_tls(ctx, e).await);
            }
            Ok((TlsAnswer::NotTls, _)) => break,
            Ok((TlsAnswer::Silent, _)) => {
                silent = true;
                break;
            }
            Ok((TlsAnswer::Closed, _)) => {}
            Err(t) => return Err(t),
        }
    }
    let found = ask_in_turn(ctx, e, false, |usual| !usual.contains(&e.port)).await;
    if silent && found.is_none() {
        mute.fetch_add(1, Ordering::Relaxed);
    }
    Ok(found.unwrap_or_else(|| (Found::named("unknown"), None)))
}

/// Whether it speaks SMB; where SMB2 is refused, SMB1 is asked for.
async fn smb(ctx: &Ctx, e: Endpoint) -> Option<Identity> {
    for question in [smb::negotiate2(), smb::negotiate1()] {
        let mut wire = ctx.tcp(e).await.ok()?;
        let sent = wire.send(&question).await;
        let reply = match sent {
            Ok(()) => wire.collect(LISTEN, LISTEN, MOST, |b| b.len() >= 72).await,
            Err(t) => Err(t),
        };
        let tape = wire.close().await;
        if reply.is_ok_and(|b| smb::chosen(&b).is_some()) {
            return Some((Found::named("smb"), Some(tape)));
        }
    }
    None
}

async fn by_banner(wire: &mut Wire, bytes: &[u8]) -> Found {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let first = text.lines().next().unwrap_or_default().to_owned();
    if first.starts_with("SSH-") {
        return Found::saying("ssh", "ssh-ident", &first);
    }
    if bytes.first() == Some(&0xff) && bytes.get(1).is_some_and(|b| *b >= 0xf0) {
        let more = telnet_text(wire, bytes).await;
        return Found::saying("telnet", "telnet-banner", &more);
    }
    if first.starts_with("220") {
        let smtp = first.to_ascii_lowercase().contains("smtp");
        let mut found = Found::saying(if smtp { "smtp" } else { "ftp" }, "ftp-banner", &first);
        if smtp {
            found.starttls = offers_starttls(wire, "smtp").await;
        } else if wire.send(b"AUTH TLS\r\n").await.is_ok() {
            // The rest of a greeting of several lines may come first.
            let said = |b: &[u8], code: &str| String::from_utf8_lossy(b).lines().any(|l| l.starts_with(code));
            let done = |b: &[u8]| b.ends_with(b"\n") && (said(b, "234") || said(b, "4") || said(b, "5"));
            let reply = wire.collect(QUIET, LISTEN, MOST, done).await.unwrap_or_default();
            found.starttls = said(&reply, "234");
        }
        return found;
    }
    let service = match () {
        () if is_csm(bytes) => return Found::named("coap+tcp"),
        () if first.starts_with("RFB 00") => "vnc",
        () if first.starts_with("@RSYNCD:") => "rsync",
        () if first.starts_with("* OK") => "imap",
        () if first.starts_with("+OK") => "pop3",
        () if matches!(asked(&text), Some(Kind::Login | Kind::Password | Kind::Shell)) => "telnet",
        () if first.starts_with("HTTP/") => "http",
        // A stream without end is no banner, and says nothing.
        () if bytes.len() >= MOST => return Found { endless: true, ..Found::named("unknown") },
        () => "unknown",
    };
    let starttls = offers_starttls(wire, service).await;
    Found { starttls, ..Found::saying(service, if service == "telnet" { "telnet-banner" } else { "banner" }, &text) }
}

/// The first message of every CoAP endpoint over TCP: a length, no token, code 7.01 (RFC 8323, 3.2 and 5.3).
fn is_csm(bytes: &[u8]) -> bool {
    match bytes {
        [head, 0xe1, options @ ..] if head & 0x0f == 0 && head >> 4 < 13 => options.len() >= usize::from(head >> 4),
        [0xd0, more, 0xe1, options @ ..] => options.len() >= usize::from(*more) + 13,
        _ => false,
    }
}

/// Whether a mail server says that it goes on inside TLS when asked.
async fn offers_starttls(wire: &mut Wire, service: &str) -> bool {
    let (question, word, last) = match service {
        "smtp" => ("EHLO patuh.invalid\r\n", "STARTTLS", "250 "),
        "imap" => ("a CAPABILITY\r\n", "STARTTLS", "a "),
        "pop3" => ("CAPA\r\n", "STLS", "."),
        _ => return false,
    };
    if wire.send(question.as_bytes()).await.is_err() {
        return false;
    }
    let lines = |b: &[u8]| String::from_utf8_lossy(b).lines().map(str::to_owned).collect::<Vec<_>>();
    let over = |b: &[u8]| b.ends_with(b"\n") && lines(b).iter().any(|l| l.starts_with(last) || l.starts_with("-ERR"));
    let reply = wire.collect(QUIET, LISTEN, MOST, over).await.unwrap_or_default();
    String::from_utf8_lossy(&reply).to_ascii_uppercase().contains(word)
}

/// Refuses every option that a Telnet server asks for, and returns what it says in plain words.
async fn telnet_text(wire: &mut Wire, first: &[u8]) -> String {
    let mut all = first.to_vec();
    let mut answered = 0;
    for _ in 0..4 {
        let (text, replies) = super::telnet::negotiate(&all);
        let fresh = replies.get(answered..).unwrap_or_default().to_vec();
        answered = replies.len();
        if !fresh.is_empty() && wire.send(&fresh).await.is_err() {
            return text;
        }
        match wire.collect(QUIET, LISTEN, 4096, |_| false).await {
            Ok(more) => all.extend(more),
            Err(_) => return text,
        }
    }
    super::telnet::negotiate(&all).0
}

async fn inside_tls(ctx: &Ctx, e: Endpoint) -> Identity {
    let (mut found, tape) = match ctx.connect(e, true).await {
        Ok(mut wire) => {
            // Mail and file servers speak first, inside TLS, too.
            let banner = wire.collect(QUIET, QUIET, MOST, |b| b.contains(&b'\n')).await;
            if let Ok(bytes) = &banner {
                let found = by_banner(&mut wire, bytes).await;
                if found.service != "unknown" {
                    let tape = wire.close().await;
                    return (Found { tls: true, starttls: false, ..found }, Some(tape));
                }
            }
            let tape = wire.close().await;
            ask_in_turn(ctx, e, true, |_| true).await.unwrap_or_else(|| (Found::named("unknown"), Some(tape)))
        }
        Err(t) => {
            ctx.trouble(None, e, &t);
            (Found::named("unknown"), None)
        }
    };
    found.tls = true;
    (found, tape)
}

/// The questions whose usual ports are chosen, until one is answered in its protocol.
async fn ask_in_turn(ctx: &Ctx, e: Endpoint, tls: bool, chosen: impl Fn(&[u16]) -> bool) -> Option<Identity> {
    let http = format!(
        "GET / HTTP/1.1\r\nHost: {}\r\nUser-Agent: patuh\r\nAccept: */*\r\nConnection: close\r\n\r\n",
        e.addr()
    );
    let connect = mqtt::connect(mqtt::Level::V311, None);
    let adb = b"CNXN\x00\x00\x00\x01\x00\x10\x00\x00\x07\x00\x00\x00\x32\x02\x00\x00\xbc\xb1\xa7\xb1host::\x00";
    // RFC 1035, 4.2.2: over TCP a length comes first. The question is version.bind TXT CHAOS.
    let dns = b"\x00\x1ePT\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04bind\x00\x00\x10\x00\x03";
    let questions: [(&[u16], &[u8], Reader); 9] = [
        (&[], http.as_bytes(), |b| http_words(b)),
        (&[554, 8554], RTSP, rtsp_words),
        (&[1883], &connect, |b| (b.starts_with(&[0x20, 2]) && b.len() >= 4).then(|| Found::named("mqtt"))),
        (&[6379], b"PING\r\n", |b| {
            (b.starts_with(b"+PONG") || b.starts_with(b"-NOAUTH")).then(|| Found::named("redis"))
        }),
        (&[53], dns, |b| (b.get(2..4) == Some(b"PT") && b.get(4)? & 0x80 != 0).then(|| Found::named("dns"))),
        (&[], b"JDWP-Handshake", jdwp),
        (&[5555], adb, adb_words),
        (&[4840], industrial::OPCUA_HELLO, |b| industrial::is_opcua(b).then(|| Found::named("opcua"))),
        (&[], &industrial::MODBUS_IDENTITY, modbus_words),
    ];
    for (_, question, read) in questions.into_iter().filter(|(usual, ..)| chosen(usual)) {
        let Some((reply, tape)) = exchange(ctx, e, tls, question).await else { continue };
        let Some(found) = read(&reply) else { continue };
        if found.service == "http"
            && found.product.product.is_none()
            && let Some(better) = other_than_http(ctx, e, tls, &reply).await
        {
            return Some(better);
        }
        if found.service == "http" && websocket_mqtt(ctx, e, tls, &connect).await {
            let says = vec!["MQTT over WebSocket".to_owned()];
            return Some((Found { service: "mqtt".to_owned(), says, ..found }, Some(tape)));
        }
        return Some((found, Some(tape)));
    }
    None
}

/// One question on a connection of its own, and what came back.
async fn exchange(ctx: &Ctx, e: Endpoint, tls: bool, question: &[u8]) -> Option<(Vec<u8>, Sha256Digest)> {
    let mut wire = ctx.connect(e, tls).await.ok()?;
    let sent = wire.send(question).await;
    let reply = match sent {
        Ok(()) => wire.collect(LISTEN, LISTEN * 2, 16 * 1024, |b| b.len() > 4 && !b.starts_with(b"HTTP")).await,
        Err(t) => Err(t),
    };
    let tape = wire.close().await;
    Some((reply.ok()?, tape))
}

/// What refuses a request for `/` and may be more than a web server: a media server with a tunnel through HTTP, a store of keys.
async fn other_than_http(ctx: &Ctx, e: Endpoint, tls: bool, reply: &[u8]) -> Option<Identity> {
    let text = String::from_utf8_lossy(reply);
    if !text.split(' ').nth(1)?.starts_with(['4', '5']) {
        return None;
    }
    if text.contains("404 page not found") {
        let question = format!("GET /version HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", e.addr());
        let (reply, tape) = exchange(ctx, e, tls, question.as_bytes()).await?;
        return Some((etcd_words(&reply)?, Some(tape)));
    }
    let (reply, tape) = exchange(ctx, e, tls, RTSP).await?;
    Some((rtsp_words(&reply)?, Some(tape)))
}

/// `{"etcdserver":"3.4.23","etcdcluster":"3.4.0"}`.
fn etcd_words(bytes: &[u8]) -> Option<Found> {
    let text = String::from_utf8_lossy(bytes);
    let body: serde_json::Value = serde_json::from_str(text.split_once("\r\n\r\n")?.1.trim()).ok()?;
    let version = Some(clean(body.get("etcdserver")?.as_str()?, 40));
    let product = Product { product: Some("etcd".to_owned()), version, vendor: None };
    Some(Found { service: "http".to_owned(), product, ..Found::default() })
}

fn modbus_words(bytes: &[u8]) -> Option<Found> {
    let said = industrial::modbus(bytes)?;
    let text = |t: Option<String>| t.map(|t| clean(&t, 80)).filter(|t| !t.is_empty());
    let product = Product { product: text(said.product), version: text(said.revision), vendor: text(said.vendor) };
    Some(Found { service: "modbus".to_owned(), product, ..Found::default() })
}

fn header(text: &str, name: &str) -> String {
    let wanted = |l: &&str| l.split_once(':').is_some_and(|(n, _)| n.trim().eq_ignore_ascii_case(name));
    text.lines().find(wanted).and_then(|l| l.split_once(':')).map(|(_, v)| v.trim().to_owned()).unwrap_or_default()
}

fn http_words(bytes: &[u8]) -> Option<Found> {
    if bytes.starts_with(b"RTSP/") {
        return rtsp_words(bytes);
    }
    if !bytes.starts_with(b"HTTP/") && !bytes.starts_with(b"ICY ") {
        return None;
    }
    let text = String::from_utf8_lossy(bytes);
    let (server, realm) = (header(&text, "server"), header(&text, "www-authenticate"));
    let cwmp = fingerprint::product("cwmp-realm", &realm).is_some();
    let mut found = Found::saying(if cwmp { "cwmp" } else { "http" }, "http-server", &server);
    if found.product.product.is_none() {
        let by_realm = fingerprint::product("http-realm", &realm);
        found.product = by_realm.or_else(|| fingerprint::product("upnp-server", &server)).unwrap_or_default();
    }
    Some(found)
}

fn rtsp_words(bytes: &[u8]) -> Option<Found> {
    let text = String::from_utf8_lossy(bytes);
    bytes.starts_with(b"RTSP/").then(|| Found::saying("rtsp", "rtsp-server", &header(&text, "server")))
}

fn jdwp(bytes: &[u8]) -> Option<Found> {
    let debug = Some(("jdwp", "it answered the JDWP handshake".to_owned()));
    (bytes == b"JDWP-Handshake").then(|| Found { debug, ..Found::named("jdwp") })
}

fn adb_words(bytes: &[u8]) -> Option<Found> {
    let proof = match bytes.get(..4) {
        Some(b"CNXN") => "it accepted an ADB connection without authentication",
        Some(b"AUTH") => "it asks ADB clients for a key",
        _ => return None,
    };
    Some(Found { debug: Some(("adb", proof.to_owned())), ..Found::named("adb") })
}

/// Whether the endpoint speaks MQTT inside a WebSocket.
async fn websocket_mqtt(ctx: &Ctx, e: Endpoint, tls: bool, connect: &[u8]) -> bool {
    let Ok(wire) = ctx.connect(e, tls).await else { return false };
    match super::websocket::upgrade(wire, e).await {
        Ok(mut ws) => {
            let asked = ws.send(connect).await.is_ok();
            let reply = ws.receive(LISTEN).await;
            ws.close().await;
            asked && reply.is_ok_and(|b| b.starts_with(&[0x20]))
        }
        Err(_) => false,
    }
}
