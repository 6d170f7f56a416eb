//! Sockets of a running device: the accept loops in which connection faults happen.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::task::JoinSet;

use super::health::{Health, How};
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
    /// Seconds after which a visit is ended, whatever it is about.
    pub longest_visit: Option<u64>,
    /// The next connection is served when the one before has ended.
    #[serde(default)]
    pub one_at_a_time: bool,
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
        let health = Health::of(&self.stage, nominal);
        let line =
            Line { stage: Arc::clone(&self.stage), port, faults: faults.clone(), speaker: Arc::new(speaker), health };
        self.tasks.spawn(line.serve(listener));
        Ok(())
    }

    pub async fn udp<A: Answerer>(&mut self, nominal: u16, answerer: A) -> Result<(), SimError> {
        let port = self.stage.port(nominal)?;
        let socket = UdpSocket::bind((self.stage.host, port))
            .await
            .map_err(|source| SimError::listen(Transport::Udp, self.stage.host, port, source))?;
        self.endpoints.push((Transport::Udp, port));
        let health = Health::of(&self.stage, nominal);
        self.tasks.spawn(answer_datagrams(socket, port, answerer, Arc::clone(&self.stage), health));
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
    health: Arc<Health>,
}

impl<S: Speaker> Line<S> {
    async fn serve(self, first: TcpListener) {
        let mut power = self.stage.power();
        let mut left = self.faults.vanish_after;
        let mut next = Some(first);
        while let Some(listener) = next {
            tokio::select! {
                gone = power.wait_for(|power| *power == Power::Off) => if gone.is_err() { return },
                () = self.health.wait(|down| down == Some(How::Closes)) => {}
                () = self.accept(listener, &mut left) => return,
            }
            if power.wait_for(|power| *power == Power::On).await.is_err() {
                return;
            }
            self.health.wait(|down| down.is_none()).await;
            next = listen(&self.stage, self.port).ok();
        }
    }

    /// Accepts until the service vanishes; leaving it ends all visits.
    async fn accept(&self, listener: TcpListener, left: &mut Option<u32>) {
        let mut visits = JoinSet::new();
        while *left != Some(0) {
            tokio::select! {
                Some(_) = visits.join_next() => {}
                accepted = listener.accept(), if !self.faults.one_at_a_time || visits.is_empty() => {
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
        let (speaker, health) = (Arc::clone(&self.speaker), Arc::clone(&self.health));
        let deaf = self.stage.is_deaf();
        let silence = Duration::from_secs(self.faults.first_byte_after.unwrap_or(0));
        let longest = self.faults.longest_visit.map_or(LONGEST_VISIT, Duration::from_secs);
        visits.spawn(async move {
            let visit = async {
                match health.down() {
                    None if deaf => return std::future::pending().await,
                    None => health.look(&stream).await,
                    Some(How::ShutsOut) => return,
                    Some(How::Closes | How::Hangs | How::Reboots) => return health.wait(|down| down.is_none()).await,
                }
                tokio::time::sleep(silence).await;
                // A visitor who leaves or lies is normal for a device: nothing to report.
                drop(speaker.speak(stream).await);
            };
            drop(tokio::time::timeout(longest, visit).await);
            drop(seat);
        });
    }
}

/// Makes the close of this connection a reset, as small stacks do when they have no room.
fn reset(stream: &TcpStream) {
    // Where the system cannot, the visitor sees an ordinary close: still no service.
    drop(stream.set_zero_linger());
}

async fn answer_datagrams<A: Answerer>(
    first: UdpSocket,
    port: u16,
    answerer: A,
    stage: Arc<Stage>,
    health: Arc<Health>,
) {
    let mut next = Some(first);
    while let Some(socket) = next {
        tokio::select! {
            () = health.wait(|down| down == Some(How::Closes)) => drop(socket),
            () = answer_on(&socket, &answerer, &stage, &health) => return,
        }
        health.wait(|down| down.is_none()).await;
        next = UdpSocket::bind((stage.host, port)).await.ok();
    }
}

async fn answer_on<A: Answerer>(socket: &UdpSocket, answerer: &A, stage: &Stage, health: &Arc<Health>) {
    let power = stage.power();
    let mut buffer = vec![0; LARGEST_DATAGRAM];
    loop {
        // An ICMP error for an earlier answer arrives as an error here: go on.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let datagram = buffer.get(..length).unwrap_or_default();
        if *power.borrow() == Power::Off || health.down().is_some() || health.weigh(datagram) {
            continue;
        }
        for answer in answerer.answer(from, datagram) {
            drop(socket.send_to(&answer, from).await);
        }
    }
}
