//! What works without DTLS works for everybody in the path.
use super::coap::{CORE, Declared, Read, core, declared, read};
use super::common::listed;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record, Subject, observation::CoapLink};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "coap-nosec-only",
    title: "CoAP functions beyond discovery need DTLS or OSCORE",
    page: include_str!("coap_nosec_only.md"),
    expected: "over CoAP without DTLS only discovery and declared public resources answer",
    remedy: "serve functions over DTLS or OSCORE only",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["coap-resources"],
    bind: bind::<CoapNosecOnly>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoapNosecOnly {}

impl Judge for CoapNosecOnly {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let items = evidence.known("coap-resources", of);
        let (mut asked, mut listing) = (BTreeSet::new(), BTreeSet::new());
        for item in items.items().iter().map(|s| s.what) {
            match item {
                Item::Read(r) => drop(asked.insert((r.at, r.path))),
                Item::Core(at, code, _) => drop((code == "2.05").then(|| listing.insert(at))),
                Item::Alive(_) => {}
            }
        }
        every(&items, "no CoAP service", |seen| match seen.what {
            Item::Read(r) => point(r, declared(evidence, r.path)),
            Item::Core(at, _, links) if listing.contains(at) => {
                let unasked =
                    listed(links.iter().map(|l| l.path.as_str()).filter(|p| *p != CORE && !asked.contains(&(at, *p))));
                match unasked.is_empty() {
                    true => Point::Good(format!("{at}: every listed resource was asked for")),
                    false => Point::Unclear(format!("{at}: listed but not there or not asked for: {unasked}")),
                }
            }
            Item::Alive(at) if listing.contains(at) => Point::Good(format!("{at}: discovery answers")),
            Item::Core(at, ..) | Item::Alive(at) => {
                Point::Unclear(format!("{at}: discovery does not tell what there is"))
            }
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["x-public"]
    }
}

#[derive(Clone, Copy)]
enum Item<'a> {
    Read(Read<'a>),
    Core(&'a Subject, &'a str, &'a [CoapLink]),
    Alive(&'a Subject),
}

fn of(record: &Record) -> Option<Item<'_>> {
    match (&record.observation, core(record)) {
        (_, Some((at, code, links))) => Some(Item::Core(at, code, links)),
        (Observation::CoapPing { answered: true }, None) => Some(Item::Alive(&record.subject)),
        _ => read(record).map(Item::Read),
    }
}

fn point(read: Read<'_>, declared: Declared) -> Point {
    let what = format!("{} {}", read.at, read.path);
    if !read.is_disclosure() {
        return match read.code {
            "4.01" | "4.03" => Point::Good(format!("{what}: refused with {}", read.code)),
            "2.05" => Point::Good(format!("{what}: empty")),
            code => Point::Unclear(format!("{what}: answers {code}, which is no security")),
        };
    }
    match declared {
        Declared::Public => Point::Good(format!("{what}: declared public")),
        Declared::NotPublic => Point::Bad(format!("{what}: works without DTLS and is not declared public")),
        Declared::NotSaid if !read.sensitive.is_empty() => {
            Point::Bad(format!("{what}: hands out {} without DTLS", read.sensitive.join(", ")))
        }
        Declared::NotSaid => {
            Point::Unclear(format!("{what}: works without DTLS; whether it is public was not supplied"))
        }
    }
}
