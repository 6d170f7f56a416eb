//! A key whose private half is published belongs to everybody.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, observation::tls::ChainLink};
use serde::Deserialize;
use std::{collections::BTreeSet, sync::LazyLock};

pub const CHECK: Check = Check {
    id: "tls-key-known-static",
    title: "TLS and SSH private keys are not publicly known",
    page: include_str!("tls_key_known_static.md"),
    expected: "no TLS key, certificate or SSH host key is on the list of published ones",
    remedy: "generate keys on each device, at first start or in production",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["tls-survey", "ssh-host-key"],
    bind: bind::<TlsKeyKnownStatic>,
};

#[derive(Debug, Default, Deserialize)]
struct List {
    key: Vec<Key>,
    certificates: Vec<Certificates>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    kind: Kind,
    sha256: String,
    title: String,
    source: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Tls,
    Ssh,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Certificates {
    title: String,
    source: String,
    sha1: String,
}

impl Certificates {
    fn all(&self) -> BTreeSet<&str> {
        self.sha1.split_whitespace().collect()
    }
}

static KNOWN: LazyLock<List> =
    LazyLock::new(|| toml::from_str(include_str!("../../../profiles/data/known-keys.toml")).unwrap_or_default());

/// Whose key it is, if it is on the list.
fn known(kind: Kind, sha256: &str) -> Option<String> {
    let key = KNOWN.key.iter().find(|k| k.kind == kind && k.sha256 == sha256)?;
    Some(format!("{} ({})", key.title, key.source))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsKeyKnownStatic {}

/// A key that was shown.
#[derive(Clone, Copy)]
enum Shown<'a> {
    Chain(&'a [ChainLink]),
    Host(&'a str),
}

fn shown(record: &Record) -> Option<Shown<'_>> {
    match &record.observation {
        Observation::TlsChain { links } => Some(Shown::Chain(links)),
        Observation::Trait { name, value } if name == "ssh-host-key" => Some(Shown::Host(value)),
        _ => None,
    }
}

impl Judge for TlsKeyKnownStatic {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let keys = evidence.known("tls-survey", shown).and(evidence.known("ssh-host-key", shown));
        every(&keys, "no key", |seen| {
            let found = match seen.what {
                Shown::Chain(links) => links.iter().find_map(of_link),
                Shown::Host(sha256) => known(Kind::Ssh, sha256),
            };
            match found {
                _ if KNOWN.key.is_empty() => Point::Unclear("the list of published keys is missing".to_owned()),
                Some(whose) => Point::Bad(format!("{}: its key is that of {whose}", seen.subject())),
                None => Point::Good(format!("{}: its key is on no list", seen.subject())),
            }
        })
    }
}

fn of_link(link: &ChainLink) -> Option<String> {
    let listed = || KNOWN.certificates.iter().find(|c| c.all().contains(link.sha1.as_str()));
    known(Kind::Tls, &link.spki_sha256.hex()).or_else(|| listed().map(|c| format!("{} ({})", c.title, c.source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_holds_keys_of_both_kinds_and_certificates() {
        assert!(KNOWN.key.iter().any(|k| k.kind == Kind::Tls) && KNOWN.key.iter().any(|k| k.kind == Kind::Ssh));
        assert!(KNOWN.key.iter().all(|k| k.sha256.len() == 64));
        let all = KNOWN.certificates.first().unwrap().all();
        assert!(all.len() > 2000 && all.iter().all(|d| d.len() == 40));
    }
}
