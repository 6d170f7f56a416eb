//! A TCP connection that is over, from the bytes of both sides to rows.
use super::{
    hello::{self, Offer},
    names, protocol,
    rows::{Offered, Rows, Secret, Whither},
    secrets::{self, Found, Side},
    stream::Stream,
    wanted::Wanted,
};
use crate::model::{
    Subject,
    observation::capture::{NamedBy, Opened, Place, Protocol, Unread},
};

pub(super) struct Closed {
    /// The other side: its endpoint where the device was the client, else its host.
    pub subject: Subject,
    pub place: Place,
    pub opened: Opened,
    pub as_client: bool,
    /// The first packet.
    pub first: u64,
    /// What name servers had called the other side.
    pub names: Vec<String>,
    /// Bytes that the device sent and received.
    pub counts: [u64; 2],
    pub answered: bool,
    /// What the client and the server said.
    pub client: Stream,
    pub server: Stream,
}

impl Closed {
    /// Writes its rows, and tells what of it was not looked at.
    pub fn write(mut self, rows: &mut Rows, wanted: &Wanted) -> Vec<Unread> {
        let plain = protocol::tcp(&self.client.data, &self.server.data);
        let hello_at = if plain == Protocol::Tls { Some(0) } else { protocol::upgraded(&self.client.data) };
        let spoken = if hello_at.is_some() { Protocol::Tls } else { plain };
        let offer = hello_at.and_then(|at| hello::offer(self.client.data.get(at..).unwrap_or_default()));
        self.destination(spoken, offer.as_ref(), rows);
        if let (Some(offer), Some(at), true) = (offer, hello_at, self.as_client) {
            self.hello(offer, at, rows);
        }
        if plain != Protocol::Tls && plain != Protocol::Ssh {
            self.secrets(plain, hello_at, rows, wanted);
        }
        let sides = [&self.client, &self.server];
        let readable = !matches!(spoken, Protocol::Tls | Protocol::Ssh);
        let beyond = (readable && sides.iter().any(|s| s.beyond)).then_some(Unread::Beyond);
        let hole = (readable && sides.iter().any(|s| s.has_hole())).then_some(Unread::Hole);
        beyond.into_iter().chain(hole).collect()
    }

    fn destination(&mut self, spoken: Protocol, offer: Option<&Offer>, rows: &mut Rows) {
        let own_name = match (offer, spoken) {
            (Some(offer), _) => offer.name.clone(),
            (None, Protocol::Http | Protocol::Rtsp) => names::host(&self.client.data),
            (None, _) => None,
        };
        let names = std::mem::take(&mut self.names);
        let (names, named_by) = match own_name {
            Some(name) if self.as_client => (vec![name], NamedBy::Itself),
            Some(_) | None if names.is_empty() => (names, NamedBy::Nothing),
            Some(_) | None => (names, NamedBy::Dns),
        };
        let (subject, place, opened) = (self.subject.clone(), self.place, self.opened);
        if let Some(row) = rows.whither(Whither { subject, place, names, named_by, protocol: spoken, opened }) {
            row.passed(self.counts, self.answered, self.first);
        }
    }

    fn hello(&self, offer: Offer, at: usize, rows: &mut Rows) {
        let Offer { name, offered, suites, groups, alpn, ja4 } = offer;
        let key =
            Offered { subject: self.subject.clone(), place: self.place, name, ja4, offered, suites, groups, alpn };
        let answer = protocol::record(&self.server.data).and_then(hello::agreed);
        rows.offered(key, answer, self.client.packet(at));
    }

    /// Of a connection that became encrypted, what passed before is in clear all the same.
    fn secrets(&self, plain: Protocol, hello_at: Option<usize>, rows: &mut Rows, wanted: &Wanted) {
        let (said, heard) = match hello_at {
            Some(at) => (self.client.data.get(..at).unwrap_or_default(), &[][..]),
            None => (self.client.data.as_slice(), self.server.data.as_slice()),
        };
        for found in secrets::stream(plain, said, heard, wanted) {
            let stream = if found.side == Side::Client { &self.client } else { &self.server };
            let packet = stream.packet(found.at).unwrap_or(self.first);
            let Found { class, carrier, .. } = found;
            let (subject, place, opened) = (self.subject.clone(), self.place, self.opened);
            rows.secret(Secret { subject, place, protocol: plain, opened, class, carrier }, packet);
        }
    }
}
