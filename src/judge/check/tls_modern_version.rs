//! Every TLS service must offer a version that is safe today.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Subject,
    observation::{TlsAnswer, TlsVersion},
};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "tls-modern-version",
    title: "TLS 1.2 with AEAD and forward secrecy, or TLS 1.3, is offered",
    page: include_str!("tls_modern_version.md"),
    expected: "every TLS service accepts the minimum version with an AEAD suite and forward secrecy, or TLS 1.3",
    remedy: "enable TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM or ChaCha20-Poly1305 suites",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["tls-versions"],
    bind: bind::<TlsModernVersion>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsModernVersion {
    #[serde(default = "tls12")]
    minimum: TlsVersion,
}

fn tls12() -> TlsVersion {
    TlsVersion::Tls12
}

impl Judge for TlsModernVersion {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let mut best: BTreeMap<&Subject, bool> = BTreeMap::new();
        let answers = evidence.known("tls-versions", |r| match &r.observation {
            Observation::Tls { version, answer } => Some((*version, answer)),
            _ => None,
        });
        for seen in answers.items() {
            let good = match seen.what {
                (v, TlsAnswer::Accepted { forward_secrecy, aead, .. }) => {
                    v >= self.minimum && (v == TlsVersion::Tls13 || (*forward_secrecy && *aead))
                }
                (_, TlsAnswer::Alert { .. } | TlsAnswer::OtherVersion { .. } | TlsAnswer::Closed) => false,
                (_, TlsAnswer::Silent | TlsAnswer::NotTls) => false,
            };
            *best.entry(seen.subject()).or_default() |= good;
        }
        let silent = |s: &Subject| {
            answers
                .items()
                .iter()
                .any(|x| x.subject() == s && matches!(x.what.1, TlsAnswer::Silent | TlsAnswer::NotTls))
        };
        every(&answers, "no TLS service", |seen| match best.get(seen.subject()) {
            Some(true) => Point::Good("a modern version is accepted".to_owned()),
            Some(false) | None if silent(seen.subject()) => {
                Point::Unclear("the server did not answer every hello".to_owned())
            }
            Some(false) | None => Point::Bad(format!("{}: no modern version is accepted", seen.subject())),
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}
