//! At every declared log-in: who has the proper rights gets in, and who has not stays out.
use super::common::{guards, looked, not_declared};
use super::{Check, EntryRow, Judge, Proves, Severity};
use crate::judge::{
    Decision, Evidence,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record,
    declarations::{DeclaredAuth, Entry},
    observation::{Answer, Mechanism, Presented},
};
use serde::Deserialize;

const TABLE: &str = "1-AuthMech";

pub const ADMITS: Check = Check {
    id: "auth-declared-admits",
    title: "Declared log-ins admit the accounts that belong there",
    page: include_str!("auth_declared_admits.md"),
    expected: "each entry of table 1-AuthMech accepts the accounts that it names",
    remedy: "make the log-in accept its accounts, or correct table 1-AuthMech",
    severity: Severity::Medium,
    pass: Proves::Full,
    needs: &["given-logins"],
    bind: |p| bound(&Question { probe: "given-logins", of: Presented::Supplied, point: admits }, p),
};

pub const REFUSES: Check = Check {
    id: "auth-declared-refuses",
    title: "Declared log-ins refuse a wrong secret",
    page: include_str!("auth_declared_refuses.md"),
    expected: "each entry of table 1-AuthMech was tried with a wrong secret, and refused it",
    remedy: "verify the secret at every log-in",
    severity: Severity::Critical,
    needs: &["logins"],
    bind: |p| bound(&Question { probe: "logins", of: Presented::Wrong, point: refuses }, p),
    ..ADMITS
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParameters {}

fn bound(question: &Question, parameters: toml::Table) -> Result<Box<dyn Judge>, String> {
    let NoParameters {} = parameters.try_into().map_err(|e: toml::de::Error| e.message().to_owned())?;
    Ok(Box::new(question.clone()))
}

/// What is asked at each declared log-in, and which trials tell.
#[derive(Clone)]
struct Question {
    probe: &'static str,
    of: Presented,
    point: fn(&Trials<'_, '_>, &Entry) -> Point,
}

impl Judge for Question {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let Some(entries) = evidence.declared(TABLE) else {
            return not_declared(TABLE, "nothing says which log-ins there are".to_owned());
        };
        let all = self.trials(evidence);
        every(&entries.and(looked(evidence, self.probe)), "no log-in is declared", |seen| (self.point)(&all, seen.what))
    }

    fn left_to_assessor(&self, evidence: &Evidence<'_>) -> bool {
        evidence.never_tried(self.probe) || evidence.declared(TABLE).is_none()
    }

    fn entries(&self, evidence: &Evidence<'_>) -> Vec<EntryRow> {
        let (Some(entries), false) = (evidence.declared(TABLE), evidence.never_tried(self.probe)) else {
            return Vec::new();
        };
        let all = self.trials(evidence);
        let row = |entry: &Entry| {
            let cites = all.of_entry(entry).map(|t| t.record.id.clone()).collect();
            EntryRow::of(TABLE, entry.name(), (self.point)(&all, entry), cites)
        };
        entries.items().iter().map(|seen| row(seen.what)).collect()
    }

    fn tables(&self) -> &'static [&'static str] {
        &[TABLE, "x-endpoints"]
    }
}

impl Question {
    fn trials<'e, 'a>(&self, evidence: &'e Evidence<'a>) -> Trials<'e, 'a> {
        let known = evidence.known(self.probe, |r| trial(r, &self.of));
        let all = known.items().iter().map(|s| s.what).collect();
        Trials { evidence, auth: evidence.ixit.and_then(|i| i.auth.as_deref()).unwrap_or_default(), all }
    }
}

#[derive(Clone, Copy)]
struct Trial<'a> {
    record: &'a Record,
    mechanism: Mechanism,
    user: &'a str,
    answer: Answer,
}

fn trial<'a>(record: &'a Record, of: &Presented) -> Option<Trial<'a>> {
    match &record.observation {
        Observation::LoginTrial { mechanism, user, presented, answer, .. } if presented == of => {
            Some(Trial { record, mechanism: *mechanism, user, answer: *answer })
        }
        _ => None,
    }
}

/// Every log-in that tells something.
struct Trials<'e, 'a> {
    evidence: &'e Evidence<'a>,
    auth: &'a [DeclaredAuth],
    all: Vec<Trial<'a>>,
}

impl<'a> Trials<'_, 'a> {
    /// Those at the log-in that this entry declares.
    fn of_entry(&self, entry: &Entry) -> impl Iterator<Item = &Trial<'a>> {
        let auth = self.auth.iter().find(|a| a.id == entry.name());
        let here = move |t: &&Trial<'a>| {
            auth.is_some_and(|a| a.mechanism == t.mechanism.word() && guards(self.evidence, a, &t.record.subject))
        };
        self.all.iter().filter(here)
    }
}

/// Every account that the entry names gets in; where it names none, one at least.
fn admits(all: &Trials<'_, '_>, entry: &Entry) -> Point {
    let name = entry.name();
    let here: Vec<&Trial<'_>> = all.of_entry(entry).collect();
    let named = entry.list("x-accounts");
    if here.is_empty() {
        return Point::Unclear(format!("{name}: no supplied account was tried there"));
    }
    let of = |user: &str, answer| here.iter().any(|t| t.user == user && t.answer == answer);
    for user in named {
        // A secret that no log-in takes may be mistyped.
        let right = all.all.iter().any(|t| t.user == user && t.answer == Answer::Accepted);
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

fn refuses(all: &Trials<'_, '_>, entry: &Entry) -> Point {
    let name = entry.name();
    let tried = |answer| all.of_entry(entry).find(|t| t.answer == answer).map(|t| &t.record.subject);
    match (tried(Answer::Accepted), tried(Answer::Refused)) {
        (Some(at), _) => Point::Bad(format!("{name}: {at} lets in with a random secret")),
        (None, Some(at)) => Point::Good(format!("{name}: {at} refuses a random secret")),
        (None, None) => Point::Unclear(format!("{name}: no wrong secret was answered clearly there")),
    }
}
