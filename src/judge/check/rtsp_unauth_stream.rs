//! A stranger must not see what the camera sees.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "rtsp-unauth-stream",
    title: "Camera streams need authentication",
    page: include_str!("rtsp_unauth_stream.md"),
    expected: "no stream is played to somebody without a credential",
    remedy: "require authentication for every stream",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["rtsp-streams"],
    bind: bind::<RtspUnauthStream>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RtspUnauthStream {}

impl Judge for RtspUnauthStream {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let streams = evidence.known_of("rtsp-streams", Some("rtsp"), |r| match &r.observation {
            Observation::RtspStream { path, control, status, described, media_packets, .. } => {
                Some((path, *control, *status, *described, *media_packets))
            }
            _ => None,
        });
        every(&streams, "no RTSP service", |seen| {
            let (path, control, status, described, packets) = seen.what;
            let what = format!("{} {path}", seen.subject());
            match (packets, described, status) {
                (1.., _, _) => Point::Bad(format!("{what}: {packets} media packets came without a credential")),
                // What any path gets says nothing of a stream, as long as nothing plays.
                (0, _, _) if control => Point::Good(format!("{what}: nothing plays at a path that cannot exist")),
                (0, true, _) => Point::Unclear(format!("{what}: described without a credential, but nothing played")),
                (0, false, 400..=404 | 454 | 455) => Point::Good(format!("{what}: status {status}")),
                (0, false, _) => Point::Unclear(format!("{what}: status {status} tells nothing")),
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}
