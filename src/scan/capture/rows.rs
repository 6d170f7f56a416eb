//! What is written down of a capture: rows that are alike are one, with the first packets that show it.
use super::{announced, names::Told};
use crate::model::{
    Endpoint, Observation, Sha256Digest, Subject,
    observation::{
        TlsVersion,
        capture::{
            Announced, Asked, Cited, ClearSecret, Destination, Hello, NamedBy, Opened, Place, Protocol, Questions,
        },
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Of each kind.
const MOST: usize = 2_000;
/// Questions to one name server whose ports and ids are written down.
const QUESTIONS: usize = 1_000;
/// Packets that are cited.
const CITED: usize = 8;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Whither {
    pub subject: Subject,
    pub place: Place,
    pub names: Vec<String>,
    pub named_by: NamedBy,
    pub protocol: Protocol,
    pub opened: Opened,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Offered {
    pub subject: Subject,
    pub place: Place,
    pub name: Option<String>,
    pub ja4: String,
    pub offered: Vec<TlsVersion>,
    pub suites: Vec<String>,
    pub groups: Vec<String>,
    pub alpn: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Secret {
    pub subject: Subject,
    pub place: Place,
    pub protocol: Protocol,
    pub opened: Opened,
    pub class: String,
    pub carrier: String,
}

#[derive(Default)]
pub(super) struct Row {
    times: u64,
    answered: u64,
    sent: u64,
    received: u64,
    nonexistent: u64,
    records: BTreeSet<String>,
    agreed: BTreeSet<(TlsVersion, String)>,
    packets: BTreeSet<u64>,
}

impl Row {
    /// One more connection: bytes sent and received, whether anything came back, and its first packet.
    pub fn passed(&mut self, [sent, received]: [u64; 2], answered: bool, packet: u64) {
        self.times += 1;
        self.answered += u64::from(answered);
        (self.sent, self.received) = (self.sent + sent, self.received + received);
        self.cite(packet);
    }

    fn cite(&mut self, packet: u64) {
        self.packets.insert(packet);
        if self.packets.len() > CITED {
            self.packets.pop_last();
        }
    }
}

#[derive(Default)]
pub(super) struct Rows {
    whither: BTreeMap<Whither, Row>,
    offered: BTreeMap<Offered, Row>,
    asked: BTreeMap<(Subject, Place, String), Row>,
    questions: BTreeMap<(Subject, Place), Sent>,
    secrets: BTreeMap<Secret, Row>,
    announced: BTreeMap<(&'static str, String), Row>,
    /// What came after the last row that is kept.
    pub more: u64,
}

/// Questions to one name server.
#[derive(Default)]
struct Sent {
    list: Vec<(u16, u16)>,
    packets: Row,
}

/// The row of a key, where there is room for it.
fn row<'a, K: Ord, R: Default>(of: &'a mut BTreeMap<K, R>, key: K, more: &mut u64) -> Option<&'a mut R> {
    if of.len() >= MOST && !of.contains_key(&key) {
        *more += 1;
        return None;
    }
    Some(of.entry(key).or_default())
}

impl Rows {
    pub fn whither(&mut self, key: Whither) -> Option<&mut Row> {
        row(&mut self.whither, key, &mut self.more)
    }

    pub fn offered(&mut self, key: Offered, agreed: Option<(TlsVersion, String)>, packet: Option<u64>) {
        if let Some(row) = row(&mut self.offered, key, &mut self.more) {
            row.times += 1;
            row.agreed.extend(agreed);
            packet.into_iter().for_each(|p| row.cite(p));
        }
    }

    pub fn named(&mut self, server: Endpoint, place: Place, told: Told, packet: u64) {
        let (name, record, answered, nonexistent) = match told {
            Told::Asked { name, record } => (name, Some(record), 0, 0),
            Told::Answered { name } => (name, None, 1, 0),
            Told::Nonexistent { name } => (name, None, 0, 1),
        };
        let key = (Subject::from(server), place, name);
        // An answer to a question that is not in the capture is no question.
        if record.is_none() && !self.asked.contains_key(&key) {
            return;
        }
        if let Some(row) = row(&mut self.asked, key, &mut self.more) {
            row.times += u64::from(record.is_some());
            row.records.extend(record);
            (row.answered, row.nonexistent) = (row.answered + answered, row.nonexistent + nonexistent);
            row.cite(packet);
        }
    }

    /// A question by UDP, with its source port and transaction id. One that is repeated is the same.
    pub fn question(&mut self, server: Endpoint, place: Place, sent: (u16, u16), packet: u64) {
        if let Some(row) = row(&mut self.questions, (Subject::from(server), place), &mut self.more)
            && row.list.len() < QUESTIONS
            && !row.list.contains(&sent)
        {
            row.list.push(sent);
            row.packets.cite(packet);
        }
    }

    pub fn secret(&mut self, key: Secret, packet: u64) {
        if let Some(row) = row(&mut self.secrets, key, &mut self.more) {
            row.times += 1;
            row.cite(packet);
        }
    }

    pub fn announced(&mut self, told: announced::Told, packet: u64) {
        if let Some(row) = row(&mut self.announced, (told.option, told.value), &mut self.more) {
            row.times += 1;
            row.cite(packet);
        }
    }

    pub fn observations(self, capture: &Sha256Digest) -> Vec<(Subject, Observation)> {
        let cited = |row: &Row| Cited { capture: capture.clone(), packets: row.packets.iter().copied().collect() };
        let mut out = Vec::new();
        for (k, row) in self.whither {
            let seen = cited(&row);
            let Whither { subject, place, names, named_by, protocol, opened } = k;
            let Row { times: connections, answered, sent, received, .. } = row;
            let destination =
                Destination { place, names, named_by, protocol, opened, connections, answered, sent, received, seen };
            out.push((subject, Observation::Destination { destination: Box::new(destination) }));
        }
        for (k, row) in self.offered {
            let (seen, connections) = (cited(&row), row.times);
            let Offered { subject, place, name, ja4, offered, suites, groups, alpn } = k;
            let agreed = row.agreed.into_iter().collect();
            let hello = Hello { place, name, offered, suites, groups, alpn, ja4, agreed, connections, seen };
            out.push((subject, Observation::ClientHello { hello: Box::new(hello) }));
        }
        for ((subject, place, name), row) in self.asked {
            let seen = cited(&row);
            let Row { times, answered, nonexistent, records, .. } = row;
            let records = records.into_iter().take(32).collect();
            out.push((
                subject,
                Observation::NameAsked {
                    asked: Box::new(Asked { place, name, records, times, answered, nonexistent, seen }),
                },
            ));
        }
        for ((subject, place), row) in self.questions {
            let questions = Questions { place, sent: row.list, seen: cited(&row.packets) };
            out.push((subject, Observation::NameQuestions { questions }));
        }
        for (k, row) in self.secrets {
            let (seen, times) = (cited(&row), row.times);
            let Secret { subject, place, protocol, opened, class, carrier } = k;
            let secret = ClearSecret { place, protocol, opened, class, carrier, times, seen };
            out.push((subject, Observation::ClearSecret { secret }));
        }
        for ((option, value), row) in self.announced {
            let (seen, times, option) = (cited(&row), row.times, option.to_owned());
            out.push((Subject::Device, Observation::Announced { announced: Announced { option, value, times, seen } }));
        }
        out
    }
}
