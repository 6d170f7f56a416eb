//! The lists of wrong input, from `profiles/data/malformed.toml`.
use crate::model::{
    Endpoint, Transport,
    observation::{TlsVersion, malformed::Set},
};
use crate::scan::{
    codec::tls::{Offer, client_hello},
    data::rows,
    probe::udp_services::unhex,
};
use serde::Deserialize;
use std::sync::LazyLock;

const TEXT: &str = include_str!("../../../../profiles/data/malformed.toml");

pub static SETS: LazyLock<Vec<SetRow>> = LazyLock::new(|| rows("malformed.toml", TEXT, "set"));
static CASES: LazyLock<Vec<Case>> = LazyLock::new(|| rows("malformed.toml", TEXT, "case"));

/// How the services of a set are spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spoken {
    /// Inside TLS where the service is there.
    Plainly,
    /// Whatever is inside TLS, by records of TLS.
    Tls,
    Udp,
}

/// A kind of wrong input, and the ordinary question that tells whether a service lives.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetRow {
    pub id: Set,
    pub spoken: Spoken,
    #[serde(default)]
    pub services: Vec<String>,
    /// Nothing: the questions by which the service was found.
    #[serde(default)]
    ordinary: Vec<Part>,
    /// What comes before the wrong input of the cases that are `opened`, and is answered.
    #[serde(default)]
    opening: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    set: Set,
    pub id: String,
    send: Vec<Part>,
    #[serde(default)]
    pub opened: bool,
    /// Held open by so many connections, instead of sent once.
    #[serde(default)]
    pub held: Option<u32>,
    /// What a held connection goes on sending, once in a while.
    #[serde(default)]
    pub drip: String,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Part {
    /// `{host}` and `{path}` are filled in.
    Text(String),
    Hex {
        hex: String,
    },
    Repeat {
        repeat: String,
        times: usize,
    },
    RepeatHex {
        repeat_hex: String,
        times: usize,
    },
    Random {
        random: usize,
    },
    /// A whole ClientHello of this version.
    Hello {
        hello: TlsVersion,
    },
}

impl Part {
    fn bytes(&self, e: Endpoint, path: &str) -> Vec<u8> {
        match self {
            Self::Text(t) => t.replace("{host}", &e.addr().to_string()).replace("{path}", path).into_bytes(),
            Self::Hex { hex } => unhex(hex),
            Self::Repeat { repeat, times } => repeat.repeat(*times).into_bytes(),
            Self::RepeatHex { repeat_hex, times } => unhex(repeat_hex).repeat(*times),
            Self::Random { random } => (0..*random).map(|_| rand::random()).collect(),
            Self::Hello { hello } => client_hello(*hello, Offer::All, &rand::random()),
        }
    }
}

fn joined(parts: &[Part], e: Endpoint, path: &str) -> Vec<u8> {
    parts.iter().flat_map(|p| p.bytes(e, path)).collect()
}

impl SetRow {
    pub fn transport(&self) -> Transport {
        match self.spoken {
            Spoken::Plainly | Spoken::Tls => Transport::Tcp,
            Spoken::Udp => Transport::Udp,
        }
    }

    pub fn cases(&self) -> Vec<&'static Case> {
        CASES.iter().filter(|c| c.set == self.id).collect()
    }

    pub fn ordinary(&self, e: Endpoint, path: &str) -> Vec<u8> {
        joined(&self.ordinary, e, path)
    }

    pub fn opening(&self, e: Endpoint, path: &str) -> Vec<u8> {
        joined(&self.opening, e, path)
    }
}

impl Case {
    pub fn bytes(&self, e: Endpoint, path: &str) -> Vec<u8> {
        joined(&self.send, e, path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_set_has_cases_a_question_and_no_case_twice_and_nothing_is_larger_than_it_says() {
        let e = Endpoint::tcp([127, 0, 0, 1].into(), 80);
        let ids: BTreeSet<(Set, &str)> = CASES.iter().map(|c| (c.set, c.id.as_str())).collect();
        assert_eq!(ids.len(), CASES.len());
        for set in SETS.iter() {
            assert!(!set.cases().is_empty(), "{}", set.id.word());
            assert_eq!(set.ordinary.is_empty(), set.spoken == Spoken::Udp, "{}", set.id.word());
            for case in set.cases() {
                assert!(!case.opened || !set.opening.is_empty(), "{}", case.id);
                let most = if set.spoken == Spoken::Udp { 9000 } else { 70_000 };
                assert!(case.bytes(e, "/").len() < most, "{}: too large", case.id);
            }
        }
        assert_eq!(SETS.iter().map(|s| s.cases().len()).sum::<usize>(), CASES.len());
    }

    #[test]
    fn lengths_that_only_lie_on_purpose() {
        let e = Endpoint::tcp([127, 0, 0, 1].into(), 443);
        let of = |set: Set, id: &str| {
            CASES.iter().find(|c| c.set == set && c.id == id).map(|c| c.bytes(e, "/")).unwrap_or_default()
        };
        for id in ["extension-overrun", "extension-twice", "suites-odd", "session-id-overrun"] {
            let bytes = of(Set::Tls, id);
            let record = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
            assert_eq!((record, usize::from(bytes[8])), (bytes.len() - 5, bytes.len() - 9), "{id}");
        }
        assert_eq!(of(Set::Coap, "large-option").len(), 4 + 5 + 1400);
        let snmp = of(Set::Snmp, "long-oid");
        assert_eq!(usize::from(snmp[2]), snmp.len() - 3);
    }
}
