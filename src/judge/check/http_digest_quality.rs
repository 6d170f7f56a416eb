//! Digest is used with fresh challenges, and an answer works once.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-digest-quality",
    title: "Digest authentication uses fresh challenges",
    page: include_str!("http_digest_quality.md"),
    expected: "every challenge is new, and an answer that was recorded does not open the page later",
    remedy: "use TLS, and give each challenge one use and a short life",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["http-digest"],
    bind: bind::<HttpDigestQuality>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HttpDigestQuality {
    /// How long an answer may be taken again.
    lifetime_seconds: u64,
}

impl Default for HttpDigestQuality {
    fn default() -> Self {
        Self { lifetime_seconds: 3600 }
    }
}

impl Judge for HttpDigestQuality {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("http-digest", |r| match &r.observation {
            Observation::DigestUse { digest } => Some(digest),
            _ => None,
        });
        every(&all, "no page asks for Digest", |seen| {
            let (d, what) = (seen.what, format!("{} {}", seen.subject(), seen.what.path));
            if d.challenges >= 2 && d.distinct == 1 {
                return Point::Bad(format!("{what}: {} challenges were one and the same", d.challenges));
            }
            if d.distinct < d.challenges {
                return Point::Unclear(format!("{what}: {} of {} challenges differ", d.distinct, d.challenges));
            }
            let late = |ms: u64| ms >= self.lifetime_seconds.saturating_mul(1000);
            match d.replays.last() {
                Some(r) if !r.taken && !d.qop => Point::Unclear(format!("{what}: qop=auth is not offered")),
                Some(r) if !r.taken => {
                    Point::Good(format!("{what}: challenges are new, and an answer is not taken again"))
                }
                Some(r) if late(r.after_ms) && !d.tls => Point::Bad(format!(
                    "{what}: over cleartext, an answer was taken again after {} s",
                    r.after_ms / 1000
                )),
                Some(r) => Point::Unclear(format!(
                    "{what}: an answer was taken again after {} s; whether it still is after {} s was not seen",
                    r.after_ms / 1000,
                    self.lifetime_seconds
                )),
                None => {
                    Point::Unclear(format!("{what}: challenges are new; no account is known by which to answer one"))
                }
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("http-digest")
    }
}
