//! CoAP resources must not be read by everybody.
use super::coap::{Declared, Read, declared, read};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, Subject};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "coap-read-unauth",
    title: "CoAP resources are not readable without authentication",
    page: include_str!("coap_read_unauth.md"),
    expected: "every CoAP resource that is not declared public refuses to be read without a credential",
    remedy: "control access to each resource (RFC 9200), over DTLS or OSCORE",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["coap-resources"],
    bind: bind::<CoapReadUnauth>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoapReadUnauth {}

impl Judge for CoapReadUnauth {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let items = evidence.known("coap-resources", of);
        let asked: BTreeSet<Subject> =
            items.items().iter().filter(|s| s.what.is_some()).map(|s| s.subject().clone()).collect();
        every(&items, "no CoAP service", |seen| match seen.what {
            Some(read) => point(read, declared(evidence, read.path)),
            None if asked.contains(seen.subject()) => {
                Point::Good(format!("{}: resources were asked for", seen.subject()))
            }
            None => Point::Unclear(format!("{}: no resource could be asked for", seen.subject())),
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-public"]
    }

    fn everywhere(&self) -> bool {
        true
    }
}

/// Reads, and `None` for what only shows that a service is there.
fn of(record: &Record) -> Option<Option<Read<'_>>> {
    match (&record.observation, read(record)) {
        (_, Some(read)) => Some(Some(read)),
        (Observation::CoapPing { answered: true } | Observation::CoapCore { .. }, None) => Some(None),
        _ => None,
    }
}

fn point(read: Read<'_>, declared: Declared) -> Point {
    let what = format!("{} {}", read.at, read.path);
    if !read.is_disclosure() {
        return match read.code {
            "4.01" | "4.03" | "4.05" => Point::Good(format!("{what}: refused with {}", read.code)),
            "2.05" => Point::Good(format!("{what}: empty")),
            code => Point::Unclear(format!("{what}: answers {code}")),
        };
    }
    match declared {
        Declared::Public => Point::Good(format!("{what}: declared public")),
        Declared::NotPublic | Declared::NotSaid if !read.sensitive.is_empty() => {
            Point::Bad(format!("{what}: hands out {}", read.sensitive.join(", ")))
        }
        Declared::NotPublic | Declared::NotSaid if !read.text => {
            Point::Unclear(format!("{what}: {} bytes that we cannot read", read.bytes))
        }
        Declared::NotPublic => Point::Bad(format!("{what}: readable and not declared public")),
        Declared::NotSaid => Point::Unclear(format!("{what}: readable; whether it is public was not supplied")),
    }
}
