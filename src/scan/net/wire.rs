//! A connection or a socket for datagrams, with its tape.
use super::Tape;
use crate::model::{Sha256Digest, scope::Admitted};
use socket2::{Domain, Protocol, Socket, Type};
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    sync::{OwnedSemaphorePermit, oneshot},
    time::timeout,
};

/// Why there is no answer. The first three are the device's doing, the others are ours.
#[derive(Debug, Error)]
pub enum Trouble {
    #[error("the connection was refused")]
    Refused,
    #[error("no answer within {0} ms")]
    Silent(u128),
    #[error("the connection was closed")]
    Closed,
    #[error("no route to the host")]
    Unreachable,
    #[error("{0}")]
    NotAdmitted(crate::model::scope::Refused),
    #[error("{0}")]
    NotUnderstood(String),
    #[error("{0}")]
    Ours(io::Error),
}

impl Trouble {
    pub fn from_io(e: io::Error) -> Self {
        use io::ErrorKind as K;
        match e.kind() {
            K::ConnectionRefused => Self::Refused,
            K::ConnectionReset | K::ConnectionAborted | K::BrokenPipe | K::UnexpectedEof | K::NotConnected => {
                Self::Closed
            }
            K::HostUnreachable | K::NetworkUnreachable | K::NetworkDown => Self::Unreachable,
            K::TimedOut => Self::Silent(0),
            _ => Self::Ours(e),
        }
    }
}

pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// What a carried connection may bring before it is cut.
const MOST_CARRIED: usize = 1024 * 1024;

/// One TCP connection, possibly inside TLS.
pub struct Wire {
    pub(super) io: Box<dyn Io>,
    pub tape: Tape,
    pub(super) permit: Option<OwnedSemaphorePermit>,
}

/// Connects; a connection to ourselves (possible on loopback, when the kernel picks the very port we
/// ask) is no open port.
pub async fn dial(admitted: Admitted, wait: Duration) -> Result<TcpStream, Trouble> {
    let addr = admitted.endpoint().addr();
    for _ in 0..3 {
        let socket = match begin(addr).map_err(Trouble::from_io)? {
            Begun::Answered(e) => return Err(Trouble::from_io(e)),
            Begun::Under(socket) => socket,
        };
        let stream = TcpStream::from_std(socket.into()).map_err(Trouble::Ours)?;
        match timeout(wait, stream.writable()).await {
            Err(_) => return Err(Trouble::Silent(wait.as_millis())),
            Ok(r) => r.map_err(Trouble::from_io)?,
        }
        if let Some(e) = stream.take_error().map_err(Trouble::Ours)? {
            return Err(Trouble::from_io(e));
        }
        if stream.local_addr().ok() != Some(addr) {
            return Ok(stream);
        }
        let _ = stream.set_zero_linger();
    }
    Err(Trouble::Refused)
}

enum Begun {
    /// It has failed already, by the device's answer.
    Answered(io::Error),
    /// Connected, or on its way.
    Under(Socket),
}

/// Starts to connect. A near host has often answered by the time the call returns; to ask the socket for that costs
/// less than to register it with the reactor, and a sweep does this 65,535 times.
fn begin(addr: SocketAddr) -> io::Result<Begun> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    match socket.connect(&addr.into()) {
        Ok(()) => return Ok(Begun::Under(socket)),
        Err(e) if e.raw_os_error() == Some(libc::EINPROGRESS) => {}
        Err(e) => return Err(e),
    }
    Ok(match socket.take_error()? {
        Some(e) => Begun::Answered(e),
        None => Begun::Under(socket),
    })
}

impl Wire {
    /// Without a permit it counts among no connections in flight.
    pub fn of(stream: TcpStream, tape: Tape, permit: Option<OwnedSemaphorePermit>) -> Self {
        Self { io: Box::new(stream), tape, permit }
    }

