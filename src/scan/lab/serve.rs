//! The laboratory's update servers: one accept loop, and one visit per connection. Everything that a visitor can make us
//! hold or wait for has a limit.
use super::{
    flight, http,
    stage::{Event, Now, Stage},
};
use crate::{
    model::{
        Endpoint, Sha256Digest,
        observation::{
            TlsVersion, clean,
            lab::{End, Handshake, ServerCase, Visit},
        },
    },
    scan::{
        codec::{client_hello, client_hello::ClientHello, tls},
        journal::Journal,
        net::Tape,
    },
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

/// Connections at once; further ones wait.
const MOST_VISITS: usize = 64;
const LONGEST_VISIT: Duration = Duration::from_secs(900);
const LONGEST_HELLO: usize = 64 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    Tls,
    Plain,
}

pub async fn serve(listener: TcpListener, speaks: Speaks, stage: Arc<Stage>, journal: Arc<Journal>) {
    let seats = Arc::new(Semaphore::new(MOST_VISITS));
    loop {
        let Ok(seat) = seats.clone().acquire_owned().await else { return };
        let Ok((stream, from)) = listener.accept().await else {
            // Out of descriptors, most likely: let some visits end first.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        if !stage.is_device(from.ip()) {
            let _ = stream.set_zero_linger();
            stage.tell(Event::Stranger(from.ip()));
            continue;
        }
        let (stage, journal) = (stage.clone(), journal.clone());
        tokio::spawn(async move {
            let visit = async {
                match speaks {
                    Speaks::Tls => tls_visit(stream, from, &stage, &journal).await,
                    Speaks::Plain => plain_visit(stream, from, &stage, &journal).await,
                }
            };
            // Who stays longer has been told of by what it did until then, or did nothing.
            let _ = tokio::time::timeout(LONGEST_VISIT, visit).await;
            drop(seat);
        });
    }
}

async fn plain_visit(mut stream: TcpStream, from: SocketAddr, stage: &Stage, journal: &Arc<Journal>) {
    let away = Some(stage.now()).filter(|n| n.case == ServerCase::Away);
    let now = away.unwrap_or_else(|| stage.shown());
    let mut tape = tape(&stream, from, journal);
    let request = match now.case {
        ServerCase::Away => {
            let _ = stream.set_zero_linger();
            None
        }
        _ => http::answer(&mut stream, stage, &now, Speaks::Plain, &mut tape).await,
    };
    let visit = Visit { case: now.case, port: stage.setup.http_port, tls: None, request };
    tell(stage, &now, from, visit, tape.close("done"));
}

async fn tls_visit(mut stream: TcpStream, from: SocketAddr, stage: &Stage, journal: &Arc<Journal>) {
    let mut tape = tape(&stream, from, journal);
    let read = tokio::time::timeout(stage.setup.answer, hello(&mut stream)).await;
    // The presentation that counts is the one at the hello, not at the connection.
    let (bytes, hello) = match read {
        Ok(Ok(read)) => read,
        Err(_) => return none(stage, from, tape, "no hello came"),
        Ok(Err(e)) => return none(stage, from, tape, &e.to_string()),
    };
    tape.received(&bytes);
    if let Some(other) = hello.name.as_deref().filter(|n| !stage.setup.names.iter().any(|o| o.eq_ignore_ascii_case(n)))
    {
        // Somebody else's server was wanted: not ours to play.
        tape.close("another name");
        let (from, name) = (from.ip().to_canonical(), clean(other, 255));
        return stage.tell(Event::Name { from, name, record: "SNI".to_owned(), answered: false });
    }
    let now = stage.show();
    let mut seen = handshake(&hello);
    let mut request = None;
    match now.case {
        ServerCase::HttpsRefused | ServerCase::Away => {
            let _ = stream.set_zero_linger();
            seen.end = End::Reset;
        }
        ServerCase::Tls10 | ServerCase::Tls11 | ServerCase::WeakKey => {
            seen.end = by_hand(&mut stream, &hello, now.case, stage, &mut tape).await;
        }
        _ => {
            let (read, write) = stream.split();
            let mut io = tokio::io::join(io::Cursor::new(bytes).chain(read), write);
            let Some(config) = stage.config(now.case) else { return };
            let accept = tokio_rustls::TlsAcceptor::from(config).accept(&mut io);
            match tokio::time::timeout(stage.setup.answer, accept).await {
                Err(_) => seen.end = silent(stage.setup.answer),
                Ok(Err(e)) => seen.end = refused(&e),
                Ok(Ok(mut inside)) => {
                    seen.end = End::Established;
                    seen.agreed = inside.get_ref().1.protocol_version().and_then(|v| tls::version_of(v.into()));
                    tape.inside_tls();
                    request = http::answer(&mut inside, stage, &now, Speaks::Tls, &mut tape).await;
                }
            }
        }
    }
    let how = seen.end.words();
    let visit = Visit { case: now.case, port: stage.setup.https_port, tls: Some(seen), request };
    tell(stage, &now, from, visit, tape.close(&how));
}

