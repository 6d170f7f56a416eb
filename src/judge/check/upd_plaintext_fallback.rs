//! The device does not look for updates in plain HTTP when HTTPS fails.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::never_absent,
    lab::{SERVERS, met, updates, visit},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::lab::{ServerCase, Visit};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-plaintext-fallback",
    title: "The updater does not fall back to plain HTTP",
    page: include_str!("upd_plaintext_fallback.md"),
    expected: "the device asks for no update in plain HTTP when HTTPS is refused or leads there",
    remedy: "ask over HTTPS alone, and follow no redirection out of it",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &[SERVERS],
    bind: bind::<UpdPlaintextFallback>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdPlaintextFallback {}

impl Judge for UpdPlaintextFallback {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let visits = evidence.known_of(SERVERS, Some("fallback"), visit);
        // Also after a wrong certificate or an old version: it is what the device was shown last.
        let provoked = |v: &Visit| v.tls.is_none() && v.request.is_some() && v.case != ServerCase::Genuine;
        let shown = visits.only(|v| provoked(v) || (met(v) && ServerCase::FALLBACKS.contains(&v.case)));
        let decision = every(&shown, "HTTPS was not refused", |seen| point(seen.what));
        never_absent(decision, SERVERS, "the device was not shown any reason to leave HTTPS")
    }
}

fn point(visit: &Visit) -> Point {
    let shown = visit.case.words();
    match (&visit.tls, &visit.request) {
        (None, Some(r)) if updates(visit) => {
            Point::Bad(format!("after {shown}: it asked in plain HTTP for {}{}", r.host, r.path))
        }
        (None, Some(r)) => Point::Unclear(format!(
            "after {shown}: it asked in plain HTTP for {}{}, which is no update",
            r.host, r.path
        )),
        (None, None) => Point::Unclear(format!("after {shown}: it opened a connection to the port of plain HTTP")),
        (Some(_), _) => Point::Good(format!("shown {shown}: it did not ask in plain HTTP")),
    }
}
