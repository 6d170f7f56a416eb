//! An inspection for people.
use super::{
    Inspection, Outcome, Signature, State,
    facts::{Match, Payload},
};
use std::fmt::Write;

/// More payloads than this are counted, not listed.
const MOST_LISTED: usize = 40;

pub fn text(i: &Inspection) -> String {
    let mut out = String::new();
    let mut line = |label: &str, value: &str| {
        let _ = writeln!(out, "{label:<12}{value}");
    };
    let kind = i.kind.as_ref().map_or_else(String::new, |k| format!(" ({k})"));
    line("format", &format!("{}{kind}, {} bytes, {}", i.format.name(), i.bytes, i.sha256));
    for (label, value) in [("name", &i.name), ("version", &i.version), ("rollback", &i.rollback)] {
        line(label, value.as_deref().unwrap_or("not stated"));
    }
    line("for", &if i.targets.is_empty() { "not stated".to_owned() } else { i.targets.join(", ") });
    for d in &i.depends {
        line("depends", d);
    }
    line("encrypted", i.encrypted.as_deref().unwrap_or("no"));
    if i.signatures.is_empty() {
        line("signed", "no");
    }
    for s in &i.signatures {
        line("signed", &signature(s));
    }
    for p in i.payloads.iter().take(MOST_LISTED) {
        line("payload", &payload(p));
    }
    if i.payloads.len() > MOST_LISTED {
        line("payload", &format!("... and {} more", i.payloads.len() - MOST_LISTED));
    }
    for (label, remarks) in [("WEAK", &i.weak), ("note", &i.notes)] {
        for r in remarks {
            line(label, &format!("{}: {}", r.id, r.text));
        }
    }
    for u in &i.not_looked_into {
        line("not seen", &format!("`{}`: {}", u.path, u.why));
    }
    let outcome = match i.outcome {
        Outcome::Good => "signed, verified, and nothing weak was found",
        Outcome::Weak => "weak",
        Outcome::Open => "nothing weak was found, and not everything was verified or looked into",
    };
    line("outcome", outcome);
    out
}

fn signature(s: &Signature) -> String {
    let state = match s.state {
        State::Verified => "verified",
        State::NotVerified => "signed, not verified (name the key with --key)",
        State::CannotVerify => "cannot be verified here",
        State::DoesNotVerify => "DOES NOT VERIFY",
    };
    let key = s.key.as_ref().map_or_else(String::new, |k| format!(", key {k}"));
    let id = s.key_id.as_ref().map_or_else(String::new, |k| format!(", key id {k}"));
    let why = s.why.as_ref().map_or_else(String::new, |w| format!(" ({w})"));
    let covers = if s.covers.is_empty() { String::new() } else { format!("; covers {}", s.covers) };
    format!("{state}{why}: {}, {}{key}{id}{covers}", s.place, s.scheme)
}

fn payload(p: &Payload) -> String {
    let state = match p.state {
        Match::Matches => "digest matches",
        Match::Differs => "DIGEST DIFFERS",
        Match::NoDigest => "no digest stated",
        Match::NotChecked => "digest not checked",
    };
    let bytes = p.bytes.map_or_else(String::new, |b| format!(", {b} bytes"));
    let digest = p.digest.as_ref().map_or_else(String::new, |d| format!(" ({d})"));
    format!("`{}`{bytes}: {state}{digest}", p.name)
}
