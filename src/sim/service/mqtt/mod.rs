//! An MQTT broker (3.1.1 and 5) on TCP, TLS or WebSocket, with the access rules that real hubs get wrong.

mod broker;
mod codec;
mod websocket;

use std::io;
use std::sync::Arc;

use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::tls::Tls;
use crate::sim::SimError;
use crate::sim::account::{Accept, Accounts, Lockout, Login, User};
use crate::sim::fill::fill;
use crate::sim::listen::{LineFaults, Raising, Speaker};
use broker::{Broker, Guest};
use codec::{Connect, Packet, Version};

/// Packets that may wait for a slow subscriber; more are lost, as QoS 0 allows.
const QUEUE: usize = 64;

/// An MQTT service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    pub port: u16,
    pub tls: Option<Tls>,
    #[serde(default)]
    pub transport: Transport,
    pub auth: Auth,
    #[serde(default)]
    pub users: Vec<User>,
    pub lockout: Option<Lockout>,
    /// What those may do who did not log in as one of `users`.
    #[serde(default)]
    pub acl: Acl,
    #[serde(default)]
    pub client_ids: ClientIds,
    #[serde(default)]
    pub retained: Vec<Message>,
    #[serde(default)]
    pub faults: LineFaults,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    #[default]
    Tcp,
    Websocket,
}

/// Who may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// Everybody; credentials are checked where they are given and there are users.
    Anonymous,
    /// The users.
    Users,
    /// Everybody who gives any credentials.
    Any,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acl {
    #[default]
    Open,
    /// SUBSCRIBE is granted, yet nothing is ever delivered, and what is published is dropped.
    GrantThenFilter,
    /// SUBSCRIBE is refused per topic; what is published is dropped.
    Deny,
    /// SUBSCRIBE is granted and delivers; what is published is dropped.
    ReadOnly,
}

/// Whose a client id is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientIds {
    /// Nobody's: clients of one id do not know of each other.
    #[default]
    Apart,
    /// The newest client's: it ends the session of the one before (MQTT 3.1.1, 3.1.4).
    Newest,
    /// Of the user who came first with it: others are turned away.
    Bound,
}

/// A message that the broker keeps from the start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    pub topic: String,
    pub payload: String,
}

impl Mqtt {
    pub(super) fn raise(&self, label: &str, raising: &mut Raising) -> Result<(), SimError> {
        let stage = &raising.stage;
        let kept = self.retained.iter().map(|message| (fill(&message.topic, stage), fill(&message.payload, stage)));
        let door = Door {
            acceptor: self.tls.as_ref().map(|tls| tls.acceptor(label, stage)).transpose()?,
            broker: Broker::new(kept.map(|(topic, payload)| (topic, payload.into_bytes())).collect()),
            accounts: Accounts::new(label, &self.users, Accept::Users, self.lockout, stage),
            spec: self.clone(),
        };
        raising.tcp(self.port, &self.faults, door)
    }
}

struct Door {
    spec: Mqtt,
    acceptor: Option<TlsAcceptor>,
    broker: Broker,
    accounts: Accounts,
}

impl Speaker for Door {
    async fn speak(self: Arc<Self>, stream: TcpStream) -> io::Result<()> {
        match &self.acceptor {
            None => self.enter(stream).await,
            Some(acceptor) => self.enter(acceptor.accept(stream).await?).await,
        }
    }
}

impl Door {
    async fn enter<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<()> {
        match self.spec.transport {
            Transport::Tcp => self.converse(stream).await,
            Transport::Websocket => {
                let (near, far) = tokio::io::duplex(websocket::LARGEST_FRAME);
                let (relayed, spoken) = tokio::join!(websocket::relay(stream, far), self.converse(near));
                relayed.and(spoken)
            }
        }
    }

