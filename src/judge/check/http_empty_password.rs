//! The first two things that anybody tries: no password, and the name again.
use super::{Check, Judge, Proves, Severity, bind};
use crate::judge::{
    Decision, Evidence, Known,
    judgement::{Point, every},
};
use crate::model::{
    Observation, Record, Subject,
    observation::{Answer, Asks, Mechanism, Obvious, Presented},
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

pub const CHECK: Check = Check {
    id: "http-empty-password",
    title: "Empty passwords and passwords that repeat the user are refused",
    page: include_str!("http_empty_password.md"),
    expected: "no log-in over HTTP takes an empty password or the name of the user as the password",
    remedy: "refuse such passwords in the device, whatever the page does",
    severity: Severity::Critical,
    pass: Proves::Partial,
    needs: &["logins"],
    bind: bind::<HttpEmptyPassword>,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpEmptyPassword {}

const MECHANISMS: [Mechanism; 4] =
    [Mechanism::HttpBasic, Mechanism::HttpDigest, Mechanism::HttpForm, Mechanism::HttpJson];

type Place<'a> = (&'a Subject, Mechanism);

impl Judge for HttpEmptyPassword {
    fn judge(&self, evidence: &Evidence<'_>) -> Decision {
        let [first, rest @ ..] = MECHANISMS.map(|m| evidence.known_of("logins", Some(m.word()), |r| of(r, m)));
        let facts = rest.into_iter().fold(first, Known::and);
        let mut doors: BTreeMap<Place<'_>, Door<'_>> = BTreeMap::new();
        for (place, fact) in facts.items().iter().map(|s| s.what) {
            doors.entry(place).or_default().add(fact);
        }
        every(&facts, "no log-in over HTTP", |seen| match doors.get(&seen.what.0) {
            Some(door) => door.point(&format!("{} on {}", seen.what.0.1.word(), seen.subject())),
            None => Point::Unclear("nothing was tried".to_owned()),
        })
    }

    fn everywhere(&self) -> bool {
        true
    }
}

#[derive(Clone, Copy)]
enum Fact<'a> {
    Surface,
    Wrong(Answer),
    Tried { user: &'a str, what: Obvious, answer: Answer },
}

fn of(record: &Record, wanted: Mechanism) -> Option<(Place<'_>, Fact<'_>)> {
    let fact = match &record.observation {
        Observation::LoginSurface { mechanism, asks: Asks::Yes | Asks::Unclear, .. } if *mechanism == wanted => {
            Fact::Surface
        }
        Observation::LoginTrial { mechanism, presented: Presented::Wrong, answer, .. } if *mechanism == wanted => {
            Fact::Wrong(*answer)
        }
        Observation::LoginTrial { mechanism, user, obvious: Some(what), answer, .. } if *mechanism == wanted => {
            Fact::Tried { user, what: *what, answer: *answer }
        }
        _ => return None,
    };
    Some(((&record.subject, wanted), fact))
}

#[derive(Default)]
struct Door<'a> {
    wrong: Vec<Answer>,
    tried: Vec<(&'a str, Obvious, Answer)>,
}

impl<'a> Door<'a> {
    fn add(&mut self, fact: Fact<'a>) {
        match fact {
            Fact::Surface => {}
            Fact::Wrong(answer) => self.wrong.push(answer),
            Fact::Tried { user, what, answer } => self.tried.push((user, what, answer)),
        }
    }

    fn point(&self, what: &str) -> Point {
        if self.wrong.contains(&Answer::Accepted) {
            return Point::Unclear(format!("{what}: any credential works, which is another check's finding"));
        }
        if !self.wrong.contains(&Answer::Refused) {
            return Point::Unclear(format!("{what}: the refusal of a wrong secret was not seen"));
        }
        let mut accepted: BTreeMap<(&str, Obvious), u32> = BTreeMap::new();
        for (user, obvious, _) in self.tried.iter().filter(|t| t.2 == Answer::Accepted) {
            *accepted.entry((user, *obvious)).or_default() += 1;
        }
        if let Some(((user, obvious), _)) = accepted.iter().find(|(_, n)| **n >= 2) {
            let how = words(*obvious);
            return Point::Bad(format!("{what}: user `{user}` with {how} was accepted twice, a wrong secret was not"));
        }
        if let Some(((user, obvious), _)) = accepted.first_key_value() {
            let how = words(*obvious);
            return Point::Unclear(format!("{what}: user `{user}` with {how} was accepted once and not confirmed"));
        }
        let refused: BTreeSet<Obvious> = self.tried.iter().filter(|t| t.2 == Answer::Refused).map(|t| t.1).collect();
        match refused.contains(&Obvious::Empty) && refused.contains(&Obvious::UserName) {
            true => Point::Good(format!("{what}: an empty password and the user's own name were refused")),
            false => Point::Unclear(format!("{what}: the budget did not reach both, or an answer was not read")),
        }
    }
}

fn words(what: Obvious) -> &'static str {
    match what {
        Obvious::Empty => "an empty password",
        Obvious::UserName => "the user's own name as the password",
    }
}
