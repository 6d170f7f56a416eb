//! Sessions cannot be guessed.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::Observation;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "http-session-token-entropy",
    title: "Session tokens are unpredictable",
    page: include_str!("http_session_token_entropy.md"),
    expected: "sessions of many log-ins differ, do not count up, are not made from the time or the user, and leave room enough",
    remedy: "make sessions from 128 bits of a cryptographic random number generator",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["http-tokens"],
    bind: bind::<HttpSessionTokenEntropy>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct HttpSessionTokenEntropy {
    /// Sessions that a PASS needs.
    min_sessions: u32,
    /// Bits of room that the estimate must show.
    min_bits: u32,
}

impl Default for HttpSessionTokenEntropy {
    fn default() -> Self {
        Self { min_sessions: 40, min_bits: 64 }
    }
}

impl Judge for HttpSessionTokenEntropy {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("http-tokens", |r| match &r.observation {
            Observation::SessionTokens { tokens } => Some(tokens),
            _ => None,
        });
        every(&all, "no web log-in that gives a session", |seen| {
            let (t, what) = (seen.what, format!("{} {}", seen.subject(), seen.what.path));
            let few = format!("{} sessions, about {} bits", t.taken, t.bits);
            if t.distinct < t.taken {
                return Point::Bad(format!("{what}: {} log-ins gave {} different sessions", t.taken, t.distinct));
            }
            if t.ordered {
                return Point::Bad(format!("{what}: the sessions of {} log-ins are numbers that count up", t.taken));
            }
            if !t.made_from.is_empty() {
                return Point::Bad(format!("{what}: sessions are {}", t.made_from.join(" and ")));
            }
            let roomy = t.bits >= self.min_bits;
            if t.taken < self.min_sessions {
                return Point::Unclear(format!("{what}: {few}; a PASS needs {} sessions", self.min_sessions));
            }
            match (roomy, t.holds.is_empty()) {
                (true, true) => Point::Good(format!("{what}: {few}")),
                (true, false) => Point::Good(format!("{what}: {few}, beside {}", t.holds.join(", "))),
                (false, false) => Point::Bad(format!("{what}: {few}, and they hold {}", t.holds.join(", "))),
                (false, true) => Point::Bad(format!("{what}: {few}, where {} are wanted", self.min_bits)),
            }
        })
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("http-tokens")
    }
}
