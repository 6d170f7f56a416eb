//! The device speaks no obsolete TLS with its update server.
use super::{
    Check, Judge, Proves, Severity, bind,
    common::never_absent,
    lab::{SERVERS, met, visit},
};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::lab::{End, ServerCase, Visit};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "upd-client-downgrade",
    title: "The updater refuses obsolete TLS",
    page: include_str!("upd_client_downgrade.md"),
    expected: "the device ends the handshake when the update server speaks TLS 1.0 or 1.1 only",
    remedy: "allow TLS 1.2 and 1.3 alone",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &[SERVERS],
    bind: bind::<UpdClientDowngrade>,
};

/// Alerts about the certificate (RFC 8446, 6.2): the version had been taken by then.
const ABOUT_CERTIFICATE: std::ops::RangeInclusive<u8> = 41..=49;
/// But this one of them is about parameters.
const ILLEGAL_PARAMETER: u8 = 47;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdClientDowngrade {}

impl Judge for UpdClientDowngrade {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let visits = evidence.known_of(SERVERS, Some("versions"), visit);
        let old = visits.only(|v| met(v) && ServerCase::OLD_VERSIONS.contains(&v.case));
        let decision = every(&old, "no obsolete TLS was shown", |seen| point(seen.what));
        never_absent(decision, SERVERS, "the device was not shown any")
    }
}

fn point(visit: &Visit) -> Point {
    let shown = visit.case.words();
    let Some(tls) = &visit.tls else { return Point::Unclear(format!("shown {shown}: it came without TLS")) };
    let said = format!("shown {shown}: {}", tls.end.words());
    match &tls.end {
        End::WentOn | End::Established => Point::Bad(said),
        End::Alert { description: ILLEGAL_PARAMETER } => Point::Good(said),
        End::Alert { description } if ABOUT_CERTIFICATE.contains(description) => {
            Point::Unclear(format!("{said}, which is about the certificate and not the version"))
        }
        End::Alert { .. } | End::Closed => Point::Good(said),
        End::Silent { .. } | End::Reset | End::NotUnderstood { .. } => Point::Unclear(said),
    }
}
