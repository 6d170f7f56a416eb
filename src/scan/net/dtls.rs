//! DTLS 1.2 with a pre-shared key, by OpenSSL. It speaks to queues in memory; datagrams of ours carry what it says, so
//! that every one is admitted and recorded.
use super::wire::{Datagrams, Trouble};
use crate::model::Sha256Digest;
use openssl::ssl::{Error, ErrorCode, Ssl, SslContext, SslMethod, SslOptions, SslStream, SslVerifyMode};
use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// A server that does not know the key says nothing: how long that is listened to. OpenSSL repeats itself after a second.
const PATIENCE: Duration = Duration::from_millis(2500);
const STEP: Duration = Duration::from_millis(1100);
/// What fits on any link (RFC 7252, section 4.6).
const MTU: u32 = 1200;

/// Whole datagrams on their way in and out.
#[derive(Default)]
pub struct Queues {
    inward: VecDeque<Vec<u8>>,
    outward: VecDeque<Vec<u8>>,
}

impl Read for Queues {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(next) = self.inward.pop_front() else { return Err(io::ErrorKind::WouldBlock.into()) };
        let n = next.len().min(into.len());
        if let (Some(into), Some(next)) = (into.get_mut(..n), next.get(..n)) {
            into.copy_from_slice(next);
        }
        Ok(n)
    }
}

impl Write for Queues {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.outward.push_back(bytes.to_vec());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a handshake came to.
pub enum Opened {
    Finished(Box<Secured>),
    /// The server chose a suite with a pre-shared key, and did not finish with this one.
    Refused {
        how: String,
        transcript: Sha256Digest,
    },
    /// It did not come to a key.
    NoKeyAsked {
        how: String,
    },
}

/// A finished handshake.
pub struct Secured {
    stream: SslStream<Queues>,
    socket: Datagrams,
}

fn ours(e: &openssl::error::ErrorStack) -> Trouble {
    Trouble::Ours(io::Error::other(e.to_string()))
}

fn stream(
    identity: &[u8],
    key: &[u8],
    asked: &Arc<AtomicBool>,
) -> Result<SslStream<Queues>, openssl::error::ErrorStack> {
    let mut context = SslContext::builder(SslMethod::dtls())?;
    // The server proves itself by the key alone.
    context.set_verify(SslVerifyMode::NONE);
    context.set_options(SslOptions::NO_QUERY_MTU);
    // Suites that some count as weak, too: what is asked here is who has the key.
    context.set_cipher_list("PSK:@SECLEVEL=0")?;
    let (identity, key, asked) = (identity.to_vec(), key.to_vec(), Arc::clone(asked));
    context.set_psk_client_callback(move |_, _hint, name, secret| {
        asked.store(true, Ordering::Relaxed);
        let room = name.get_mut(..=identity.len()).zip(secret.get_mut(..key.len()));
        let Some((name, secret)) = room else { return Ok(0) };
        for (to, from) in name.iter_mut().zip(identity.iter().chain(&[0])) {
            *to = *from;
        }
        secret.copy_from_slice(&key);
        Ok(key.len())
    });
    let mut ssl = Ssl::new(&context.build())?;
    ssl.set_mtu(MTU)?;
    SslStream::new(ssl, Queues::default())
}

/// Shakes hands with this identity and key.
pub async fn open(mut socket: Datagrams, identity: &[u8], key: &[u8]) -> Result<Opened, Trouble> {
    let asked = Arc::new(AtomicBool::new(false));
    let mut stream = stream(identity, key, &asked).map_err(|e| ours(&e))?;
    let until = Instant::now() + PATIENCE;
    let how = loop {
        let step = stream.connect();
        send(&mut stream, &mut socket).await?;
        match step {
            Ok(()) => return Ok(Opened::Finished(Box::new(Secured { stream, socket }))),
            Err(e) if waits(&e) => {}
            Err(e) => break alert(&e),
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break format!("nothing came for {} ms", PATIENCE.as_millis());
        }
        match socket.receive(left.min(STEP)).await {
            Ok(bytes) => stream.get_mut().inward.push_back(bytes),
            Err(Trouble::Silent(_)) => {}
            Err(t) => return Err(t),
        }
    };
    let transcript = socket.close();
    Ok(match asked.load(Ordering::Relaxed) {
        true => Opened::Refused { how, transcript },
        false => Opened::NoKeyAsked { how },
    })
}

fn waits(e: &Error) -> bool {
    e.code() == ErrorCode::WANT_READ || e.code() == ErrorCode::WANT_WRITE
}

/// OpenSSL's own reason, in one line.
fn alert(e: &Error) -> String {
    let reasons = e.ssl_error().map(|s| s.errors().iter().filter_map(|e| e.reason()).collect::<Vec<_>>().join("; "));
    reasons.filter(|r| !r.is_empty()).unwrap_or_else(|| e.to_string())
}

async fn send(stream: &mut SslStream<Queues>, socket: &mut Datagrams) -> Result<(), Trouble> {
    while let Some(datagram) = stream.get_mut().outward.pop_front() {
        socket.send(&datagram).await?;
    }
    Ok(())
}

impl Secured {
    /// Sends one message inside and returns the next that comes within `wait`.
    pub async fn ask(&mut self, message: &[u8], wait: Duration) -> Result<Vec<u8>, Trouble> {
        self.stream.ssl_write(message).map_err(|e| Trouble::NotUnderstood(alert(&e)))?;
        send(&mut self.stream, &mut self.socket).await?;
        let until = Instant::now() + wait;
        loop {
            let mut buffer = [0u8; 2048];
            match self.stream.ssl_read(&mut buffer) {
                Ok(n) => return Ok(buffer.get(..n).unwrap_or_default().to_vec()),
                Err(e) if waits(&e) => {}
                Err(e) => return Err(Trouble::NotUnderstood(alert(&e))),
            }
            let left = until.saturating_duration_since(Instant::now());
            let bytes = self.socket.receive(left).await?;
            self.stream.get_mut().inward.push_back(bytes);
        }
    }

    pub async fn close(mut self) -> Sha256Digest {
        let _ = self.stream.shutdown();
        let _ = send(&mut self.stream, &mut self.socket).await;
        self.socket.close()
    }
}
