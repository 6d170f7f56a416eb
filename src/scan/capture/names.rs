//! Names that the device asked for, and which addresses the answers gave it, as of each moment of the capture.
use crate::model::observation::clean;
use hickory_proto::{
    op::{Message, MessageType, ResponseCode},
    rr::RData,
};
use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

/// Addresses that are remembered, and names of each.
const MOST_ADDRESSES: usize = 4_000;
const MOST_NAMES: usize = 8;

#[derive(Default)]
pub(super) struct Names {
    /// Shared with the connections that began when it was so.
    of: BTreeMap<IpAddr, Arc<Vec<String>>>,
}

pub(super) enum Told {
    Asked { name: String, record: String },
    Answered { name: String },
    Nonexistent { name: String },
}

impl Names {
    /// Takes a message between the device and a name server.
    pub fn take(&mut self, payload: &[u8]) -> Option<Told> {
        let message = Message::from_vec(payload).ok()?;
        let query = message.queries.first()?;
        let name = written(&query.name().to_ascii());
        if message.metadata.message_type == MessageType::Query {
            return Some(Told::Asked { name, record: clean(&query.query_type().to_string(), 20) });
        }
        if message.metadata.response_code == ResponseCode::NXDomain {
            return Some(Told::Nonexistent { name });
        }
        for answer in &message.answers {
            let address: IpAddr = match &answer.data {
                RData::A(a) => a.0.into(),
                RData::AAAA(a) => a.0.into(),
                _ => continue,
            };
            if self.of.len() < MOST_ADDRESSES || self.of.contains_key(&address) {
                let names = self.of.entry(address).or_default();
                if names.len() < MOST_NAMES && !names.contains(&name) {
                    let all = Arc::make_mut(names);
                    all.push(name.clone());
                    all.sort_unstable();
                }
            }
        }
        (!message.answers.is_empty()).then_some(Told::Answered { name })
    }

    /// What an address was given for so far.
    pub fn of(&self, address: IpAddr) -> Arc<Vec<String>> {
        self.of.get(&address).cloned().unwrap_or_default()
    }
}

fn written(name: &str) -> String {
    clean(&name.trim_end_matches('.').to_ascii_lowercase(), 253)
}

/// The name in a `Host` line, without its port.
pub(super) fn host(client: &[u8]) -> Option<String> {
    let head = client.get(..client.len().min(16 * 1024)).unwrap_or_default();
    let head = String::from_utf8_lossy(head);
    let line = head.lines().take_while(|l| !l.is_empty()).find_map(|l| {
        let (name, value) = l.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim().to_owned())
    })?;
    let name = match line.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name.to_owned(),
        _ => line,
    };
    // An address names nothing.
    let named = !name.is_empty() && name.trim_matches(['[', ']']).parse::<IpAddr>().is_err();
    named.then(|| written(&name))
}
