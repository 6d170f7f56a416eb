//! A certificate must be in date and made for a server.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject, observation::Certificate};
use jiff::civil::DateTime;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "tls-cert-validity",
    title: "Certificate dates and usage make sense",
    page: include_str!("tls_cert_validity.md"),
    expected: "every certificate is in date at the time of the scan and is no CA certificate",
    remedy: "issue a leaf certificate that is in date, and renew it before it ends",
    severity: Severity::Medium,
    pass: Proves::Partial,
    needs: &["tls-certificate"],
    bind: bind::<TlsCertValidity>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsCertValidity {}

impl Judge for TlsCertValidity {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let certificates = evidence.known("tls-certificate", |r| match &r.observation {
            Observation::Certificate { certificate } => Some(certificate),
            _ => None,
        });
        let now = moment(evidence.as_of());
        every(&certificates, "no certificate", |seen| point(seen.subject(), seen.what, now))
    }
}

fn point(at: &Subject, certificate: &Certificate, now: Option<DateTime>) -> Point {
    let Certificate { not_before, not_after, .. } = certificate;
    let (Some(from), Some(to), Some(now)) = (moment(not_before), moment(not_after), now) else {
        return Point::Unclear(format!("{at}: the dates {not_before} to {not_after} could not be read"));
    };
    let unset = if from.year() <= 1970 { ", made when the clock stood at 1970" } else { "" };
    if certificate.is_ca {
        Point::Bad(format!("{at}: the server's certificate is a CA"))
    } else if now > to {
        Point::Bad(format!("{at}: expired on {not_after}{unset}"))
    } else if now < from {
        Point::Unclear(format!("{at}: valid only from {not_before}; its clock or ours is wrong"))
    } else {
        Point::Good(format!("{at}: valid from {not_before} to {not_after}{unset}"))
    }
}

/// A time in UTC. Not `jiff::Timestamp`: it ends before the 9999-12-31T23:59:59Z of RFC 5280, 4.1.2.5.
fn moment(text: &str) -> Option<DateTime> {
    text.strip_suffix('Z')?.parse().ok()
}
