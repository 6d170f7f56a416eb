//! A key that can be computed is no secret, and a hash that can be met signs anything.
use super::tls::{Named, broken, few};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, observation::tls::ChainLink};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "tls-cert-strength",
    title: "Certificate keys and signatures are strong",
    page: include_str!("tls_cert_strength.md"),
    expected: "keys are as long as the policy asks, no signature uses MD5 or SHA-1, and no key is of a known weak kind",
    remedy: "issue a certificate with a P-256 or RSA key of 2048 bits and more, signed with SHA-256 or better",
    severity: Severity::High,
    pass: Proves::Full,
    needs: &["tls-survey"],
    bind: bind::<TlsCertStrength>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsCertStrength {
    #[serde(default = "broken")]
    policy: Named,
}

impl Judge for TlsCertStrength {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let chains = evidence.known("tls-survey", |r| match &r.observation {
            Observation::TlsChain { links } => Some(links),
            _ => None,
        });
        every(&chains, "no certificate", |seen| {
            let all = seen.what.iter().enumerate();
            let bad: Vec<String> = all.clone().filter_map(|(n, link)| self.weakness(n, link)).collect();
            let unknown: Vec<String> =
                all.filter(|(_, l)| length(&l.key).is_none()).map(|(_, l)| l.key.clone()).collect();
            match (bad.is_empty(), unknown.is_empty()) {
                (false, _) => Point::Bad(format!("{}: {}", seen.subject(), few(&bad))),
                (true, false) => {
                    Point::Unclear(format!("{}: nothing is known of keys {}", seen.subject(), few(&unknown)))
                }
                (true, true) => {
                    let keys: Vec<String> = seen.what.iter().map(|l| l.key.clone()).collect();
                    Point::Good(format!("{}: keys {}", seen.subject(), few(&keys)))
                }
            }
        })
    }
}

enum Length {
    Rsa(u32),
    Curve(u32),
    Dsa,
    /// Ed25519 and Ed448.
    Edwards,
}

fn length(key: &str) -> Option<Length> {
    let number = |prefix: &str| key.strip_prefix(prefix).and_then(|n| n.parse().ok());
    match key {
        "dsa" => Some(Length::Dsa),
        "1.3.101.112" | "1.3.101.113" => Some(Length::Edwards),
        _ => number("rsa").map(Length::Rsa).or_else(|| number("ec").map(Length::Curve)),
    }
}

/// Signatures with MD2, MD5 and SHA-1, by the identifier of the algorithm.
fn old_hash(signature: &str) -> Option<&'static str> {
    match signature {
        "1.2.840.113549.1.1.2" => Some("MD2"),
        "1.2.840.113549.1.1.4" => Some("MD5"),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => Some("SHA-1"),
        _ => None,
    }
}

impl TlsCertStrength {
    fn weakness(&self, n: usize, link: &ChainLink) -> Option<String> {
        let who = &link.subject;
        let policy = self.policy.0;
        match length(&link.key) {
            Some(Length::Rsa(bits)) if bits < policy.rsa_bits => return Some(format!("{who}: RSA of {bits} bits")),
            Some(Length::Curve(bits)) if bits < policy.ec_bits => {
                return Some(format!("{who}: a curve of {bits} bits"));
            }
            Some(Length::Dsa) => return Some(format!("{who}: a DSA key")),
            Some(Length::Rsa(_) | Length::Curve(_) | Length::Edwards) | None => {}
        }
        if link.roca {
            return Some(format!("{who}: a key that can be factored (CVE-2017-15361)"));
        }
        if link.exponent.as_deref().is_some_and(|e| e.trim_start_matches('0') == "1") {
            return Some(format!("{who}: RSA with the exponent 1"));
        }
        // Nobody relies on how a root above the leaf signed itself.
        let relied = n == 0 || !link.self_signed;
        old_hash(&link.signature).filter(|_| relied).map(|hash| format!("{who}: signed with {hash}"))
    }
}
