//! Attacks with a name, as far as a service shows them without being attacked.
use super::tls::{few, parts};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record,
    observation::{
        TlsVersion,
        tls::{Standing, TlsFeature, TlsList},
    },
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "tls-known-flaws",
    title: "Named TLS flaws are absent, as far as they show without harm",
    page: include_str!("tls_known_flaws.md"),
    expected: "no service shows the mark of a named attack",
    remedy: "update the TLS library; switch the old version or suite off",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["tls-survey"],
    bind: bind::<TlsKnownFlaws>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsKnownFlaws {}

impl Judge for TlsKnownFlaws {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let marks = evidence.known("tls-survey", marks);
        every(&marks, "no TLS service", |seen| match &seen.what {
            Mark::Flaws(flaws) if flaws.is_empty() => {
                Point::Good(format!("{}: no mark of a named flaw", seen.subject()))
            }
            Mark::Flaws(flaws) => Point::Bad(format!("{}: {}", seen.subject(), few(flaws))),
            Mark::Unclear(what) => Point::Unclear(format!("{}: {what} is unclear", seen.subject())),
        })
    }
}

enum Mark {
    Flaws(Vec<String>),
    Unclear(&'static str),
}

fn marks(record: &Record) -> Option<Mark> {
    match &record.observation {
        Observation::TlsAccepts { version, list: TlsList::Suites { names, .. } } => {
            Some(Mark::Flaws(of_suites(*version, names)))
        }
        Observation::TlsAccepts { list: TlsList::DhBits { bits }, .. } => {
            let small = bits.iter().find(|b| **b <= 1024);
            Some(Mark::Flaws(
                small.map(|b| format!("Logjam, a prime of {b} bits (CVE-2015-4000)")).into_iter().collect(),
            ))
        }
        Observation::TlsFeature { feature, standing, .. } => of_feature(*feature, *standing),
        Observation::TlsChain { links } => {
            let flawed = links.iter().filter(|l| l.roca);
            Some(Mark::Flaws(flawed.map(|l| format!("ROCA, the key of {} (CVE-2017-15361)", l.subject)).collect()))
        }
        _ => None,
    }
}

fn of_suites(version: TlsVersion, names: &[String]) -> Vec<String> {
    let any = |word: &str| names.iter().any(|n| parts(n).contains(&word));
    let export = |kex: &str| names.iter().any(|n| n.contains(kex) && n.contains("EXPORT"));
    let all = [
        (version == TlsVersion::Ssl3 && any("cbc"), "POODLE (CVE-2014-3566)"),
        (export("TLS_RSA_"), "FREAK (CVE-2015-0204)"),
        (export("TLS_DHE_"), "Logjam (CVE-2015-4000)"),
        (any("3des") || any("idea"), "SWEET32 (CVE-2016-2183)"),
        (any("rc4"), "RC4 biases (CVE-2013-2566)"),
    ];
    all.into_iter().filter(|(there, _)| *there).map(|(_, name)| format!("{}: {name}", version.word())).collect()
}

fn of_feature(feature: TlsFeature, standing: Standing) -> Option<Mark> {
    use TlsFeature as F;
    let (bad_when, name) = match feature {
        F::Ssl2 => (Standing::Present, "SSL 2.0, DROWN (CVE-2016-0800)"),
        F::Compression => (Standing::Present, "CRIME (CVE-2012-4929)"),
        F::SecureRenegotiation => (Standing::Absent, "insecure renegotiation (CVE-2009-3555)"),
        F::UnpaddedHeartbeat => (Standing::Present, "Heartbleed (CVE-2014-0160)"),
        F::ExtendedMasterSecret
        | F::FallbackScsv
        | F::SessionTickets
        | F::OcspStaple
        | F::ClientCertificate
        | F::ForeignName
        | F::Heartbeat => return None,
    };
    Some(match standing {
        Standing::Unclear => Mark::Unclear(feature.words()),
        s if s == bad_when => Mark::Flaws(vec![name.to_owned()]),
        Standing::Present | Standing::Absent => Mark::Flaws(Vec::new()),
    })
}
