//! One broken suite is enough for an attacker in the path.
use super::tls::{Named, broken, few, is_known, lists};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::tls::TlsList;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "tls-weak-suites",
    title: "No NULL, export, anonymous, RC4, DES, 3DES or MD5 suites",
    page: include_str!("tls_weak_suites.md"),
    expected: "no TLS service accepts a suite that the policy forbids",
    remedy: "restrict the suites to ECDHE with AES-GCM or ChaCha20-Poly1305",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["tls-survey"],
    bind: bind::<TlsWeakSuites>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsWeakSuites {
    #[serde(default = "broken")]
    policy: Named,
}

impl Judge for TlsWeakSuites {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let suites = lists(evidence).only(|(_, list)| matches!(list, TlsList::Suites { .. }));
        every(&suites, "no TLS service", |seen| {
            let (version, list) = seen.what;
            let TlsList::Suites { names, .. } = list else { return Point::Unclear(String::new()) };
            let at = format!("{}, {}", seen.subject(), version.word());
            let bad: Vec<String> =
                names.iter().filter_map(|n| self.policy.0.forbids(n).map(|why| format!("{n} ({why})"))).collect();
            let unknown: Vec<String> = names.iter().filter(|n| !is_known(n)).cloned().collect();
            match (bad.is_empty(), unknown.is_empty()) {
                (false, _) => Point::Bad(format!("{at}: accepts {}", few(&bad))),
                (true, false) => Point::Unclear(format!("{at}: nothing is known of {}", few(&unknown))),
                (true, true) => {
                    Point::Good(format!("{at}: {} suites, none forbidden by: {}", names.len(), self.policy.0.title))
                }
            }
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}
