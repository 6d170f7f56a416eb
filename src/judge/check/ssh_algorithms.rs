//! What an SSH server offers, somebody in the path can make both ends take.
use super::tls::few;
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{Observation, Record};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

pub const CHECK: Check = Check {
    id: "ssh-algorithms",
    title: "SSH algorithms and host keys are strong",
    page: include_str!("ssh_algorithms.md"),
    expected: "no SSH server offers an algorithm that the policy forbids, and RSA host keys are long enough",
    remedy: "offer curve25519 key exchange, Ed25519 or RSA host keys with SHA-2, and AES-CTR, AES-GCM or ChaCha20",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &["ssh-algorithms"],
    bind: bind::<SshAlgorithms>,
};

type Lists = BTreeMap<String, Vec<String>>;

/// The rows also name their source and how sure it is, for people.
#[derive(Debug, Deserialize)]
struct Policy {
    id: String,
    title: String,
    rsa_bits: u32,
    forbidden: Lists,
    not_alone: Lists,
}

#[derive(Debug, Default, Deserialize)]
struct File {
    policy: Vec<Policy>,
}

static POLICIES: LazyLock<Vec<Policy>> = LazyLock::new(|| {
    toml::from_str::<File>(include_str!("../../../profiles/data/ssh-policies.toml")).unwrap_or_default().policy
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields, try_from = "Parameters")]
struct SshAlgorithms {
    policy: &'static Policy,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    #[serde(default = "usual")]
    policy: String,
}

fn usual() -> String {
    "broken".to_owned()
}

impl TryFrom<Parameters> for SshAlgorithms {
    type Error = String;

    fn try_from(p: Parameters) -> Result<Self, String> {
        let all = || POLICIES.iter().map(|p| p.id.as_str()).collect::<Vec<_>>().join(", ");
        let found = POLICIES.iter().find(|x| x.id == p.policy);
        found.map(|policy| Self { policy }).ok_or_else(|| format!("no policy `{}`; there are {}", p.policy, all()))
    }
}

#[derive(Clone, Copy)]
enum Fact<'a> {
    Lists(&'a Lists),
    Key(&'a str, Option<u32>),
}

fn fact(record: &Record) -> Option<Fact<'_>> {
    match &record.observation {
        Observation::SshAlgorithms { algorithms } => Some(Fact::Lists(algorithms)),
        Observation::SshHostKey { algorithm, bits, .. } => Some(Fact::Key(algorithm, *bits)),
        _ => None,
    }
}

impl Judge for SshAlgorithms {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let facts = evidence.known("ssh-algorithms", fact);
        every(&facts, "no SSH service", |seen| {
            let at = seen.subject();
            match seen.what {
                Fact::Lists(lists) => {
                    let bad = self.weaknesses(lists);
                    match bad.is_empty() {
                        true => {
                            Point::Good(format!("{at}: nothing forbidden by: {}{}", self.policy.title, note(lists)))
                        }
                        false => Point::Bad(format!("{at}: offers {}", few(&bad))),
                    }
                }
                Fact::Key(algorithm, Some(bits)) if bits < self.policy.rsa_bits => {
                    Point::Bad(format!("{at}: the {algorithm} host key has {bits} bits"))
                }
                Fact::Key(algorithm, None) if algorithm.contains("rsa") => {
                    Point::Unclear(format!("{at}: how long the {algorithm} host key is was not seen"))
                }
                Fact::Key(algorithm, _) => Point::Good(format!("{at}: the {algorithm} host key is long enough")),
            }
        })
    }
}

impl SshAlgorithms {
    fn weaknesses(&self, lists: &Lists) -> Vec<String> {
        let mut out = Vec::new();
        for (field, offered) in lists {
            let family = field.strip_suffix("-to-client").unwrap_or(field);
            let of = |all: &'static Lists| all.get(family).map_or(&[][..], Vec::as_slice);
            let matched = |patterns: &[String], name: &String| patterns.iter().any(|p| fits(p, name));
            let policy = self.policy;
            let forbidden = offered.iter().filter(|n| matched(of(&policy.forbidden), n));
            out.extend(forbidden.map(|n| format!("{n} ({family})")));
            // What only marks an extension is no algorithm.
            let real: Vec<&String> = offered.iter().filter(|n| !is_marker(n)).collect();
            if !real.is_empty() && real.iter().all(|n| matched(of(&policy.not_alone), n)) {
                let all: Vec<&str> = real.iter().map(|n| n.as_str()).collect();
                out.push(format!("nothing but {} ({family})", all.join(", ")));
            }
        }
        out
    }
}

fn is_marker(name: &str) -> bool {
    name.starts_with("ext-info-") || name.starts_with("kex-strict-")
}

/// `*` stands for anything, once.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => {
            let tail = tail.trim_end_matches('*');
            let rest = name.strip_prefix(head);
            rest.is_some_and(|r| if pattern.ends_with('*') { r.contains(tail) } else { r.ends_with(tail) })
        }
    }
}

/// Whether the handshake is protected against the truncation of CVE-2023-48795.
fn note(lists: &Lists) -> &'static str {
    let has = |field: &str, word: &str| lists.get(field).is_some_and(|l| l.iter().any(|n| n.contains(word)));
    let exposed = has("cipher", "chacha20-poly1305") || (has("cipher", "-cbc") && has("mac", "-etm@"));
    match exposed && !has("kex", "kex-strict-s") {
        true => "; it does not count the handshake's messages strictly (CVE-2023-48795)",
        false => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_has_a_source_and_a_star_stands_for_anything() {
        let raw: toml::Table = toml::from_str(include_str!("../../../profiles/data/ssh-policies.toml")).unwrap();
        for row in raw["policy"].as_array().unwrap() {
            assert!(!row["source"].as_str().unwrap().is_empty() && row["confidence"].is_str());
        }
        assert_eq!(POLICIES.len(), 2);
        assert!(
            fits("arcfour*", "arcfour128")
                && fits("*-cbc", "aes128-cbc")
                && fits("*-cbc@*", "rijndael-cbc@lysator.liu.se")
        );
        assert!(!fits("*-cbc", "aes128-ctr") && !fits("none", "none2") && !fits("hmac-sha1*", "hmac-sha2-256"));
    }
}
