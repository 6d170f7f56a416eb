//! The device believes no update server whose certificate is wrong.
use super::{
    Check, Judge, Proves, Severity, bind,
    lab::{SERVERS, controlled, met, visit},
};
use crate::judge::{
    Decision, Evidence,
    evidence::natural,
    judgement::{Point, every},
};
use crate::model::observation::lab::{End, ServerCase, Visit};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-client-cert-validation",
    title: "The updater refuses servers with wrong certificates",
    page: include_str!("upd_client_cert_validation.md"),
    expected: "the device sends nothing to an update server whose certificate is wrong, and comes to a genuine one",
    remedy: "verify chain, name, time and purpose of the server's certificate; best, pin the maker's own CA",
    severity: Severity::Critical,
    pass: Proves::Full,
    needs: &[SERVERS],
    bind: bind::<UpdClientCertValidation>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdClientCertValidation {}

impl Judge for UpdClientCertValidation {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let visits = evidence.known_of(SERVERS, Some("certificates"), visit).only(|v| met(v));
        // In the order in which they came: the genuine server must have been believed before and after.
        let control = {
            let bad = |v: &Visit| ServerCase::BAD_CERTIFICATES.contains(&v.case);
            let good = |v: &Visit| v.case == ServerCase::Genuine && v.request.is_some();
            let mut all: Vec<_> = visits.items().iter().collect();
            all.sort_by(|a, b| natural(a.cite()).cmp(&natural(b.cite())));
            let all: Vec<&Visit> = all.into_iter().map(|s| s.what).collect();
            let (first, last) = (all.iter().position(|v| bad(v)), all.iter().rposition(|v| bad(v)));
            let before = |n: usize| all.iter().take(n).any(|v| good(v));
            let after = |n: usize| all.iter().skip(n).any(|v| good(v));
            first.is_some_and(before) && last.is_some_and(after)
        };
        let shown = visits.only(|v| ServerCase::BAD_CERTIFICATES.contains(&v.case));
        let decision = every(&shown, "no wrong certificate was shown", |seen| point(seen.what));
        let why = "the genuine server was not believed before and after; is the laboratory's CA in the device?";
        controlled(decision, control, SERVERS, why)
    }
}

fn point(visit: &Visit) -> Point {
    let shown = visit.case.words();
    let Some(tls) = &visit.tls else { return Point::Unclear(format!("shown {shown}: it came without TLS")) };
    match (&visit.request, &tls.end) {
        (Some(r), _) => Point::Bad(format!("shown {shown}: it sent {} {}", r.method, r.path)),
        (None, End::WentOn) => Point::Bad(format!("shown {shown}: it went on with its keys")),
        (None, End::NotUnderstood { why }) => Point::Unclear(format!("shown {shown}: {why}")),
        (None, end @ (End::Established | End::Alert { .. } | End::Closed | End::Silent { .. } | End::Reset)) => {
            Point::Good(format!("shown {shown}: {} and nothing was asked for", end.words()))
        }
    }
}
