//! Ways in: declared against found.
use super::common::{guards, listed, never_absent, not_declared};
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Known, Seen,
    assess::Outcome,
    judgement::{Point, every},
};
use crate::model::{Observation, declarations::DeclaredAuth, observation::Asks};
use serde::Deserialize;
use std::collections::BTreeSet;

pub const CHECK: Check = Check {
    id: "auth-mech-inventory",
    title: "Every network authentication mechanism is found and declared",
    page: include_str!("auth_mech_inventory.md"),
    expected: "every way to log in that was found is an entry of table 1-AuthMech, and every declared one was found",
    remedy: "document the mechanism in table 1-AuthMech, or remove it",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &["logins"],
    bind: bind::<AuthMechInventory>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthMechInventory {}

impl Judge for AuthMechInventory {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let found = surfaces(evidence);
        let Some(entries) = evidence.ixit.and_then(|i| i.auth.as_ref()) else {
            return undeclared(&found, &found.items().iter().map(|s| s.what.0).collect());
        };
        let declared = Declared::of(evidence, entries, &found);
        let decision = every(&found, NO_LOGIN, |seen| {
            let (word, path) = seen.what;
            declared.point(word, format!("{word} on {}{path}", seen.subject()))
        });
        // An entry without x-mechanism was not found either, where nothing was.
        match entries.is_empty() {
            true => decision,
            false => {
                let all = listed(entries.iter().map(|e| e.id.as_str()));
                never_absent(decision, "logins", &format!("declared but never found: {all}"))
            }
        }
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        let Some(entries) = evidence.ixit.and_then(|i| i.auth.as_ref()) else { return Vec::new() };
        let found = surfaces(evidence);
        let row = |e: &DeclaredAuth| {
            let seen = seen_of(evidence, e, &found);
            let at = listed(seen.iter().map(|s| s.subject()));
            EntryRow {
                table: "1-AuthMech",
                entry: e.id.clone(),
                verdict: if seen.is_empty() { Outcome::Inconclusive } else { Outcome::Pass },
                observed: match (seen.is_empty(), e.mechanism.is_empty()) {
                    (false, _) => format!("found on {at}"),
                    (true, false) => {
                        format!("{} was not found where it is declared, so it was not exercised", e.mechanism)
                    }
                    (true, true) => "it has no x-mechanism, so that nothing found can be told to be it".to_owned(),
                },
                evidence: seen.iter().map(|s| s.cite().to_owned()).collect(),
            }
        };
        entries.iter().map(row).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["1-AuthMech", "x-endpoints"]
    }
}

/// Mechanism and path.
type Surface<'a> = (&'static str, &'a String);

fn surfaces<'a>(evidence: &Evidence<'a>) -> Known<Surface<'a>> {
    evidence.known("logins", |r| match &r.observation {
        Observation::LoginSurface { mechanism, asks: Asks::Yes | Asks::Unclear, path, .. } => {
            Some((mechanism.word(), path))
        }
        _ => None,
    })
}

/// Where an entry was found: its mechanism, on the endpoints that refer to it, if any do.
fn seen_of<'s, 'a>(
    evidence: &Evidence<'_>,
    entry: &DeclaredAuth,
    found: &'s Known<Surface<'a>>,
) -> Vec<&'s Seen<Surface<'a>>> {
    found.items().iter().filter(|s| s.what.0 == entry.mechanism && guards(evidence, entry, s.subject())).collect()
}

/// Without the table there is nothing to compare with, but where nothing was found that is no matter.
fn undeclared<T>(found: &Known<T>, words: &BTreeSet<&str>) -> Decision {
    match words.is_empty() {
        true => every(found, NO_LOGIN, |_| Point::Unclear(String::new())),
        false => not_declared("1-AuthMech", format!("found: {}", listed(words))),
    }
}

struct Declared<'a> {
    words: BTreeSet<&'a str>,
    /// Entries without `x-mechanism`.
    wordless: String,
    /// Entries with one that were not found, each with its mechanism.
    not_exercised: String,
}

impl<'a> Declared<'a> {
    fn of(evidence: &Evidence<'_>, entries: &'a [DeclaredAuth], found: &Known<Surface<'_>>) -> Self {
        let named = |e: &&DeclaredAuth| !e.mechanism.is_empty();
        let missing = entries.iter().filter(named).filter(|e| seen_of(evidence, e, found).is_empty());
        Self {
            words: entries.iter().filter(named).map(|e| e.mechanism.as_str()).collect(),
            wordless: listed(entries.iter().filter(|e| !named(e)).map(|e| e.id.as_str())),
            not_exercised: listed(missing.map(|e| format!("{} ({})", e.id, e.mechanism))),
        }
    }

    fn point(&self, word: &str, found: String) -> Point {
        if !self.words.contains(word) {
            return match self.wordless.is_empty() {
                true => Point::Bad(format!("{found} is not declared")),
                false => Point::Unclear(format!("{found} may be {}, which has no x-mechanism", self.wordless)),
            };
        }
        match self.not_exercised.is_empty() {
            true if self.wordless.is_empty() => Point::Good(format!("{found} is declared")),
            true => Point::Unclear(format!("declared without x-mechanism, so not told apart: {}", self.wordless)),
            false => Point::Unclear(format!("declared but never found, so not tested: {}", self.not_exercised)),
        }
    }
}

const NO_LOGIN: &str = "no login was found";
