//! Connections of the device, from their packets to rows.
use super::{
    announced,
    closed::Closed,
    device::Way,
    names::Names,
    packet::{Carries, Flags, Packet},
    protocol,
    rows::{Rows, Secret, Whither},
    secrets::{self, Found, Side},
    stream::Stream,
    wanted::Wanted,
};
use crate::model::{
    Endpoint, Subject, Transport,
    observation::capture::{NamedBy, Opened, Place, Protocol, Unread},
};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

/// Connections that are followed.
const MOST: usize = 50_000;
/// Bytes of all connections together that are held.
const MOST_HELD: usize = 24 << 20;
/// Bytes of one exchange of datagrams that are searched.
const SEARCHED: usize = 1 << 20;
/// Of what is encrypted the beginning is enough.
const ENOUGH: usize = 16 * 1024;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    transport: Transport,
    own: (IpAddr, u16),
    peer: (IpAddr, u16),
}

struct Connection {
    opened: Opened,
    first: u64,
    names: Arc<Vec<String>>,
    counts: [u64; 2],
    answered: bool,
    ended: [bool; 2],
    streams: [Stream; 2],
    /// Its rows are written.
    done: bool,
    /// Of datagrams: what they are, and how many bytes were searched.
    protocol: Protocol,
    searched: usize,
}

pub(super) struct Follow<'a> {
    wanted: &'a Wanted,
    open: BTreeMap<Key, Connection>,
    held: usize,
    names: Names,
    pub rows: Rows,
    pub unread: BTreeMap<Unread, u64>,
}

impl<'a> Follow<'a> {
    pub fn new(wanted: &'a Wanted) -> Self {
        let (open, names, rows, unread) = Default::default();
        Self { wanted, open, held: 0, names, rows, unread }
    }

    pub fn missed(&mut self, why: Unread) {
        *self.unread.entry(why).or_default() += 1;
    }

    /// Takes a packet that the device sent or got.
    pub fn packet(&mut self, packet: &Packet<'_>, way: Way, place: Place, number: u64) {
        let (own, peer) = match way {
            Way::Sent => (packet.source, packet.destination),
            Way::Received => (packet.destination, packet.source),
        };
        let key = |transport, source, destination| match way {
            Way::Sent => Key { transport, own: (own, source), peer: (peer, destination) },
            Way::Received => Key { transport, own: (own, destination), peer: (peer, source) },
        };
        match &packet.carries {
            Carries::Tcp { source, destination, sequence, flags, payload } => {
                let segment = Segment { sequence: *sequence, flags: *flags, payload, way, number };
                self.segment(key(Transport::Tcp, *source, *destination), place, &segment);
            }
            Carries::Udp { source, destination, payload } => {
                self.datagram(key(Transport::Udp, *source, *destination), place, way, payload, number);
            }
            Carries::Other(kind) => self.other(peer, place, *kind, way, number),
            Carries::Fragment => self.missed(Unread::Fragment),
            Carries::Malformed => self.missed(Unread::Malformed),
        }
    }

    fn other(&mut self, peer: IpAddr, place: Place, kind: u8, way: Way, number: u64) {
        let protocol = match kind {
            1 | 58 => Protocol::Icmp,
            2 => Protocol::Igmp,
            50 => Protocol::Esp,
            _ => Protocol::Unknown,
        };
        let names = self.names.of(peer).to_vec();
        let opened = if way == Way::Sent { Opened::Device } else { Opened::Peer };
        let named_by = if names.is_empty() { NamedBy::Nothing } else { NamedBy::Dns };
        let key = Whither { subject: Subject::Host(peer), place, names, named_by, protocol, opened };
        if let Some(row) = self.rows.whither(key) {
            row.passed([0, 0], false, number);
        }
    }

    /// The connection of a key, where one more may be followed.
    fn connection(&mut self, key: Key, opened: Opened, number: u64) -> Option<&mut Connection> {
        if self.open.len() >= MOST && !self.open.contains_key(&key) {
            self.missed(Unread::Connections);
            return None;
        }
        let names = &self.names;
        Some(self.open.entry(key).or_insert_with(|| Connection {
            opened,
            first: number,
            names: names.of(key.peer.0),
            counts: [0; 2],
            answered: false,
            ended: [false; 2],
            streams: Default::default(),
            done: false,
            protocol: Protocol::Empty,
            searched: 0,
        }))
    }

    fn segment(&mut self, key: Key, place: Place, s: &Segment<'_>) {
        let by = |way| if way == Way::Sent { Opened::Device } else { Opened::Peer };
        let opened = match (s.flags.syn, s.flags.ack) {
            (true, false) => by(s.way),
            (true, true) => by(if s.way == Way::Sent { Way::Received } else { Way::Sent }),
            (false, _) => Opened::Unclear,
        };
        // The ports of an old connection are used again.
        if s.flags.syn
            && !s.flags.ack
            && self.open.get(&key).is_some_and(|c| c.done || c.streams.iter().any(|s| s.held() > 0))
        {
            self.close(key, place);
            self.open.remove(&key);
        }
        let full = self.held >= MOST_HELD;
        let Some(c) = self.connection(key, opened, s.number) else { return };
        let [sent, received] = &mut c.streams;
        let [sent_bytes, received_bytes] = &mut c.counts;
        let (stream, count) = match s.way {
            Way::Sent => (sent, sent_bytes),
            Way::Received => (received, received_bytes),
        };
        *count += s.payload.len() as u64;
        c.answered |= s.flags.syn && s.flags.ack || c.counts.iter().all(|n| *n > 0);
        if c.done {
            return;
        }
        if s.flags.syn {
            stream.begins(s.sequence);
        }
        let sealed = stream.data.len() >= ENOUGH && c.protocol == Protocol::Tls;
        let mut more = 0;
        if full {
            stream.beyond |= !s.payload.is_empty();
        } else if !sealed {
            more = stream.push(s.sequence.wrapping_add(u32::from(s.flags.syn)), s.payload, s.number);
        }
        if c.protocol == Protocol::Empty && c.streams.iter().any(|s| protocol::is_tls(&s.data)) {
            c.protocol = Protocol::Tls;
        }
        if s.flags.end {
            let [sent, received] = &mut c.ended;
            *(if s.way == Way::Sent { sent } else { received }) = true;
        }
        let over = c.ended == [true; 2];
        self.held += more;
        if over {
            self.close(key, place);
        }
    }

