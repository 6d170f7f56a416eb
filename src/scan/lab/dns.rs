//! The laboratory's name server: it answers for the declared update names alone, and forwards nothing.
use super::stage::{Event, Stage};
use crate::{model::observation::clean, scan::codec::Cursor};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tokio::net::UdpSocket;

const A: u16 = 1;
const AAAA: u16 = 28;
const REFUSED: u16 = 5;
const NO_SUCH_NAME: u16 = 3;
/// Short, so that a device asks again.
const TTL: u32 = 5;

/// What is answered about names that the plan does not declare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Others {
    #[default]
    Refuse,
    Nowhere,
}

pub async fn serve(socket: UdpSocket, stage: Arc<Stage>) {
    let mut buffer = [0u8; 1500];
    loop {
        // An ICMP error for an earlier answer arrives as an error here.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let Some(question) = Question::parse(buffer.get(..length).unwrap_or_default()) else { continue };
        let known = stage.is_device(from.ip());
        let ours = [&stage.setup.names, &stage.setup.ntp_names].iter().any(|n| n.contains(&question.name));
        let address = stage.setup.address.filter(|_| known && ours);
        let answer = question.answer(address, stage.setup.others);
        let _ = socket.send_to(&answer, from).await;
        if known {
            stage.tell(named(&question, address, from));
        }
    }
}

fn named(question: &Question, address: Option<IpAddr>, from: SocketAddr) -> Event {
    let record = match question.kind {
        A => "A".to_owned(),
        AAAA => "AAAA".to_owned(),
        other => format!("TYPE{other}"),
    };
    Event::Name { from: from.ip(), name: clean(&question.name, 255), record, answered: address.is_some() }
}

struct Question {
    id: u16,
    /// In lower case, without the last dot.
    name: String,
    kind: u16,
    /// As asked, to be sent back.
    bytes: Vec<u8>,
}

impl Question {
    fn parse(datagram: &[u8]) -> Option<Self> {
        let mut cursor = Cursor(datagram);
        let (id, flags, questions) = (cursor.u16()?, cursor.u16()?, cursor.u16()?);
        cursor.take(6)?;
        if flags & 0x8000 != 0 || questions != 1 {
            return None;
        }
        let start = cursor.0;
        let mut labels = Vec::new();
        loop {
            match cursor.vec8()? {
                [] => break,
                label if label.len() < 64 => labels.push(String::from_utf8_lossy(label).to_lowercase()),
                _ => return None,
            }
        }
        let (kind, _class) = (cursor.u16()?, cursor.u16()?);
        let bytes = start.get(..start.len() - cursor.0.len())?.to_vec();
        Some(Self { id, name: labels.join("."), kind, bytes })
    }

    /// `address`: where the name leads; a question for the other family has an empty answer.
    fn answer(&self, address: Option<IpAddr>, others: Others) -> Vec<u8> {
        let data = match (address, self.kind) {
            (Some(IpAddr::V4(a)), A) => Some(a.octets().to_vec()),
            (Some(IpAddr::V6(a)), AAAA) => Some(a.octets().to_vec()),
            _ => None,
        };
        let code = match (address, others) {
            (Some(_), _) => 0,
            (None, Others::Refuse) => REFUSED,
            (None, Others::Nowhere) => NO_SUCH_NAME,
        };
        let mut out = Vec::new();
        for number in [self.id, 0x8580 | code, 1, u16::from(data.is_some()), 0, 0] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.bytes);
        if let Some(data) = data {
            // A pointer to the name in the question.
            for number in [0xc00c, self.kind, 1] {
                out.extend_from_slice(&u16::to_be_bytes(number));
            }
            out.extend_from_slice(&TTL.to_be_bytes());
            out.extend_from_slice(&u16::try_from(data.len()).unwrap_or_default().to_be_bytes());
            out.extend_from_slice(&data);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn asked(name: &str, kind: u16) -> Vec<u8> {
        let mut query = vec![7, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            query.push(u8::try_from(label.len()).unwrap());
            query.extend_from_slice(label.as_bytes());
        }
        query.push(0);
        query.extend_from_slice(&[kind.to_be_bytes(), [0, 1]].concat());
        query
    }

    #[test]
    fn a_declared_name_leads_here_in_its_own_family_and_another_nowhere() {
        let here: IpAddr = "192.0.2.9".parse().unwrap();
        let question = Question::parse(&asked("Updates.Example", A)).unwrap();
        assert_eq!(question.name, "updates.example");
        let answer = question.answer(Some(here), Others::Refuse);
        assert_eq!((&answer[..2], answer[3] & 15, &answer[answer.len() - 4..]), (&[7, 9][..], 0, &[192, 0, 2, 9][..]));
        let six = Question::parse(&asked("updates.example", AAAA)).unwrap().answer(Some(here), Others::Refuse);
        assert_eq!((six[3] & 15, six[7]), (0, 0), "an empty answer");
        for (others, code) in [(Others::Refuse, 5), (Others::Nowhere, 3)] {
            assert_eq!(question.answer(None, others)[3] & 15, code);
        }
    }

    proptest! {
        #[test]
        fn no_datagram_makes_it_panic(bytes: Vec<u8>) {
            if let Some(q) = Question::parse(&bytes) {
                q.answer(Some(IpAddr::from([192, 0, 2, 9])), Others::Refuse);
            }
        }
    }
}
