//! Traffic recorded today may be read when quantum computers can; a hybrid key exchange is the answer.
use super::tls::lists;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::{TlsVersion, tls::TlsList};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "tls-pqc-readiness",
    title: "Hybrid post-quantum key exchange is recorded",
    page: include_str!("tls_pqc_readiness.md"),
    expected: "the groups of every TLS service are known, hybrid ones among them or not",
    remedy: "none; plan to offer X25519MLKEM768 where traffic must stay secret for many years",
    severity: Severity::Info,
    pass: Proves::Nothing,
    needs: &["tls-survey"],
    bind: bind::<TlsPqcReadiness>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsPqcReadiness {}

impl Judge for TlsPqcReadiness {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let kept = |list: &TlsList| matches!(list, TlsList::Suites { .. } | TlsList::Groups { .. });
        let shown = lists(evidence).only(|(_, list)| kept(list));
        every(&shown, "no TLS service", |seen| match seen.what {
            (TlsVersion::Tls13, TlsList::Groups { names }) => {
                let hybrid: Vec<&str> = names.iter().filter(|n| n.contains("MLKEM")).map(String::as_str).collect();
                match hybrid.is_empty() {
                    false => Point::Good(format!("{}: offers {}", seen.subject(), hybrid.join(", "))),
                    true => Point::Good(format!("{}: TLS 1.3 without a hybrid group", seen.subject())),
                }
            }
            (version, _) => Point::Good(format!("{}: {} was asked", seen.subject(), version.word())),
        })
    }
}