    /// Goes on through a further layer; the tape then holds what is inside it.
    pub async fn through<S, F>(self, layer: impl FnOnce(Box<dyn Io>) -> F) -> Result<Self, Trouble>
    where
        S: Io + 'static,
        F: Future<Output = Result<S, Trouble>>,
    {
        let Self { io, tape, permit } = self;
        match layer(io).await {
            Ok(inner) => Ok(Self { io: Box::new(inner), tape, permit }),
            Err(t) => {
                tape.close("the layer could not be opened");
                Err(t)
            }
        }
    }

    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.tape.sent(bytes);
        match timeout(Duration::from_secs(5), async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        })
        .await
        {
            Err(_) => Err(Trouble::Silent(5000)),
            Ok(r) => r.map_err(Trouble::from_io),
        }
    }

    /// The next bytes, as many as come at once. End of stream is `Closed`.
    pub async fn receive(&mut self, wait: Duration) -> Result<Vec<u8>, Trouble> {
        let mut buffer = [0u8; 4096];
        match timeout(wait, self.io.read(&mut buffer)).await {
            Err(_) => Err(Trouble::Silent(wait.as_millis())),
            Ok(Err(e)) => Err(Trouble::from_io(e)),
            Ok(Ok(0)) => Err(Trouble::Closed),
            Ok(Ok(n)) => {
                let bytes = buffer.get(..n).unwrap_or_default().to_vec();
                self.tape.received(&bytes);
                Ok(bytes)
            }
        }
    }

    /// Collects until `enough` says so, `most` bytes came, nothing came for `quiet`, or `total` is over.
    /// What came before the end is returned; an error only when nothing came at all.
    pub async fn collect(
        &mut self,
        quiet: Duration,
        total: Duration,
        most: usize,
        enough: impl Fn(&[u8]) -> bool + Send,
    ) -> Result<Vec<u8>, Trouble> {
        let mut got = Vec::new();
        let until = tokio::time::Instant::now() + total;
        loop {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            match self.receive(quiet.min(left)).await {
                Ok(bytes) => got.extend(bytes),
                Err(e) if got.is_empty() => return Err(e),
                Err(_) => return Ok(got),
            }
            if got.len() >= most || enough(&got) || left.is_zero() {
                return Ok(got);
            }
        }
    }

    /// Reads until `enough` says so, for at most `total`. The tape counts what comes and does not keep it.
    pub async fn watch(&mut self, total: Duration, enough: impl Fn(&[u8]) -> bool + Send) -> Vec<u8> {
        let (mut got, mut buffer) = (Vec::new(), [0u8; 8192]);
        let until = tokio::time::Instant::now() + total;
        while !enough(&got) && got.len() < MOST_CARRIED {
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            let Ok(Ok(n @ 1..)) = timeout(left, self.io.read(&mut buffer)).await else { break };
            self.tape.passed(n);
            got.extend_from_slice(buffer.get(..n).unwrap_or_default());
        }
        got
    }

    /// Carries bytes between `near` and the device, until one of them or the caller is done.
    pub async fn carry(mut self, mut near: impl Io, mut stopped: oneshot::Receiver<()>) -> Sha256Digest {
        let (mut up, mut down) = ([0u8; 8192], [0u8; 8192]);
        let (mut read, mut told) = (0usize, false);
        loop {
            tokio::select! {
                _ = &mut stopped => { told = true; break },
                n = near.read(&mut up) => match n {
                    Ok(n) if n > 0 => {
                        let bytes = up.get(..n).unwrap_or_default();
                        self.tape.sent(bytes);
                        if self.io.write_all(bytes).await.is_err() || self.io.flush().await.is_err() { break }
                    }
                    _ => break,
                },
                n = self.io.read(&mut down) => match n {
                    Ok(n) if n > 0 && read < MOST_CARRIED => {
                        read += n;
                        let bytes = down.get(..n).unwrap_or_default();
                        self.tape.received(bytes);
                        if near.write_all(bytes).await.is_err() { break }
                    }
                    _ => { let _ = near.shutdown().await; break }
                },
            }
        }
        // The near side may still be reading what came last.
        if !told {
            let _ = timeout(Duration::from_secs(2), &mut stopped).await;
        }
        drop(near);
        self.close().await
    }

    /// Says goodbye and writes the transcript.
    pub async fn close(mut self) -> Sha256Digest {
        let _ = timeout(Duration::from_millis(500), self.io.shutdown()).await;
        drop(self.permit);
        self.tape.close("by us")
    }
}

