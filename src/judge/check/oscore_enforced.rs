//! Who says that OSCORE protects its resources serves none of them without it.
use super::coap::{CORE, Declared, declared, read};
use super::common::not_declared;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, declarations::Entry, observation::CoapLink};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "oscore-enforced",
    title: "Resources that OSCORE protects refuse requests without it",
    page: include_str!("oscore_enforced.md"),
    expected: "where OSCORE is declared, every resource that is not public answers 4.01 to a request without it",
    remedy: "bind each resource to its security context, and answer 4.01 to all else (RFC 8613, 7 and 8)",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["coap-resources"],
    bind: bind::<OscoreEnforced>,
};

const TABLE: &str = "11-ComMech";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OscoreEnforced {}

#[derive(Clone, Copy)]
enum Fact<'a> {
    Read { path: &'a str, code: &'a str, served: bool },
    Listed(&'a [CoapLink]),
    Alive,
}

fn fact(record: &Record) -> Option<Fact<'_>> {
    match (&record.observation, read(record)) {
        (_, Some(r)) => Some(Fact::Read { path: r.path, code: r.code, served: r.is_disclosure() }),
        (Observation::CoapCore { code, links }, None) if code == "2.05" => Some(Fact::Listed(links)),
        (Observation::CoapPing { answered: true } | Observation::CoapCore { .. }, None) => Some(Fact::Alive),
        _ => None,
    }
}

fn names_oscore(entry: &Entry) -> bool {
    ["crypto_details", "description"].iter().any(|field| entry.text(field).to_lowercase().contains("oscore"))
}

impl Judge for OscoreEnforced {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("coap-resources", fact);
        if all.items().is_empty() {
            return every(&all, "no CoAP service", |_| Point::Unclear(String::new()));
        }
        let Some(mechanisms) = evidence.declared(TABLE) else {
            return not_declared(TABLE, "whether OSCORE protects the CoAP service was not supplied".to_owned());
        };
        let with = mechanisms.only(|entry| names_oscore(entry));
        if with.items().is_empty() {
            return every(&with, "no declared mechanism with OSCORE", |_| Point::Unclear(String::new()));
        }
        let asked: BTreeSet<_> = all
            .items()
            .iter()
            .filter_map(|s| match s.what {
                Fact::Read { path, .. } => Some((s.subject(), path)),
                Fact::Listed(_) | Fact::Alive => None,
            })
            .collect();
        every(&all, "no CoAP service", |seen| {
            let at = seen.subject();
            match seen.what {
                Fact::Read { path, code, served } => {
                    let what = format!("{at} {path}");
                    match (served, code, declared(evidence, path)) {
                        (_, "4.01", _) => Point::Good(format!("{what}: refused with 4.01")),
                        (true, _, Declared::Public) => Point::Good(format!("{what}: declared public")),
                        (true, _, Declared::NotPublic) => {
                            Point::Bad(format!("{what}: served without OSCORE, and not declared public"))
                        }
                        (true, _, Declared::NotSaid) => Point::Unclear(format!(
                            "{what}: served without OSCORE; whether it is public was not supplied (x-public)"
                        )),
                        (false, code, _) => {
                            Point::Unclear(format!("{what}: answers {code}, which is no demand for OSCORE"))
                        }
                    }
                }
                Fact::Listed(links)
                    if links.iter().any(|l| l.path != CORE && !asked.contains(&(at, l.path.as_str()))) =>
                {
                    Point::Unclear(format!("{at}: resources are listed that were not there or not asked for"))
                }
                Fact::Listed(_) | Fact::Alive if asked.iter().any(|(of, _)| *of == at) => {
                    Point::Good(format!("{at}: its listed resources were asked for"))
                }
                Fact::Listed(_) | Fact::Alive => Point::Unclear(format!("{at}: discovery does not tell what there is")),
            }
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE, "x-public"]
    }
}
