//! Protocols of another age have no place on a device.
use super::common::{Said, is_unknown, open_port, said, said_by_endpoint};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Endpoint;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "svc-legacy-insecure",
    title: "Insecure legacy services are absent",
    page: include_str!("svc_legacy_insecure.md"),
    expected: "no open port speaks a protocol of the forbidden list without TLS",
    remedy: "remove the legacy service; use SSH, SFTP or HTTPS",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["tcp-ports", "udp-services", "service-identify"],
    bind: bind::<SvcLegacyInsecure>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SvcLegacyInsecure {
    #[serde(default = "forbidden")]
    forbidden: Vec<String>,
}

impl Judge for SvcLegacyInsecure {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let asked = said_by_endpoint(evidence);
        let open = |probe| evidence.known(probe, |r| open_port(r).map(|(at, parsed)| (at, parsed.map(of_reply))));
        let identified = evidence.known("service-identify", |r| Some((r.subject.endpoint()?, Some(said(r)?))));
        every(&open("tcp-ports").and(open("udp-services")).and(identified), "no open port", |seen| match seen.what {
            (at, Some(said)) => self.point(at, said),
            (at, None) if asked.contains_key(seen.subject()) => Point::Good(format!("{at} was asked what it is")),
            (at, None) => Point::Unclear(format!("{at} was not asked what it is")),
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

impl SvcLegacyInsecure {
    fn point(&self, endpoint: Endpoint, said: Said<'_>) -> Point {
        let old = word(said);
        let forbids = |w: &str| self.forbidden.iter().any(|f| f == w);
        if forbids(old) && !said.tls && !said.starttls {
            return Point::Bad(format!("{endpoint} speaks {old}"));
        }
        match WELL_KNOWN.iter().find(|(port, _)| *port == endpoint.port) {
            Some((_, w)) if is_unknown(old) && forbids(w) => {
                Point::Unclear(format!("{endpoint} is open on the port of {w} and could not be identified"))
            }
            Some(_) | None => Point::Good(format!("{endpoint} speaks {old}")),
        }
    }
}

/// What a parsed UDP reply says by itself.
fn of_reply(service: &str) -> Said<'_> {
    Said { service, tls: false, starttls: false, says: &[] }
}

fn word(said: Said<'_>) -> &str {
    // RFC 4253, 5.1: `1.99` says that version 1 is served as well.
    let first = said.service == "ssh" && said.says.iter().any(|s| s.contains("SSH-1."));
    if first { "ssh1" } else { said.service }
}

fn forbidden() -> Vec<String> {
    FORBIDDEN.iter().map(ToString::to_string).collect()
}

const FORBIDDEN: [&str; 13] = [
    "chargen", "daytime", "discard", "echo", "finger", "ftp", "rexec", "rlogin", "rsh", "ssh1", "telnet", "tftp", "x11",
];

const WELL_KNOWN: [(u16, &str); 12] = [
    (7, "echo"),
    (9, "discard"),
    (13, "daytime"),
    (19, "chargen"),
    (21, "ftp"),
    (23, "telnet"),
    (69, "tftp"),
    (79, "finger"),
    (512, "rexec"),
    (513, "rlogin"),
    (514, "rsh"),
    (6000, "x11"),
];
