//! Whether the cryptography that guards each declared mechanism was seen at all: who compares with a declaration must have
//! looked at everything that it names.
use super::common::{looked, not_declared, said};
use super::declared_crypto;
use super::{Check, EntryRow, Judge, Proves, Severity};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record, Shared, Subject, Transport,
    declarations::{DeclaredEndpoint, EndpointStatus, Entry},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const SURVEYS: [&str; 3] = ["tls-survey", "dtls-survey", "ssh-algorithms"];
const NAMES: &str = "service-identify";

pub const AUTH: Check = Check {
    id: "auth-crypto-observed",
    title: "The cryptography of every declared log-in was observed",
    page: include_str!("auth_crypto_observed.md"),
    expected: "for each entry of table 1-AuthMech: TLS, DTLS or SSH seen at every port that it guards",
    remedy: "name in x-endpoints the entry that guards each port, and protect the log-in by TLS, DTLS or SSH",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &["tls-survey", "dtls-survey", "ssh-algorithms", "service-identify"],
    bind: |p| bound(Observed { table: "1-AuthMech", named: |e| &e.auth_ref }, p),
};

pub const COMMUNICATION: Check = Check {
    id: "comm-crypto-observed",
    title: "The cryptography of every declared communication mechanism was observed",
    page: include_str!("comm_crypto_observed.md"),
    expected: "for each entry of table 11-ComMech: TLS, DTLS or SSH seen at every port that it protects",
    remedy: "name in x-endpoints the entry that protects each port, and protect it by TLS, DTLS or SSH",
    bind: |p| bound(Observed { table: "11-ComMech", named: |e| &e.comm_ref }, p),
    ..AUTH
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

fn bound(judge: Observed, parameters: toml::Table) -> Result<Box<dyn Judge>, String> {
    let NoParameters {} = parameters.try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
    Ok(Box::new(judge))
}

struct Observed {
    table: &'static str,
    /// The entries of the table that an endpoint names.
    named: fn(&DeclaredEndpoint) -> &[String],
}

impl Judge for Observed {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared(self.table) else {
            return not_declared(self.table, "nothing says what to look at".to_owned());
        };
        let all = seen(evidence);
        let looked = SURVEYS.iter().chain([&NAMES]).fold(entries, |known, probe| known.and(looked(evidence, probe)));
        every(&looked, "nothing is declared", |entry| self.point(evidence, entry.what, &all))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.declared(self.table).is_none()
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        let all = seen(evidence);
        let row = |entry: &Entry| {
            let places = self.places(evidence, entry);
            let here = all.iter().filter(|(at, _)| places.iter().any(|p| covers(p, at)));
            let cites = here.flat_map(|(_, s)| s.cites.iter().cloned()).collect();
            EntryRow::of(self.table, entry.name(), self.point(evidence, entry, &all), cites)
        };
        let entries = evidence.declared(self.table);
        entries.iter().flat_map(Known::items).map(|seen| row(seen.what)).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        if self.table == "1-AuthMech" { &["1-AuthMech", "x-endpoints"] } else { &["11-ComMech", "x-endpoints"] }
    }
}

impl Observed {
    /// Where the entry is to be met.
    fn places<'a>(&self, evidence: &Evidence<'a>, entry: &Entry) -> Vec<&'a DeclaredEndpoint> {
        let all = evidence.ixit.and_then(|i| i.endpoints.as_deref()).unwrap_or_default();
        let here =
            |e: &&DeclaredEndpoint| (self.named)(e).contains(&entry.name()) && e.status == EndpointStatus::Enabled;
        all.iter().filter(here).collect()
    }

    fn point(&self, evidence: &Evidence<'_>, entry: &Entry, all: &BTreeMap<Subject, Seen>) -> Point {
        let (name, places) = (entry.name(), self.places(evidence, entry));
        if places.is_empty() {
            return Point::Unclear(format!("{name}: no enabled port of x-endpoints names it"));
        }
        let mut told = Vec::new();
        for place in places {
            let here: Vec<String> =
                all.iter().filter(|(at, _)| covers(place, at)).map(|(at, s)| format!("{at}: {}", s.words())).collect();
            if here.is_empty() {
                let at = place.name();
                return match (in_clear(evidence, place), declared_crypto::names_a_channel(entry)) {
                    (Some(service), true) => Point::Bad(format!("{name}: {at} speaks {service} in clear")),
                    (Some(_), false) | (None, _) => {
                        Point::Unclear(format!("{name}: no TLS, DTLS or SSH was seen at {at}"))
                    }
                };
            }
            told.extend(here);
        }
        Point::Good(format!("{name}: {}", told.join(", ")))
    }
}

fn covers(place: &DeclaredEndpoint, at: &Subject) -> bool {
    at.endpoint().is_some_and(|e| place.covers(e.transport, e.port))
}

/// The service there that speaks without TLS and offers none.
fn in_clear<'a>(evidence: &Evidence<'a>, place: &DeclaredEndpoint) -> Option<&'a str> {
    let named = evidence.known(NAMES, said);
    let here = named.items().iter().find(|s| place.transport == Transport::Tcp && covers(place, s.subject()))?;
    (!here.what.tls && !here.what.starttls).then_some(here.what.service)
}

/// What was seen at one endpoint.
#[derive(Default)]
struct Seen {
    what: BTreeSet<String>,
    cites: Vec<Shared>,
}

impl Seen {
    fn words(&self) -> String {
        self.what.iter().map(String::as_str).collect::<Vec<_>>().join(" and ")
    }
}

fn seen(evidence: &Evidence<'_>) -> BTreeMap<Subject, Seen> {
    let mut all: BTreeMap<Subject, Seen> = BTreeMap::new();
    for probe in SURVEYS {
        for seen in evidence.known(probe, protected).items() {
            let here = all.entry(seen.subject().clone()).or_default();
            here.what.insert(seen.what.clone());
            here.cites.push(seen.cite().to_owned());
        }
    }
    all
}

fn protected(record: &Record) -> Option<String> {
    match &record.observation {
        Observation::TlsAccepts { version, .. } => Some(version.word().to_owned()),
        Observation::DtlsAccepts { version, .. } => Some(format!("DTLS {version}")),
        Observation::SshAlgorithms { .. } => Some("SSH".to_owned()),
        _ => None,
    }
}
