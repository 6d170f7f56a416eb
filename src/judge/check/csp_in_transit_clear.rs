//! What can be read on the way is no secret any more.
use super::{
    Check, Judge, Proves, Severity, bind,
    capture::{CONTENT, RUN, called, captures, destinations, undecided, watched},
};
use crate::judge::{Decision, Evidence, Verdict, judgement::none};
use crate::model::{
    Observation, Record,
    observation::capture::{ClearSecret, Protocol},
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "csp-in-transit-clear",
    title: "No secrets in clear in captured traffic",
    page: include_str!("csp_in_transit_clear.md"),
    expected: "no password, key or token passes in clear",
    remedy: "send secrets inside TLS, DTLS or SSH only",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &[RUN],
    bind: bind::<CspInTransitClear>,
};

fn an_hour() -> u32 {
    1
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CspInTransitClear {
    #[serde(default = "an_hour")]
    hours: u32,
}

impl Judge for CspInTransitClear {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let secrets = evidence.known(RUN, secret).only(|s| is_security(&s.class));
        let decision = none(&secrets, "no secret in clear", |s| {
            let how = if s.what.class == "tester" { "a secret of the tester" } else { s.what.class.as_str() };
            Some(format!("{}: {how} in clear ({}), {} times", s.subject(), s.what.carrier, s.what.times))
        });
        let decision = watched(decision, evidence, self.hours, &CONTENT);
        let passes = matches!(&decision, Decision::Judged(j) if j.verdict() == Verdict::Pass);
        if !passes {
            return decision;
        }
        let unknown = destinations(evidence).only(|d| d.protocol == Protocol::Unknown);
        if let Some(first) = unknown.items().first() {
            let who = called(first.subject(), first.what);
            return undecided(&format!("what passes to {who} cannot be read"), "no secret in clear".to_owned());
        }
        // Of what a device does with its secrets, only one that is known can be recognised everywhere.
        if captures(evidence).iter().all(|c| c.searched == 0) {
            let why = "no secret of the tester was searched for; set one up while capturing, and import with --secret";
            return undecided(why, "no secret in clear".to_owned());
        }
        decision
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(RUN)
    }
}

/// Personal data are another question.
fn is_security(class: &str) -> bool {
    matches!(class, "tester" | "password" | "token" | "psk" | "private-key" | "community")
}

fn secret(record: &Record) -> Option<&ClearSecret> {
    match &record.observation {
        Observation::ClearSecret { secret } => Some(secret),
        _ => None,
    }
}
