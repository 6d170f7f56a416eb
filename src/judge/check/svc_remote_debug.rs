//! An engineering interface on the network is a way around every other lock.
use super::common::{Said, is_unknown, open_port, said_by_endpoint};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Endpoint, Observation, Record, Subject};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "svc-remote-debug",
    title: "Remote debug and engineering interfaces are closed",
    page: include_str!("svc_remote_debug.md"),
    expected: "no open port completes the handshake of a debug interface",
    remedy: "remove debug servers from release builds",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["tcp-ports", "udp-services", "service-identify"],
    bind: bind::<SvcRemoteDebug>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcRemoteDebug {}

impl Judge for SvcRemoteDebug {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let said = said_by_endpoint(evidence);
        let proved = evidence.known("service-identify", debug);
        let proved_at: BTreeSet<Subject> = proved.items().iter().map(|s| s.subject().clone()).collect();
        let open = |probe| evidence.known(probe, |r| open_port(r).map(|(at, parsed)| Item::Open(at, parsed)));
        every(&open("tcp-ports").and(open("udp-services")).and(proved), "no open port", |seen| match seen.what {
            Item::Debug(name, proof) => Point::Bad(format!("{}: {name} answers: {proof}", seen.subject())),
            Item::Open(at, _) if proved_at.contains(seen.subject()) => Point::Good(format!("{at} was asked")),
            Item::Open(at, parsed) => not_debug(at, parsed, said.get(seen.subject())),
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

#[derive(Clone, Copy)]
enum Item<'a> {
    /// An open port, and the service that its UDP reply parsed as.
    Open(Endpoint, Option<&'a str>),
    Debug(&'a str, &'a str),
}

fn debug(record: &Record) -> Option<Item<'_>> {
    match &record.observation {
        Observation::DebugInterface { name, proof } => Some(Item::Debug(name, proof)),
        _ => None,
    }
}

/// A port that completed no debug handshake.
fn not_debug(at: Endpoint, parsed: Option<&str>, said: Option<&Said<'_>>) -> Point {
    match (parsed, said) {
        (None, None) => Point::Unclear(format!("{at} was not asked what it is")),
        (None, Some(s)) if DEBUG_PORTS.contains(&at.port) && is_unknown(s.service) && s.says.is_empty() => {
            Point::Unclear(format!("{at} is open, is known for debugging, and said nothing"))
        }
        (Some(_), _) | (None, Some(_)) => Point::Good(format!("{at} is no debug interface that we know")),
    }
}

/// gdbserver, Delve, J-Link, OpenOCD, JDWP, ADB, debugpy, Node, VxWorks WDB, Frida.
const DEBUG_PORTS: [u16; 12] = [1234, 2331, 2345, 3333, 4444, 5005, 5555, 5678, 6666, 9229, 17185, 27042];