/// Which replies a UDP socket takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replies {
    /// From the port that was asked. The kernel then also tells when that port refuses.
    ThatPort,
    /// From any port of the host: some protocols answer from a new one (TFTP, RFC 1350, section 4).
    AnyPort,
}

/// A UDP socket that speaks to one endpoint.
pub struct Datagrams {
    pub(super) socket: UdpSocket,
    to: SocketAddr,
    replies: Replies,
    /// Who sent the last reply, where any port may.
    last: Option<SocketAddr>,
    pub tape: Tape,
}

impl Datagrams {
    pub async fn open(
        admitted: Admitted,
        replies: Replies,
        journal: Arc<super::super::journal::Journal>,
    ) -> Result<Self, Trouble> {
        let endpoint = admitted.endpoint();
        let to = endpoint.addr();
        let any: SocketAddr = match to {
            SocketAddr::V4(_) => (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = UdpSocket::bind(any).await.map_err(Trouble::Ours)?;
        if replies == Replies::ThatPort {
            socket.connect(to).await.map_err(Trouble::from_io)?;
        }
        let local = socket.local_addr().map(|a| a.to_string()).unwrap_or_default();
        Ok(Self { socket, to, replies, last: None, tape: Tape::new(journal, endpoint, local) })
    }

    /// Our own address, from which the host is asked.
    pub fn own_address(&self) -> Result<std::net::IpAddr, Trouble> {
        self.socket.local_addr().map(|a| a.ip()).map_err(Trouble::Ours)
    }

    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.tape.sent(bytes);
        let sent = match self.replies {
            Replies::ThatPort => self.socket.send(bytes).await,
            Replies::AnyPort => self.socket.send_to(bytes, self.to).await,
        };
        sent.map(drop).map_err(Trouble::from_io)
    }

    pub async fn receive(&mut self, wait: Duration) -> Result<Vec<u8>, Trouble> {
        self.receive_keeping(wait, usize::MAX).await
    }

    /// As [`Self::receive`], but the tape keeps the first bytes alone and counts the others: files, long lists.
    pub async fn receive_keeping(&mut self, wait: Duration, keep: usize) -> Result<Vec<u8>, Trouble> {
        let mut buffer = vec![0u8; 65536];
        match timeout(wait, self.one(&mut buffer)).await {
            Err(_) => Err(Trouble::Silent(wait.as_millis())),
            Ok(Err(e)) => Err(Trouble::from_io(e)),
            Ok(Ok(n)) => {
                buffer.truncate(n);
                let (kept, passed) = buffer.split_at(keep.min(n));
                self.tape.received(kept);
                self.tape.passed(passed.len());
                Ok(buffer)
            }
        }
    }

    /// Sends to whoever sent the last reply: the port that the host chose for this exchange.
    pub async fn answer(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let Some(to) = self.last.filter(|_| self.replies == Replies::AnyPort) else { return self.send(bytes).await };
        self.tape.sent(bytes);
        self.socket.send_to(bytes, to).await.map(drop).map_err(Trouble::from_io)
    }

    /// The next datagram of the host; strangers' are passed over.
    async fn one(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.replies {
                Replies::ThatPort => return self.socket.recv(buffer).await,
                Replies::AnyPort => {
                    let (n, whence) = self.socket.recv_from(buffer).await?;
                    if whence.ip() == self.to.ip() {
                        self.last = Some(whence);
                        return Ok(n);
                    }
                }
            }
        }
    }

    pub fn close(self) -> Sha256Digest {
        self.tape.close("by us")
    }
}
