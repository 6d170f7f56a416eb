//! A certificate that is asked for and not needed proves nobody.
use super::common::not_declared;
use super::declared_crypto::{TABLES, declared};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record,
    observation::tls::{ClientOutcome, ClientProof, Standing, TlsFeature},
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "tls-mtls-enforced",
    title: "Declared mutual TLS is enforced",
    page: include_str!("tls_mtls_enforced.md"),
    expected: "where the IXIT declares client certificates, a client without one that can be believed is not served",
    remedy: "require client certificates and verify them against the device's own authority",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["tls-survey"],
    bind: bind::<TlsMtlsEnforced>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsMtlsEnforced {}

impl Judge for TlsMtlsEnforced {
    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        declared(evidence).is_none()
    }

    fn tables(&self) -> &'static [&'static str] {
        TABLES
    }

    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let seen = evidence.known("tls-survey", fact);
        let Some(says) = declared(evidence) else {
            let asks = seen.items().iter().any(|s| matches!(s.what, Fact::Asks(Standing::Present)));
            let word = if asks { "a service asks for client certificates" } else { "no service asks for one" };
            return not_declared("11-ComMech", word.to_owned());
        };
        if !says.mutual {
            return every(&seen.only(|_| false), "no client certificates are declared", |_| {
                Point::Unclear(String::new())
            });
        }
        let any = seen.items().iter().any(|s| matches!(s.what, Fact::Asks(Standing::Present)));
        every(&seen, "no TLS service", |s| {
            let at = s.subject();
            match s.what {
                Fact::Asks(Standing::Present) => Point::Good(format!("{at}: it asks for a certificate")),
                Fact::Asks(Standing::Absent) if any => Point::Good(format!("{at}: another service asks for one")),
                Fact::Asks(Standing::Absent) => {
                    Point::Bad(format!("{at}: client certificates are declared, and no service asks for one"))
                }
                Fact::Asks(Standing::Unclear) => Point::Unclear(format!("{at}: whether it asks is unclear")),
                Fact::Got(with, ClientOutcome::Served) => {
                    Point::Bad(format!("{at}: it serves a client with {}", words(with)))
                }
                Fact::Got(with, ClientOutcome::Refused) => {
                    Point::Good(format!("{at}: it refuses a client with {}", words(with)))
                }
                Fact::Got(with, ClientOutcome::Silent) => {
                    Point::Unclear(format!("{at}: a client with {} got no answer", words(with)))
                }
            }
        })
    }
}

#[derive(Clone, Copy)]
enum Fact {
    Asks(Standing),
    Got(ClientProof, ClientOutcome),
}

fn fact(record: &Record) -> Option<Fact> {
    match &record.observation {
        Observation::TlsFeature { feature: TlsFeature::ClientCertificate, standing, .. } => Some(Fact::Asks(*standing)),
        Observation::TlsClient { presented, outcome } => Some(Fact::Got(*presented, *outcome)),
        _ => None,
    }
}

fn words(with: ClientProof) -> &'static str {
    match with {
        ClientProof::None => "no certificate",
        ClientProof::SelfSigned => "a certificate signed by itself",
    }
}