    /// Writes the rows of a TCP connection, and forgets what passed.
    fn close(&mut self, key: Key, place: Place) {
        let Some(c) = self.open.get_mut(&key).filter(|c| !c.done) else { return };
        c.done = true;
        let streams = std::mem::take(&mut c.streams);
        let (opened, first, names, counts, answered) = (c.opened, c.first, c.names.to_vec(), c.counts, c.answered);
        self.held = self.held.saturating_sub(streams.iter().map(Stream::held).sum());
        let as_client = match opened {
            Opened::Device => true,
            Opened::Peer => false,
            Opened::Unclear => key.peer.1 <= key.own.1,
        };
        let [mine, theirs] = streams;
        let (client, server) = if as_client { (mine, theirs) } else { (theirs, mine) };
        let subject = if as_client { endpoint(key) } else { Subject::Host(key.peer.0) };
        let closed = Closed { subject, place, opened, as_client, first, names, counts, answered, client, server };
        for why in closed.write(&mut self.rows, self.wanted) {
            self.missed(why);
        }
    }

    fn datagram(&mut self, key: Key, place: Place, way: Way, payload: &[u8], number: u64) {
        let opened = if way == Way::Sent { Opened::Device } else { Opened::Peer };
        let Some(c) = self.connection(key, opened, number) else { return };
        let [sent, received] = &mut c.counts;
        *(if way == Way::Sent { sent } else { received }) += payload.len() as u64;
        let back = (way == Way::Sent) != (c.opened == Opened::Device);
        c.answered |= back;
        let server_port = if c.opened == Opened::Device { key.peer.1 } else { key.own.1 };
        if matches!(c.protocol, Protocol::Empty | Protocol::Unknown) {
            c.protocol = protocol::udp(payload, server_port);
        }
        let (spoken, opened) = (c.protocol, c.opened);
        let searched = c.searched;
        c.searched = searched.saturating_add(payload.len());
        let subject = if opened == Opened::Device { endpoint(key) } else { Subject::Host(key.peer.0) };
        if spoken == Protocol::Dns
            && server_port == 53
            && opened == Opened::Device
            && let Some(told) = self.names.take(payload)
        {
            let server = Endpoint { host: key.peer.0, transport: Transport::Udp, port: 53 };
            if way == Way::Sent
                && let Some(id) = payload.first_chunk()
            {
                self.rows.question(server, place, (key.own.1, u16::from_be_bytes(*id)), number);
            }
            self.rows.named(server, place, told, number);
        }
        if spoken == Protocol::Dhcp && way == Way::Sent {
            announced::told(payload, server_port).into_iter().for_each(|told| self.rows.announced(told, number));
        }
        let sealed = matches!(spoken, Protocol::Dtls | Protocol::Quic | Protocol::Wireguard | Protocol::Ike);
        if !sealed && searched < SEARCHED {
            let side = if (way == Way::Sent) == (opened == Opened::Device) { Side::Client } else { Side::Server };
            for found in secrets::datagram(spoken, side, payload, self.wanted) {
                let Found { class, carrier, .. } = found;
                let subject = subject.clone();
                self.rows.secret(Secret { subject, place, protocol: spoken, opened, class, carrier }, number);
            }
        } else if !sealed && searched.saturating_sub(payload.len()) < SEARCHED {
            self.missed(Unread::Beyond);
        }
    }

    /// Writes what is still open.
    pub fn end(&mut self, place: impl Fn(IpAddr) -> Place) {
        let keys: Vec<Key> = self.open.keys().copied().collect();
        for key in keys {
            match key.transport {
                Transport::Tcp => self.close(key, place(key.peer.0)),
                Transport::Udp => self.leave(key, place(key.peer.0)),
            }
        }
        if self.rows.more > 0 {
            *self.unread.entry(Unread::Rows).or_default() += self.rows.more;
        }
    }

    fn leave(&mut self, key: Key, place: Place) {
        let Some(c) = self.open.remove(&key) else { return };
        let subject = if c.opened == Opened::Device { endpoint(key) } else { Subject::Host(key.peer.0) };
        let named_by = if c.names.is_empty() { NamedBy::Nothing } else { NamedBy::Dns };
        let whither =
            Whither { subject, place, names: c.names.to_vec(), named_by, protocol: c.protocol, opened: c.opened };
        if let Some(row) = self.rows.whither(whither) {
            row.passed(c.counts, c.answered, c.first);
        }
    }
}

struct Segment<'a> {
    sequence: u32,
    flags: Flags,
    payload: &'a [u8],
    way: Way,
    number: u64,
}

fn endpoint(key: Key) -> Subject {
    Endpoint { host: key.peer.0, transport: key.transport, port: key.peer.1 }.into()
}
