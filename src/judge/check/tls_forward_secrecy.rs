//! A key that leaks later must not open what was recorded before.
use super::tls::{Named, broken, few, is_ephemeral, lists};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::observation::tls::TlsList;
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "tls-forward-secrecy",
    title: "Ephemeral key exchange is used and its groups are strong",
    page: include_str!("tls_forward_secrecy.md"),
    expected: "every accepted version offers ephemeral key exchange, and no group or prime is smaller than the policy asks",
    remedy: "offer ECDHE with X25519 or P-256; drop finite-field primes below 2048 bits and small curves",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &["tls-survey"],
    bind: bind::<TlsForwardSecrecy>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsForwardSecrecy {
    #[serde(default = "broken")]
    policy: Named,
}

impl Judge for TlsForwardSecrecy {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let shown = lists(evidence).only(|(_, list)| !matches!(list, TlsList::Signatures { .. }));
        every(&shown, "no TLS service", |seen| {
            let (version, list) = seen.what;
            self.point(&format!("{}, {}", seen.subject(), version.word()), list)
        })
    }
}

impl TlsForwardSecrecy {
    fn point(&self, at: &str, list: &TlsList) -> Point {
        let policy = self.policy.0;
        match list {
            TlsList::Suites { names, .. } if names.is_empty() => Point::Unclear(format!("{at}: no suite was seen")),
            TlsList::Suites { names, .. } if names.iter().any(|n| is_ephemeral(n)) => {
                Point::Good(format!("{at}: ephemeral key exchange is offered"))
            }
            TlsList::Suites { .. } => Point::Bad(format!("{at}: no suite has forward secrecy")),
            TlsList::Groups { names } if names.is_empty() => {
                Point::Unclear(format!("{at}: which groups it accepts was not seen"))
            }
            TlsList::Groups { names } => {
                let why = |n: &String| policy.forbids_group(n).map(|why| format!("{n} ({why})"));
                let bad: Vec<String> = names.iter().filter_map(why).collect();
                match bad.is_empty() {
                    true => Point::Good(format!("{at}: groups {}", names.join(", "))),
                    false => Point::Bad(format!("{at}: accepts the groups {}", few(&bad))),
                }
            }
            TlsList::DhBits { bits } if bits.is_empty() => {
                Point::Unclear(format!("{at}: the prime of its finite-field key exchange was not seen"))
            }
            TlsList::DhBits { bits } => match bits.iter().find(|b| **b < policy.dh_bits) {
                Some(b) => Point::Bad(format!("{at}: a Diffie-Hellman prime of {b} bits")),
                None => Point::Good(format!("{at}: Diffie-Hellman primes of {} bits and more", policy.dh_bits)),
            },
            TlsList::Signatures { .. } => Point::Good(String::new()),
        }
    }
}
