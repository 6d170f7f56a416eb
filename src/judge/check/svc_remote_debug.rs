//! An engineering interface on the network is a way around every other lock.
use super::common::{is_unknown, open_port, said_by_endpoint};
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
        let open = |probe| evidence.known(probe, |r| Some(Item::Open(open_port(r)?.0)));
        every(&open("tcp-ports").and(open("udp-services")).and(proved), "no open port", |seen| match seen.what {
            Item::Debug(name, proof) => Point::Bad(format!("{}: {name} answers: {proof}", seen.subject())),
            Item::Open(e) => {
                let mute = said.get(seen.subject()).is_none_or(|s| is_unknown(s.service) && s.says.is_empty());
                match DEBUG_PORTS.contains(&e.port) && mute && !proved_at.contains(seen.subject()) {
                    true => Point::Unclear(format!("{e} is open, is known for debugging, and said nothing")),
                    false => Point::Good(format!("{e} is no debug interface that we know")),
                }
            }
        })
    }
}

#[derive(Clone, Copy)]
enum Item<'a> {
    Open(Endpoint),
    Debug(&'a str, &'a str),
}

fn debug(record: &Record) -> Option<Item<'_>> {
    match &record.observation {
        Observation::DebugInterface { name, proof } => Some(Item::Debug(name, proof)),
        _ => None,
    }
}

/// gdbserver, Delve, J-Link, OpenOCD, JDWP, ADB, debugpy, Node, VxWorks WDB, Frida.
const DEBUG_PORTS: [u16; 12] = [1234, 2331, 2345, 3333, 4444, 5005, 5555, 5678, 6666, 9229, 17185, 27042];
