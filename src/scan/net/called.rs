//! An ear of ours: who was told an address of this machine, and calls it.
use super::{Tape, wire::Trouble};
use crate::model::{Endpoint, Sha256Digest};
use crate::scan::journal::Journal;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, timeout, timeout_at},
};

/// The most that is read of a call.
const MOST: usize = 4096;
/// How long a caller may take to say what it wants.
const SAY: Duration = Duration::from_secs(2);

/// A port of one of our own addresses.
pub struct Ear {
    listener: TcpListener,
    journal: Arc<Journal>,
}

impl Ear {
    /// `own` has to be an address of this machine.
    pub async fn open(own: IpAddr, journal: Arc<Journal>) -> Result<Self, Trouble> {
        Ok(Self { listener: TcpListener::bind((own, 0)).await.map_err(Trouble::Ours)?, journal })
    }

    pub fn at(&self) -> Result<SocketAddr, Trouble> {
        self.listener.local_addr().map_err(Trouble::Ours)
    }

    /// The first call from `host` with `token` in it, within `wait`. Calls of others are hung up on and not read.
    pub async fn called(&self, host: IpAddr, token: &str, wait: Duration) -> Option<Sha256Digest> {
        let until = Instant::now() + wait;
        loop {
            let (stream, from) = timeout_at(until, self.listener.accept()).await.ok()?.ok()?;
            if from.ip() == host
                && let Some(tape) = self.heard(stream, from, token).await
            {
                return Some(tape);
            }
        }
    }

    async fn heard(&self, mut stream: TcpStream, from: SocketAddr, token: &str) -> Option<Sha256Digest> {
        let local = stream.local_addr().map(|a| a.to_string()).unwrap_or_default();
        let mut tape = Tape::new(self.journal.clone(), Endpoint::tcp(from.ip(), from.port()), local);
        let (mut got, mut buffer) = (Vec::new(), [0u8; 1024]);
        let says = |got: &[u8]| got.windows(token.len()).any(|w| w == token.as_bytes());
        let until = Instant::now() + SAY;
        while !says(&got) && got.len() < MOST {
            let Ok(Ok(n @ 1..)) = timeout_at(until, stream.read(&mut buffer)).await else { break };
            let bytes = buffer.get(..n).unwrap_or_default();
            tape.received(bytes);
            got.extend_from_slice(bytes);
        }
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        if timeout(SAY, stream.write_all(answer)).await.is_ok() {
            tape.sent(answer);
        }
        let tape = tape.close("by us");
        says(&got).then_some(tape)
    }
}
