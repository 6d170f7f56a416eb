//! Ways in: declared against found.
use super::common::{listed, never_absent, not_declared};
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Known,
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
        let found = evidence.known("logins", |r| match &r.observation {
            Observation::LoginSurface { mechanism, asks: Asks::Yes | Asks::Unclear, path, .. } => {
                Some((mechanism.word(), path))
            }
            _ => None,
        });
        let words: BTreeSet<&str> = found.items().iter().map(|s| s.what.0).collect();
        let Some(entries) = evidence.ixit.and_then(|i| i.auth.as_ref()) else {
            return undeclared(&found, &words);
        };
        let declared = Declared::of(entries, &words);
        let decision = every(&found, NO_LOGIN, |seen| {
            let (word, path) = seen.what;
            declared.point(word, format!("{word} on {}{path}", seen.subject()))
        });
        match declared.never_found.is_empty() {
            true => decision,
            false => never_absent(decision, "logins", &format!("declared but never found: {}", declared.never_found)),
        }
    }
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
    never_found: String,
}

impl<'a> Declared<'a> {
    fn of(entries: &'a [DeclaredAuth], found: &BTreeSet<&str>) -> Self {
        let words: BTreeSet<&str> = entries.iter().map(|e| e.mechanism.as_str()).filter(|m| !m.is_empty()).collect();
        let wordless = listed(entries.iter().filter(|e| e.mechanism.is_empty()).map(|e| e.id.as_str()));
        let never_found = listed(words.iter().filter(|w| !found.contains(*w)));
        Self { words, wordless, never_found }
    }

    fn point(&self, word: &str, found: String) -> Point {
        if !self.words.contains(word) {
            return match self.wordless.is_empty() {
                true => Point::Bad(format!("{found} is not declared")),
                false => Point::Unclear(format!("{found} may be {}, which has no x-mechanism", self.wordless)),
            };
        }
        match self.never_found.is_empty() {
            true => Point::Good(format!("{found} is declared")),
            false => Point::Unclear(format!("declared but never found, so not tested: {}", self.never_found)),
        }
    }
}

const NO_LOGIN: &str = "no login was found";
