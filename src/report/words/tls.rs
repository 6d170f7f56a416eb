//! Sentences about TLS.
use super::{list, some};
use crate::model::observation::{
    TlsVersion,
    tls::{ChainLink, ClientOutcome, ClientProof, Standing, TlsFeature, TlsList},
};

pub fn accepts(list_of: &TlsList) -> String {
    match list_of {
        TlsList::Suites { names, chooses } => {
            format!("suites accepted: {}; {} chooses", some(&list(names.iter())), chooses.word())
        }
        TlsList::Groups { names } => format!("groups accepted: {}", some(&list(names.iter()))),
        TlsList::DhBits { bits } => format!("sizes of its Diffie-Hellman primes: {}", some(&list(bits.iter()))),
        TlsList::Signatures { names } => format!("signature schemes: {}", some(&list(names.iter()))),
    }
}

pub fn feature(of: TlsFeature, version: Option<TlsVersion>, standing: Standing) -> String {
    let under = version.map(|v| format!("TLS {}: ", v.word())).unwrap_or_default();
    let standing = match standing {
        Standing::Present => "present",
        Standing::Absent => "absent",
        Standing::Unclear => "unclear",
    };
    format!("{under}{}: {standing}", of.words())
}

pub fn chain(links: &[ChainLink]) -> String {
    let one = |l: &ChainLink| format!("{} ({} key, signed by {})", l.subject, l.key, l.signature);
    format!("certificates shown: {}", some(&list(links.iter().map(one))))
}

pub fn client(presented: ClientProof, outcome: ClientOutcome) -> String {
    let with = match presented {
        ClientProof::None => "no certificate",
        ClientProof::SelfSigned => "a certificate signed by itself",
    };
    let got = match outcome {
        ClientOutcome::Served => "is served",
        ClientOutcome::Refused => "is refused",
        ClientOutcome::Silent => "gets no answer",
    };
    format!("a client with {with} {got}")
}
