//! What SSH would take as proof of who is there.
use super::common::{guards, listed};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record, Subject,
    observation::{Asks, Mechanism},
};
use serde::Deserialize;
use std::collections::BTreeMap;

pub const CHECK: Check = Check {
    id: "ssh-auth-methods",
    title: "SSH offers only intended authentication methods",
    page: include_str!("ssh_auth_methods.md"),
    expected: "no SSH server lets in without authentication, and passwords are offered only where declared",
    remedy: "disable the method none and passwords; allow keys only",
    severity: Severity::High,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<SshAuthMethods>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SshAuthMethods {}

impl Judge for SshAuthMethods {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let facts = evidence.known_of("logins", Some("ssh"), of);
        let mut offered: BTreeMap<&Subject, &[String]> = BTreeMap::new();
        for seen in facts.items() {
            if let Fact::Methods(m) = seen.what {
                offered.insert(seen.subject(), m);
            }
        }
        let surfaces = facts.clone().only(|f| matches!(f, Fact::Surface(_)));
        every(&surfaces, "no SSH service", |seen| {
            let at = seen.subject();
            match (seen.what, offered.get(at)) {
                (Fact::Surface(Asks::No), _) => Point::Bad(format!("{at}: it lets in without any authentication")),
                (Fact::Surface(Asks::Yes), Some(methods)) => offers(evidence, at, methods),
                (Fact::Surface(_) | Fact::Methods(_), _) => {
                    Point::Unclear(format!("{at}: what it offers is not known"))
                }
            }
        })
    }

    fn tables(&self) -> &'static [&'static str] {
        &["1-AuthMech"]
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fact<'a> {
    Surface(Asks),
    Methods(&'a [String]),
}

fn of(record: &Record) -> Option<Fact<'_>> {
    match &record.observation {
        Observation::LoginSurface { mechanism: Mechanism::Ssh, asks, .. } => Some(Fact::Surface(*asks)),
        Observation::SshMethods { methods } => Some(Fact::Methods(methods)),
        _ => None,
    }
}

/// Passwords contradict a declaration that speaks of keys alone.
fn offers(evidence: &Evidence<'_>, at: &Subject, methods: &[String]) -> Point {
    let all = listed(methods);
    let password = methods.iter().any(|m| m == "password" || m == "keyboard-interactive");
    let entries = evidence.ixit.and_then(|i| i.auth.as_deref()).unwrap_or_default();
    let factors: Vec<String> = entries
        .iter()
        .filter(|e| e.mechanism == "ssh" && guards(evidence, e, at))
        .map(|e| e.auth_factor.to_lowercase())
        .filter(|f| !f.is_empty())
        .collect();
    let keys_only = !factors.is_empty() && factors.iter().all(|f| f.contains("key") && !f.contains("password"));
    match (password, keys_only) {
        (true, true) => Point::Bad(format!("{at}: it offers {all}, and keys alone are declared")),
        (true, false) if factors.is_empty() => Point::Unclear(format!(
            "{at}: it offers {all}; whether passwords are intended is in 1-AuthMech, not supplied"
        )),
        (true, false) | (false, _) => Point::Good(format!("{at}: it offers {all}")),
    }
}
