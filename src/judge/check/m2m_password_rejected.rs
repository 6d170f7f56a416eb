//! Interfaces for machines take what is declared for machines, and no passwords beside it.
use super::common::{guards, listed, never_absent, not_declared};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record, Subject,
    declarations::DeclaredAuth,
    observation::{Answer, Asks, Mechanism, Presented},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub const CHECK: Check = Check {
    id: "m2m-password-rejected",
    title: "Machine interfaces do not fall back to passwords",
    page: include_str!("m2m_password_rejected.md"),
    expected: "an interface that is declared for machines, with tokens, keys or certificates, takes no password",
    remedy: "take tokens, keys or certificates alone on interfaces for machines",
    severity: Severity::Low,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<M2mPasswordRejected>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct M2mPasswordRejected {}

impl Judge for M2mPasswordRejected {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.ixit.and_then(|i| i.auth.as_deref()) else {
            return not_declared("1-AuthMech", "which interfaces are for machines alone was not supplied".to_owned());
        };
        let machines: Vec<&DeclaredAuth> = entries.iter().filter(|e| is_for_machines(e)).collect();
        let facts = evidence.known("logins", of);
        let mut accepted: BTreeMap<(&Subject, Mechanism), BTreeMap<&str, u32>> = BTreeMap::new();
        let mut methods: BTreeMap<&Subject, &[String]> = BTreeMap::new();
        for seen in facts.items() {
            match seen.what {
                Fact::Accepted(m, id) => {
                    *accepted.entry((seen.subject(), m)).or_default().entry(id).or_default() += 1;
                }
                Fact::Methods(all) => drop(methods.insert(seen.subject(), all)),
                Fact::Surface(..) => {}
            }
        }
        let surfaces = facts.clone().only(|f| match f {
            Fact::Surface(_, at) => machines.iter().any(|e| placed(evidence, e, at)),
            Fact::Accepted(..) | Fact::Methods(_) => false,
        });
        let decision = every(&surfaces, "no interface is declared for machines", |seen| {
            let at = seen.subject();
            let Fact::Surface(mechanism, _) = seen.what else { return Point::Unclear(String::new()) };
            let what = format!("{} on {at}", mechanism.word());
            // Somebody else's way in on the same port.
            if entries.iter().any(|e| !is_for_machines(e) && e.mechanism == mechanism.word() && guards(evidence, e, at))
            {
                return Point::Good(format!("{what} is declared for people"));
            }
            let twice = accepted.get(&(at, mechanism)).and_then(|a| a.iter().find(|(_, n)| **n >= 2));
            if let Some((id, _)) = twice {
                return Point::Bad(format!("{what}: {id}, a password, was accepted twice"));
            }
            match offers(mechanism, methods.get(at).copied()) {
                Offers::Password => {
                    Point::Unclear(format!("{what} is offered there, and no password that works is known"))
                }
                Offers::Unknown => Point::Unclear(format!("{what}: what it offers is not known")),
                Offers::None => Point::Good(format!("{what}: no password was taken")),
            }
        });
        match machines.is_empty() {
            true => decision,
            false => {
                let all = listed(machines.iter().map(|e| e.id.as_str()));
                never_absent(decision, "logins", &format!("no log-in was found at the endpoints that refer to {all}"))
            }
        }
    }

    fn tables(&self) -> &'static [&'static str] {
        &["1-AuthMech", "x-endpoints"]
    }
}

/// By its description it is for machines, and its factor is no password.
fn is_for_machines(entry: &DeclaredAuth) -> bool {
    let (description, factor) = (entry.description.to_lowercase(), entry.auth_factor.to_lowercase());
    let machine = ["machine", "m2m"].iter().any(|w| description.contains(w)) && !description.contains("user");
    machine && !factor.contains("password") && ["token", "key", "certificate"].iter().any(|w| factor.contains(w))
}

/// Whether this entry is declared for this very place: which interface it guards must be said.
fn placed(evidence: &Evidence<'_>, entry: &DeclaredAuth, at: &Subject) -> bool {
    let endpoints = evidence.ixit.and_then(|i| i.endpoints.as_deref()).unwrap_or_default();
    let place = at.endpoint();
    let here = |e: &&crate::model::declarations::DeclaredEndpoint| {
        e.auth_ref.contains(&entry.id) && place.is_some_and(|p| e.covers(p.transport, p.port))
    };
    endpoints.iter().any(|e| here(&e))
}

enum Offers {
    Password,
    None,
    Unknown,
}

fn offers(mechanism: Mechanism, methods: Option<&[String]>) -> Offers {
    match (mechanism, methods) {
        (Mechanism::HttpToken | Mechanism::Psk, _) => Offers::None,
        // Whether a broker looks at a password is told only by one that it takes; random and listed ones were refused.
        (Mechanism::Mqtt, _) => Offers::None,
        (Mechanism::Ssh, None) => Offers::Unknown,
        (Mechanism::Ssh, Some(all)) => {
            let words: BTreeSet<&str> = all.iter().map(String::as_str).collect();
            let asked = words.contains("password") || words.contains("keyboard-interactive");
            if asked { Offers::Password } else { Offers::None }
        }
        (
            Mechanism::HttpBasic
            | Mechanism::HttpDigest
            | Mechanism::HttpForm
            | Mechanism::HttpJson
            | Mechanism::Telnet
            | Mechanism::Ftp
            | Mechanism::Snmp
            | Mechanism::Rtsp
            | Mechanism::Redis
            | Mechanism::Cwmp
            | Mechanism::Onvif,
            _,
        ) => Offers::Password,
    }
}

#[derive(Clone, Copy)]
enum Fact<'a> {
    Surface(Mechanism, &'a Subject),
    Accepted(Mechanism, &'a str),
    Methods(&'a [String]),
}

fn of(record: &Record) -> Option<Fact<'_>> {
    match &record.observation {
        Observation::LoginSurface { mechanism, asks: Asks::Yes | Asks::Unclear, .. } => {
            Some(Fact::Surface(*mechanism, &record.subject))
        }
        // A token is what machines are meant to show.
        Observation::LoginTrial { mechanism: Mechanism::HttpToken | Mechanism::Psk, .. } => None,
        Observation::LoginTrial { mechanism, presented: Presented::Listed(id), answer: Answer::Accepted, .. } => {
            Some(Fact::Accepted(*mechanism, id))
        }
        Observation::SshMethods { methods } => Some(Fact::Methods(methods)),
        _ => None,
    }
}
