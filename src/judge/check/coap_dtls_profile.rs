//! DTLS of the past protects no better than TLS of the past.
use super::tls::{Named, broken, few, is_known, parts};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Subject};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "coap-dtls-profile",
    title: "DTLS version and suites are strong",
    page: include_str!("coap_dtls_profile.md"),
    expected: "DTLS 1.0 is refused, and no suite that the policy forbids is accepted",
    remedy: "offer DTLS 1.2 or 1.3 with AES-CCM or AES-GCM alone",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["dtls-survey"],
    bind: bind::<CoapDtlsProfile>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CoapDtlsProfile {
    #[serde(default = "broken")]
    policy: Named,
    /// RFC 7925, 4.2, has CCM with a tag of 8 bytes as the suite of constrained devices.
    #[serde(default = "allowed")]
    ccm8: Ccm8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ccm8 {
    Allowed,
    Forbidden,
}

fn allowed() -> Ccm8 {
    Ccm8::Allowed
}

impl Judge for CoapDtlsProfile {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let all = evidence.known("dtls-survey", |r| match &r.observation {
            Observation::DtlsAccepts { version, suites } => Some((version.as_str(), suites.as_slice())),
            _ => None,
        });
        let good = |v: &str, suites: &[String]| v != "1.0" && suites.iter().any(|s| is_aead(s));
        let modern: BTreeSet<Subject> =
            all.items().iter().filter(|s| good(s.what.0, s.what.1)).map(|s| s.subject().clone()).collect();
        every(&all, "no DTLS service", |seen| {
            let (version, suites) = seen.what;
            self.point(seen.subject(), version, suites, modern.contains(seen.subject()))
        })
    }
}

fn is_aead(suite: &str) -> bool {
    suite.contains("_GCM_") || suite.contains("_CCM") || suite.contains("POLY1305")
}

impl CoapDtlsProfile {
    fn point(&self, at: &Subject, version: &str, suites: &[String], modern: bool) -> Point {
        if version == "1.0" && !suites.is_empty() {
            return Point::Bad(format!("{at}: DTLS 1.0 is accepted"));
        }
        let why = |n: &String| match self.policy.0.forbids(n) {
            Some(why) => Some(format!("{n} ({why})")),
            None if self.ccm8 == Ccm8::Forbidden && parts(n).contains(&"ccm8") => Some(format!("{n} (ccm8)")),
            None => None,
        };
        let bad: Vec<String> = suites.iter().filter_map(why).collect();
        match (bad.is_empty(), modern) {
            (false, _) => Point::Bad(format!("{at}, DTLS {version}: accepts {}", few(&bad))),
            (true, false) => Point::Unclear(format!("{at}: no suite with AEAD under DTLS 1.2 or 1.3 was seen")),
            (true, true) if !suites.iter().all(|s| is_known(s)) => {
                Point::Unclear(format!("{at}, DTLS {version}: a suite that we do not know"))
            }
            (true, true) => Point::Good(format!("{at}, DTLS {version}: nothing forbidden is accepted")),
        }
    }
}