    async fn converse<S: AsyncRead + AsyncWrite + Unpin>(&self, stream: S) -> io::Result<()> {
        let (reader, mut writer) = tokio::io::split(stream);
        let (sender, mut queue) = mpsc::channel::<Vec<u8>>(QUEUE);
        let writing = async {
            while let Some(packet) = queue.recv().await {
                writer.write_all(&packet).await?;
                writer.flush().await?;
            }
            writer.shutdown().await
        };
        let reading = self.listen(BufReader::new(reader), sender);
        tokio::pin!(writing);
        tokio::select! {
            read = reading => {
                // The answer that ended the conversation, a refusal perhaps, still has to go out.
                writing.await?;
                read
            }
            written = &mut writing => written,
        }
    }

    async fn listen<R: AsyncRead + Unpin>(
        &self,
        mut reader: BufReader<R>,
        sender: mpsc::Sender<Vec<u8>>,
    ) -> io::Result<()> {
        let Some(Packet::Connect(connect)) = codec::read(&mut reader, Version::V311).await? else { return Ok(()) };
        let Some(acl) = self.admit(&connect) else {
            return send(&sender, codec::refused(connect.version)).await;
        };
        let Some(guest) = self.seat(&connect, &sender) else {
            return send(&sender, codec::refused(connect.version)).await;
        };
        send(&sender, codec::welcome(connect.version)).await?;
        while let Some(packet) = guest.unless_evicted(codec::read(&mut reader, connect.version)).await? {
            let Some(answer) = self.answer(&guest, acl, packet) else { break };
            for packet in answer {
                send(&sender, packet).await?;
            }
        }
        Ok(())
    }

    /// A place in the broker, unless another has the client id.
    fn seat(&self, connect: &Connect, sender: &mpsc::Sender<Vec<u8>>) -> Option<Guest<'_>> {
        let (id, user) = (connect.id.clone(), connect.user.clone().unwrap_or_default());
        match self.spec.client_ids {
            ClientIds::Apart => {}
            ClientIds::Newest => self.broker.evict(&id),
            ClientIds::Bound if self.broker.is_anothers(&id, &user) => return None,
            ClientIds::Bound => self.broker.evict(&id),
        }
        Some(self.broker.seat(connect.version, sender.clone(), id, user))
    }

    /// The rules for this visitor; `None` turns him away.
    fn admit(&self, connect: &Connect) -> Option<Acl> {
        let named = connect.user.is_some();
        let checked = match self.spec.auth {
            Auth::Users => true,
            Auth::Anonymous => named && !self.spec.users.is_empty(),
            Auth::Any if !named => return None,
            Auth::Any => false,
        };
        if !checked {
            return Some(self.spec.acl);
        }
        let user = connect.user.as_deref()?;
        let login = self.accounts.login(user, connect.password.as_deref().unwrap_or_default());
        (login == Login::Accepted).then_some(Acl::Open)
    }

    /// What to send back; `None` ends the conversation.
    fn answer(&self, guest: &Guest<'_>, acl: Acl, packet: Packet) -> Option<Vec<Vec<u8>>> {
        Some(match packet {
            Packet::Publish(publish) => {
                if acl == Acl::Open {
                    self.broker.publish(&publish);
                }
                codec::receipt(&publish).into_iter().collect()
            }
            Packet::Release { id } => vec![codec::complete(id)],
            Packet::Subscribe { id, filters } => {
                let kept = match acl {
                    Acl::Open | Acl::ReadOnly => guest.subscribe(&filters),
                    Acl::GrantThenFilter | Acl::Deny => Vec::new(),
                };
                let code = match (acl, guest.version) {
                    (Acl::Open | Acl::ReadOnly | Acl::GrantThenFilter, _) => 0,
                    (Acl::Deny, Version::V311) => 0x80,
                    (Acl::Deny, Version::V5) => 0x87,
                };
                let mut packets = vec![codec::suback(guest.version, id, code, filters.len())];
                packets.extend(kept);
                packets
            }
            Packet::Unsubscribe { id, filters } => {
                guest.unsubscribe(&filters);
                vec![codec::unsuback(guest.version, id, filters.len())]
            }
            Packet::Ping => vec![codec::pong()],
            Packet::Other => Vec::new(),
            Packet::Connect(_) | Packet::Disconnect => return None,
        })
    }
}

async fn send(sender: &mpsc::Sender<Vec<u8>>, packet: Vec<u8>) -> io::Result<()> {
    sender.send(packet).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
}