/// Who sent no hello did not see the case.
fn none(stage: &Stage, from: SocketAddr, tape: Tape, why: &str) {
    let now = stage.now();
    let end = End::NotUnderstood { why: clean(why, 120) };
    let (name, alpn, offered) = Default::default();
    let seen = Handshake { name, offered, suites: 0, weak_suites: 0, alpn, agreed: None, end };
    let visit = Visit { case: now.case, port: stage.setup.https_port, tls: Some(seen), request: None };
    tell(stage, &now, from, visit, tape.close("no hello"));
}

fn tape(stream: &TcpStream, from: SocketAddr, journal: &Arc<Journal>) -> Tape {
    let local = stream.local_addr().map(|a| a.to_string()).unwrap_or_default();
    Tape::new(journal.clone(), Endpoint::tcp(from.ip(), from.port()), local)
}

fn tell(stage: &Stage, now: &Now, from: SocketAddr, visit: Visit, transcript: Sha256Digest) {
    stage.tell(Event::Visit { from: from.ip().to_canonical(), serial: now.serial, visit, transcript });
}

async fn hello(stream: &mut TcpStream) -> io::Result<(Vec<u8>, ClientHello)> {
    let bad = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let mut bytes = Vec::new();
    let mut buffer = [0u8; 4096];
    while bytes.len() < LONGEST_HELLO {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Err(bad("it was closed before a hello"));
        }
        bytes.extend_from_slice(buffer.get(..n).unwrap_or_default());
        if let Some(body) = client_hello::whole(&bytes).map_err(bad)? {
            let hello = client_hello::parse(&body).ok_or_else(|| bad("its hello cannot be read"))?;
            return Ok((bytes, hello));
        }
    }
    Err(bad("its hello is longer than 64 KiB"))
}

fn handshake(hello: &ClientHello) -> Handshake {
    let weak = |suite: &&u16| {
        let (name, forward, aead) = tls::suite(**suite);
        !(name.starts_with("0x") || forward && aead)
    };
    let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
    Handshake {
        name: hello.name.as_deref().map(|n| clean(&n.to_lowercase(), 255)),
        offered: hello.offered.clone(),
        suites: count(hello.suites.len()),
        weak_suites: count(hello.suites.iter().filter(weak).count()),
        alpn: hello.alpn.iter().map(|a| clean(a, 32)).collect(),
        agreed: None,
        end: End::Closed,
    }
}

async fn by_hand(stream: &mut TcpStream, hello: &ClientHello, case: ServerCase, stage: &Stage, tape: &mut Tape) -> End {
    let (minor, chain, version) = match case {
        ServerCase::Tls10 => (1, &stage.good_rsa, TlsVersion::Tls10),
        ServerCase::Tls11 => (2, &stage.good_rsa, TlsVersion::Tls11),
        _ => (3, &stage.short_rsa, TlsVersion::Tls12),
    };
    let cannot = |why: String| End::NotUnderstood { why };
    if case == ServerCase::WeakKey && !hello.offered.contains(&version) {
        return cannot("the device offers no TLS 1.2, and this case is made for it".to_owned());
    }
    let Some(chain) = chain else { return cannot("the case was not prepared".to_owned()) };
    match flight::flight(hello, minor, chain) {
        Ok(bytes) => {
            tape.sent(&bytes);
            flight::present(stream, &bytes, stage.setup.answer).await
        }
        Err(e) => cannot(format!("the case could not be signed: {e}")),
    }
}

fn silent(waited: Duration) -> End {
    End::Silent { waited_ms: u64::try_from(waited.as_millis()).unwrap_or(u64::MAX) }
}

/// What made rustls give up.
fn refused(e: &io::Error) -> End {
    let inner = e.get_ref().and_then(|i| i.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::AlertReceived(alert)) => End::Alert { description: u8::from(*alert) },
        Some(other) => End::NotUnderstood { why: clean(&other.to_string(), 120) },
        None => match e.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => End::Closed,
            _ => End::NotUnderstood { why: clean(&e.to_string(), 120) },
        },
    }
}
