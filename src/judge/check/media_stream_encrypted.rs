//! What a camera sees and hears crosses the network in cipher.
use super::common::{looked, said_by_endpoint};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "media-stream-encrypted",
    title: "Pictures and sound are offered encrypted",
    page: include_str!("media_stream_encrypted.md"),
    expected: "every stream that is described is carried by SRTP, or played inside TLS",
    remedy: "offer SRTP (RTP/SAVP), or media inside RTSP over TLS, and nothing else",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["rtsp-streams", "service-identify"],
    bind: bind::<MediaStreamEncrypted>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaStreamEncrypted {}

#[derive(Clone, Copy)]
struct Stream<'a> {
    path: &'a str,
    control: bool,
    described: bool,
    carried: &'a [String],
    packets: u32,
}

impl Judge for MediaStreamEncrypted {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let services = said_by_endpoint(evidence);
        let all = evidence.known_of("rtsp-streams", Some("rtsp"), |r| match &r.observation {
            Observation::RtspStream { path, control, described, carried, media_packets, .. } => {
                Some(Stream { path, control: *control, described: *described, carried, packets: *media_packets })
            }
            _ => None,
        });
        let all = all.and(looked(evidence, "service-identify"));
        let describing: BTreeSet<Subject> =
            all.items().iter().filter(|s| s.what.described).map(|s| s.subject().clone()).collect();
        // Where any stream is described, paths without one say nothing.
        let told = all.only(|s| s.described || s.control);
        every(&told, "no RTSP service", |seen| {
            let at = seen.subject();
            match (seen.what.described, describing.contains(at)) {
                (true, _) => point(at, seen.what, services.get(at).is_some_and(|s| s.tls)),
                (false, true) => Point::Good(format!("{at}: streams are described")),
                (false, false) => Point::Unclear(format!("{at}: no stream is described to a stranger")),
            }
        })
    }
}

fn point(at: &Subject, s: Stream<'_>, tls: bool) -> Point {
    let what = format!("{at} {}", s.path);
    let clear: Vec<&str> = s.carried.iter().map(String::as_str).filter(|c| !c.contains("SAVP")).collect();
    match (s.carried.is_empty(), clear.is_empty(), tls) {
        (true, _, _) => Point::Unclear(format!("{what}: recorded without how media are carried")),
        (false, true, _) => Point::Good(format!("{what}: carried by {}", s.carried.join(", "))),
        (false, false, true) if s.packets > 0 => Point::Good(format!("{what}: plays inside TLS")),
        (false, false, true) => Point::Unclear(format!(
            "{what}: described inside TLS, and carried by {}, which may be beside it",
            clear.join(", ")
        )),
        (false, false, false) => Point::Bad(format!("{what}: carried by {} in clear", clear.join(", "))),
    }
}
