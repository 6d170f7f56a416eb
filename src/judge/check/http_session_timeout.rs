//! A session that nobody uses ends.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-session-timeout",
    title: "Idle sessions end in the device",
    page: include_str!("http_session_timeout.md"),
    expected: "a session that is left alone for as long as allowed opens nothing any more",
    remedy: "end idle sessions in the device, after ten minutes on gateways",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &["http-idle"],
    bind: bind::<HttpSessionTimeout>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HttpSessionTimeout {
    /// How long a session may live unused.
    max_idle_seconds: u64,
}

impl Default for HttpSessionTimeout {
    fn default() -> Self {
        Self { max_idle_seconds: 600 }
    }
}

impl Judge for HttpSessionTimeout {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("http-idle", |r| match &r.observation {
            Observation::SessionIdle { idle } => Some(idle),
            _ => None,
        });
        every(&all, "no web log-in that gives a session", |seen| {
            let (i, what) = (seen.what, format!("{} {}", seen.subject(), seen.what.path));
            let (seconds, most) = (i.idle_ms / 1000, self.max_idle_seconds);
            match (i.open, seconds >= most, seconds <= most.saturating_add(GRACE)) {
                (true, true, _) => Point::Bad(format!("{what}: open after {seconds} s, where {most} s are allowed")),
                (true, false, _) => {
                    Point::Unclear(format!("{what}: open after {seconds} s; set idle_seconds to {most}"))
                }
                (false, _, true) => Point::Good(format!("{what}: ended within {seconds} s")),
                (false, _, false) => {
                    Point::Unclear(format!("{what}: ended within {seconds} s; set idle_seconds to {most}"))
                }
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("http-idle")
    }
}

/// What a device may take to notice.
const GRACE: u64 = 60;
