//! CoAP without DTLS, read in one place for all checks.
use crate::judge::Evidence;
use crate::model::observation::CoapLink;
use crate::model::{Observation, Record, Subject};

/// RFC 6690: discovery is public by design.
pub(super) const CORE: &str = "/.well-known/core";

#[derive(Clone, Copy)]
pub(super) struct Read<'a> {
    pub at: &'a Subject,
    pub path: &'a str,
    pub code: &'a str,
    pub bytes: u64,
    pub sensitive: &'a [String],
    pub text: bool,
}

/// A resource that was asked for. One that is not there (4.04) says nothing about access.
pub(super) fn read(record: &Record) -> Option<Read<'_>> {
    match &record.observation {
        Observation::CoapRead { path, code, bytes, sensitive, text } if path != CORE && code != "4.04" => {
            Some(Read { at: &record.subject, path, code, bytes: *bytes, sensitive, text: *text })
        }
        _ => None,
    }
}

pub(super) fn core(record: &Record) -> Option<(&Subject, &str, &[CoapLink])> {
    match &record.observation {
        Observation::CoapCore { code, links } => Some((&record.subject, code, links)),
        _ => None,
    }
}

impl Read<'_> {
    /// Did it hand out content? An empty 2.05 discloses nothing.
    pub(super) fn is_disclosure(&self) -> bool {
        self.code == "2.05" && self.bytes > 0
    }
}

/// What the maker says of a resource.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Declared {
    Public,
    NotPublic,
    /// No table was supplied.
    NotSaid,
}

/// Looks `path` up in `x-public` as `coap:/path`.
pub(super) fn declared(evidence: &Evidence<'_>, path: &str) -> Declared {
    match evidence.ixit.and_then(|i| i.public.as_ref()) {
        None => Declared::NotSaid,
        Some(all) if all.iter().any(|p| p.strip_prefix("coap:") == Some(path)) => Declared::Public,
        Some(_) => Declared::NotPublic,
    }
}
