//! Sockets of a running device: the accept loops in which connection faults happen.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;

use super::stage::{Power, Stage};
use super::{SimError, Transport};

/// No visitor is worth holding a socket for longer.
const LONGEST_VISIT: Duration = Duration::from_secs(600);
const BREATH: Duration = Duration::from_millis(20);
const BACKLOG: u32 = 128;
const LARGEST_DATAGRAM: usize = 2048;

/// Faults of one TCP service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineFaults {
    /// The service closes its port for good after this many connections.
    pub vanish_after: Option<u32>,
    /// Seconds that pass before the service does anything on a new connection.
    pub first_byte_after: Option<u64>,
}

/// A service that speaks on one TCP connection.
pub(super) trait Speaker: Send + Sync + 'static {
    fn speak(self: Arc<Self>, stream: TcpStream) -> impl Future<Output = io::Result<()>> + Send;
}

/// A service that answers datagrams.
pub(super) trait Answerer: Send + Sync + 'static {
    fn answer(&self, from: SocketAddr, datagram: &[u8]) -> Vec<Vec<u8>>;
}

/// Collects what a device needs to run while its services come up.
pub(super) struct Raising {
    pub stage: Arc<Stage>,
    pub tasks: JoinSet<()>,
    pub endpoints: Vec<(Transport, u16)>,
}

impl Raising {
    pub fn tcp<S: Speaker>(&mut self, nominal: u16, faults: &LineFaults, speaker: S) -> Result<(), SimError> {
        let port = self.stage.port(nominal)?;
        let listener = listen(&self.stage, port)
            .map_err(|source| SimError::listen(Transport::Tcp, self.stage.host, port, source))?;
        self.endpoints.push((Transport::Tcp, port));
        let line = Line { stage: Arc::clone(&self.stage), port, faults: faults.clone(), speaker: Arc::new(speaker) };
        self.tasks.spawn(line.serve(listener));
        Ok(())
    }

    pub async fn udp<A: Answerer>(&mut self, nominal: u16, answerer: A) -> Result<(), SimError> {
        let port = self.stage.port(nominal)?;
        let socket = UdpSocket::bind((self.stage.host, port))
            .await
            .map_err(|source| SimError::listen(Transport::Udp, self.stage.host, port, source))?;
        self.endpoints.push((Transport::Udp, port));
        self.tasks.spawn(answer_datagrams(socket, answerer, Arc::clone(&self.stage)));
        Ok(())
    }
}

fn listen(stage: &Stage, port: u16) -> io::Result<TcpListener> {
    let address = SocketAddr::new(stage.host, port);
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

struct Line<S> {
    stage: Arc<Stage>,
    port: u16,
    faults: LineFaults,
    speaker: Arc<S>,
}

impl<S: Speaker> Line<S> {
    async fn serve(self, first: TcpListener) {
        let mut power = self.stage.power();
        let mut left = self.faults.vanish_after;
        let mut next = Some(first);
        while let Some(listener) = next {
            tokio::select! {
                gone = power.wait_for(|power| *power == Power::Off) => if gone.is_err() { return },
                () = self.accept(listener, &mut left) => return,
            }
            if power.wait_for(|power| *power == Power::On).await.is_err() {
                return;
            }
            next = listen(&self.stage, self.port).ok();
        }
    }

    /// Accepts until the service vanishes; leaving it ends all visits.
    async fn accept(&self, listener: TcpListener, left: &mut Option<u32>) {
        let mut visits = JoinSet::new();
        while *left != Some(0) {
            tokio::select! {
                Some(_) = visits.join_next() => {}
                accepted = listener.accept() => {
                    let Ok((stream, _)) = accepted else {
                        // Out of descriptors, most likely: let some visits end first.
                        tokio::time::sleep(BREATH).await;
                        continue;
                    };
                    *left = left.map(|left| left.saturating_sub(1));
                    self.receive(stream, &mut visits);
                }
            }
        }
        drop(listener);
        while visits.join_next().await.is_some() {}
    }

    fn receive(&self, stream: TcpStream, visits: &mut JoinSet<()>) {
        let Some(seat) = self.stage.admit() else {
            reset(&stream);
            return;
        };
        let speaker = Arc::clone(&self.speaker);
        let silence = Duration::from_secs(self.faults.first_byte_after.unwrap_or(0));
        visits.spawn(async move {
            let visit = async {
                tokio::time::sleep(silence).await;
                // A visitor who leaves or lies is normal for a device: nothing to report.
                drop(speaker.speak(stream).await);
            };
            drop(tokio::time::timeout(LONGEST_VISIT, visit).await);
            drop(seat);
        });
    }
}

/// Makes the close of this connection a reset, as small stacks do when they have no room.
fn reset(stream: &TcpStream) {
    // Where the system cannot, the visitor sees an ordinary close: still no service.
    drop(stream.set_zero_linger());
}

async fn answer_datagrams<A: Answerer>(socket: UdpSocket, answerer: A, stage: Arc<Stage>) {
    let power = stage.power();
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        // An ICMP error for an earlier answer arrives as an error here: go on.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        if *power.borrow() == Power::Off {
            continue;
        }
        for answer in answerer.answer(from, buffer.get(..length).unwrap_or_default()) {
            drop(socket.send_to(&answer, from).await);
        }
    }
}
