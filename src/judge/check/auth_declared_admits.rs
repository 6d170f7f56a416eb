//! Who has the proper rights gets in.
use super::common::{guards, looked, not_declared};
use super::{Check, EntryRow, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence,
    assess::Outcome,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record,
    declarations::{DeclaredAuth, Entry},
    observation::{Answer, Mechanism, Presented},
};
use serde::Deserialize;

pub const CHECK: Check = Check {
    id: "auth-declared-admits",
    title: "Declared log-ins admit the accounts that belong there",
    page: include_str!("auth_declared_admits.md"),
    expected: "each entry of table 1-AuthMech accepts the accounts that it names",
    remedy: "make the log-in accept its accounts, or correct table 1-AuthMech",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &["given-logins"],
    bind: bind::<AuthDeclaredAdmits>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AuthDeclaredAdmits {}

impl Judge for AuthDeclaredAdmits {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared("1-AuthMech") else {
            return not_declared("1-AuthMech", "nothing says which log-ins there are".to_owned());
        };
        let all = Trials::of(evidence);
        every(&entries.and(looked(evidence, "given-logins")), "no log-in is declared", |seen| all.point(seen.what))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried("given-logins") || evidence.declared("1-AuthMech").is_none()
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        let (Some(entries), false) = (evidence.declared("1-AuthMech"), evidence.never_tried("given-logins")) else {
            return Vec::new();
        };
        let all = Trials::of(evidence);
        let row = |entry: &Entry| {
            let (verdict, observed) = match all.point(entry) {
                Point::Good(said) => (Outcome::Pass, said),
                Point::Bad(said) => (Outcome::Fail, said),
                Point::Unclear(said) => (Outcome::Inconclusive, said),
            };
            let evidence = all.of_entry(entry).map(|t| t.record.id.clone()).collect();
            EntryRow { table: "1-AuthMech", entry: entry.name(), verdict, observed, evidence }
        };
        entries.items().iter().map(|seen| row(seen.what)).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        &["1-AuthMech", "x-endpoints"]
    }
}

#[derive(Clone, Copy)]
struct Trial<'a> {
    record: &'a Record,
    mechanism: Mechanism,
    user: &'a str,
    answer: Answer,
}

/// Every log-in with a supplied account.
struct Trials<'e, 'a> {
    evidence: &'e Evidence<'a>,
    auth: &'a [DeclaredAuth],
    all: Vec<Trial<'a>>,
}

impl<'e, 'a> Trials<'e, 'a> {
    fn of(evidence: &'e Evidence<'a>) -> Self {
        let known = evidence.known("given-logins", trial);
        let all = known.items().iter().map(|s| s.what).collect();
        Self { evidence, auth: evidence.ixit.and_then(|i| i.auth.as_deref()).unwrap_or_default(), all }
    }

    /// Those at the log-in that this entry declares.
    fn of_entry(&self, entry: &Entry) -> impl Iterator<Item = &Trial<'a>> {
        let auth = self.auth.iter().find(|a| a.id == entry.name());
        let here = move |t: &&Trial<'a>| {
            auth.is_some_and(|a| a.mechanism == t.mechanism.word() && guards(self.evidence, a, &t.record.subject))
        };
        self.all.iter().filter(here)
    }

    fn point(&self, entry: &Entry) -> Point {
        let name = entry.name();
        let here: Vec<&Trial<'_>> = self.of_entry(entry).collect();
        let named = entry.list("x-accounts");
        if here.is_empty() {
            return Point::Unclear(format!("{name}: no supplied account was tried there"));
        }
        let of = |user: &str, answer| here.iter().any(|t| t.user == user && t.answer == answer);
        for user in named {
            // A secret that no log-in takes may be mistyped.
            let right = self.all.iter().any(|t| t.user == user && t.answer == Answer::Accepted);
            if of(user, Answer::Refused) && right {
                return Point::Bad(format!("{name}: `{user}` is refused, whose secret is right elsewhere"));
            }
        }
        let open: Vec<&str> = named.iter().map(String::as_str).filter(|u| !of(u, Answer::Accepted)).collect();
        if !open.is_empty() {
            return Point::Unclear(format!("{name}: `{}` was not seen to get in", open.join("`, `")));
        }
        let mut inside: Vec<&str> = here.iter().filter(|t| t.answer == Answer::Accepted).map(|t| t.user).collect();
        inside.sort_unstable();
        inside.dedup();
        match inside.is_empty() {
            true => Point::Unclear(format!("{name}: no supplied account got in; it names none as its own")),
            false => Point::Good(format!("{name}: `{}` got in", inside.join("`, `"))),
        }
    }
}

fn trial(record: &Record) -> Option<Trial<'_>> {
    match &record.observation {
        Observation::LoginTrial { mechanism, user, presented: Presented::Supplied, answer, .. } => {
            Some(Trial { record, mechanism: *mechanism, user, answer: *answer })
        }
        _ => None,
    }
}
